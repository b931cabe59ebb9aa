"""A partner that is down: the letter waits with its id, people see it, and it arrives once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from rich.console import Console

from dossier.texts import Language, render_stored
from exchange.demo.layout import Home
from lienthong.demo import story
from lienthong.demo.browser import Page
from tests.builders import demo
from tests.builders.demo import Played


@pytest.fixture
def home(played: Played) -> Iterator[Home]:
    """Yield the home of a demo whose nodes try again after a second, not after five."""
    settings = {path: path.read_text() for path in played.home.root.glob("nodes/*/node.env")}
    for path, text in settings.items():
        path.write_text(f"{text}LIENTHONG_DELIVERY_BASE_SECONDS=1\n")
    yield played.home
    for path, text in settings.items():
        path.write_text(text)


def test_the_letter_waits_where_people_see_it_and_arrives_once(home: Home, played: Played) -> None:
    with demo.served(home, "h28", ports=played.ports) as nodes:
        stage = story.stage_of(Console(quiet=True), home, list(nodes.values()))
        code = story.start_letter(stage)
        story.send_letter(stage, code)

        # 1. Nobody answers: the letter stays, and its dossier's page says why.
        _wait(lambda: _outgoing(stage, code), what="the letter to be on its way")
        letter = _outgoing(stage, code)[0]["message"]
        _wait(lambda: _row(home, letter).error, what="the first attempt to fail")
        waiting = _row(home, letter)
        assert waiting.state == "new"
        assert [mark["state"] for mark in _outgoing(stage, code)] == ["new"]
        reason = render_stored("error", waiting.error, Language.VI, {})
        assert reason in _page(stage, "hb.chuyenvien", code).body.decode()

        # 2. The partner comes back: the same letter arrives by itself.
        nodes["h08"] = demo.serve(home, "h08", ports=played.ports)
        stage = story.stage_of(Console(quiet=True), home, list(nodes.values()))
        _wait(lambda: _row(home, letter).state == "sent", what="the letter to arrive")
        sent = _row(home, letter)
        assert sent.message_id == waiting.message_id
        assert sent.attempts > waiting.attempts

        # 3. It arrived once: one dossier, one message, one task.
        desk = stage.person("bd.vanthu")
        _wait(lambda: desk.get("/desk").marked(code=code), what="the letter on the other desk")
        assert [m["element"] for m in desk.get("/desk").marked(code=code)] == ["register_letter"]
        assert len(_page(stage, "bd.vanthu", code).marked(direction="in")) == 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A line of `lienthong message list`."""

    state: str
    attempts: int
    message_id: str
    error: str


def _row(home: Home, message: str) -> _Row:
    listed = demo.run_to_end(
        *("--node", "h28", "message", "list"), home=home.root, folder=home.root
    )
    line = next(line for line in listed.output.splitlines() if line.startswith(message))
    _id, state, attempts, _partner, message_id, error = line.split("\t")
    return _Row(state=state, attempts=int(attempts), message_id=message_id, error=error)


def _outgoing(stage: story.Stage, code: str) -> list[dict[str, str]]:
    return _page(stage, "hb.chuyenvien", code).marked(direction="out")


def _page(stage: story.Stage, username: str, code: str) -> Page:
    browser = stage.person(username)
    dossier = browser.get(f"/dossiers?q={code}").marked(code=code)[0]["dossier"]
    return browser.get(f"/dossiers/{dossier}")


def _wait(look: Callable[[], object], *, what: str) -> None:
    story.wait(lambda: {} if look() else None, what=what)
