"""One bell for all that a serving process makes due within a moment, and none of it forgotten."""

from __future__ import annotations

import time
from threading import Event

import pytest

from exchange.doorbell import Gathering


class Heard:
    """The bells that rang, and whether the awaited one did."""

    def __init__(self) -> None:
        self.bells: list[tuple[str, str]] = []
        self.came = Event()

    def ring(self, job: str, identifier: str) -> None:
        self.bells.append((job, identifier))
        self.came.set()


def test_without_a_moment_every_bell_is_the_callers_own() -> None:
    heard = Heard()
    gathering = Gathering(heard.ring, between_seconds=0)

    assert not any(gathering.takes("deliver", str(number)) for number in range(5))
    assert heard.bells == []


def test_the_first_rings_at_once_and_one_bell_stands_for_those_that_follow() -> None:
    heard = Heard()
    gathering = Gathering(heard.ring, between_seconds=0.3)

    assert not gathering.takes("deliver", "first")
    assert all(gathering.takes("deliver", f"later {number}") for number in range(50))

    assert heard.bells == []
    assert heard.came.wait(10)
    assert heard.bells == [("deliver", "later 0")]


def test_a_bell_never_stands_for_what_comes_after_it() -> None:
    heard = Heard()
    gathering = Gathering(heard.ring, between_seconds=0.05)
    gathering.takes("deliver", "first")
    gathering.takes("deliver", "second")
    assert heard.came.wait(10)
    heard.came.clear()

    if gathering.takes("deliver", "third"):  # else the moment is over, and it rings at once
        assert heard.came.wait(10)
        assert heard.bells[-1] == ("deliver", "third")


def test_jobs_do_not_wait_for_each_other() -> None:
    gathering = Gathering(Heard().ring, between_seconds=60)

    assert not gathering.takes("deliver", "x")
    assert not gathering.takes("advance", "x")


def test_a_bell_after_a_pause_rings_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gathering = Gathering(Heard().ring, between_seconds=0.04)
    now = time.monotonic()
    monkeypatch.setattr("exchange.doorbell.time.monotonic", lambda: now)
    assert not gathering.takes("deliver", "first")

    now += 0.05

    assert not gathering.takes("deliver", "second")
