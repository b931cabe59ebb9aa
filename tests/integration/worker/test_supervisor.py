"""The supervisor: whatever ends is started again, and what it held is given back."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from exchange.settings import Settings, load
from storage import transactions
from worker import supervisor
from worker.errors import SupervisorRunning
from worker.own_redis import die_with_parent
from worker.supervisor import Supervisor

pytestmark = pytest.mark.usefixtures("database")
_fork = multiprocessing.get_context("fork")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"LIENTHONG_HOME": str(tmp_path), "LIENTHONG_WORKERS": "3"})


@pytest.fixture
def births(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Replace what children do: each writes its name and id, then waits for its end."""
    book = tmp_path / "births"
    book.mkdir()

    def live(role: str) -> None:
        die_with_parent()
        (book / f"{role}.{os.getpid()}").touch()
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        while True:
            time.sleep(0.05)

    def freed(process_id: int) -> None:
        (book / f"freed.{process_id}").touch()

    monkeypatch.setattr(supervisor, "run_child", live)
    monkeypatch.setattr(supervisor, "_free_leases", freed)
    monkeypatch.setattr(supervisor, "find_program", lambda: None)
    return book


@pytest.fixture
def running(settings: Settings, births: Path) -> Iterator[BaseProcess]:
    process = _supervise(settings)
    _wait(lambda: len(_ids(births)) == 6)
    yield process
    process.kill()
    process.join()


def _supervise(settings: Settings) -> BaseProcess:
    transactions.close()
    process = _fork.Process(target=lambda: Supervisor(settings).run())
    process.start()
    return process


def _ids(births: Path, role: str = "") -> list[int]:
    names = [path.name for path in births.iterdir() if not path.name.startswith("freed")]
    return [int(name.rpartition(".")[2]) for name in names if name.startswith(role)]


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "expected it within ten seconds"
        time.sleep(0.02)


def _is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sqlite_gets_one_engine_whatever_is_asked_and_two_that_may_wait_for_partners(
    running: BaseProcess, births: Path
) -> None:
    assert len(_ids(births, "transitions")) == 1
    assert len(_ids(births, "exchange")) == 2
    assert len(_ids(births, "ticker")) == 1
    assert len(_ids(births, "rounds")) == 1
    assert len(_ids(births, "upkeep")) == 1


def test_a_killed_child_is_replaced_at_once_and_its_leases_freed(
    running: BaseProcess, births: Path
) -> None:
    (victim,) = _ids(births, "transitions")
    started = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    _wait(lambda: len(_ids(births, "transitions")) == 2)
    assert time.monotonic() - started < 1
    assert (births / f"freed.{victim}").exists()


def test_sigterm_ends_everything_in_order(running: BaseProcess, births: Path) -> None:
    assert running.pid is not None
    os.kill(running.pid, signal.SIGTERM)
    running.join(10)
    assert running.exitcode == 0
    assert not any(map(_is_alive, _ids(births)))


def test_children_do_not_outlive_a_killed_supervisor(running: BaseProcess, births: Path) -> None:
    running.kill()
    running.join()
    _wait(lambda: not any(map(_is_alive, _ids(births))))


def test_a_second_supervisor_of_the_node_is_refused(
    running: BaseProcess, settings: Settings
) -> None:
    with pytest.raises(SupervisorRunning) as caught:
        Supervisor(settings).run()
    assert caught.value.parameters["process_id"] == str(running.pid)
    assert "lienthong_supervisors_refused_total" in (settings.run_dir / "figures.json").read_text()


def test_a_child_that_cannot_live_is_started_ever_more_slowly(
    settings: Settings, births: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(role: str) -> None:
        (births / f"{role}.{os.getpid()}").touch()
        os._exit(1)

    monkeypatch.setattr(supervisor, "run_child", fail)
    process = _supervise(settings)
    time.sleep(2)
    process.terminate()
    process.join()
    assert 2 <= len(_ids(births, "ticker")) <= 6
