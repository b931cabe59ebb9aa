"""Faults at named points: a process dies there, or its partner behaves badly.

Patched in from outside, so the product has no switch for them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final, ParamSpec, Protocol, TypeVar

from django.db.transaction import Atomic

from connectors.direct import DirectSender
from dossier.errors import Unavailable
from storage import facts, history, inbox, instances, log, outbox

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Calls with a point before and one after them; the commits of all transactions come on top.
_CALLS: Final[tuple[tuple[ModuleType, str, str], ...]] = (
    (instances, "claim_ready", "claim"),
    (instances, "load", "read"),
    (instances, "apply", "apply"),
    (facts, "mark_applied", "facts"),
    (history, "append", "history"),
    (outbox, "claim_due", "claim_message"),
    (outbox, "keep_container", "seal"),
    (outbox, "mark_answered", "mark"),
    (inbox, "reserve", "receive"),
    (inbox, "correlate", "correlate"),
    (log, "write_batch", "number"),
    (log, "add_checkpoint", "checkpoint"),
)
POINTS: Final = tuple(
    f"{side}_{name}"
    for name in ("commit", "send", *(point for _module, _call, point in _CALLS))
    for side in ("before", "after")
)


class Death(Protocol):
    """Decides where a process dies."""

    def point(self, name: str) -> None:
        """Die here, or go on."""


class RandomDeath:
    """Dies at any point with a probability, and writes down where."""

    def __init__(self, probability: float, book: Path) -> None:
        self._probability = probability
        self._book = book
        self._calm = book.with_name("calm")

    def point(self, name: str) -> None:
        """Die here, or go on."""
        # From the kernel: a generator of our own would repeat itself in every fork.
        if _chance() < self._probability and not self._calm.exists():
            die(name, self._book)


class OneDeath:
    """Dies at one point, the first time that it gets there."""

    def __init__(self, name: str, book: Path) -> None:
        self._name = name
        self._book = book

    def point(self, name: str) -> None:
        """Die here, or go on."""
        if name == self._name:
            die(name, self._book)


def die(name: str, book: Path) -> None:
    """Write down the name and end without a word."""
    note(name, book)
    os.kill(os.getpid(), signal.SIGKILL)


def note(name: str, book: Path) -> None:
    """Write down what happened, whoever else is writing."""
    descriptor = os.open(book, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{name}\n".encode())
    os.close(descriptor)


def arm(death: Death) -> None:
    """Put the points into every commit, into every call above, and around calls to a partner."""
    leave = Atomic.__exit__

    def commit(
        atomic: Atomic,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        death.point("before_commit")
        leave(atomic, kind, error, trace)
        death.point("after_commit")

    Atomic.__exit__ = commit  # type: ignore[method-assign]  # the fault to be injected
    for module, call, name in _CALLS:
        setattr(module, call, _around(getattr(module, call), name, death))
    DirectSender.send = _around(DirectSender.send, "send", death)  # type: ignore[method-assign]  # as above


def _around(call: Callable[_P, _T], name: str, death: Death) -> Callable[_P, _T]:
    def armed(*arguments: _P.args, **keywords: _P.kwargs) -> _T:
        death.point(f"before_{name}")
        answer = call(*arguments, **keywords)
        death.point(f"after_{name}")
        return answer

    return armed


def make_partner_unruly(share: float, book: Path) -> None:
    """Let a share of the deliveries be slow, lost after the partner's commit, or answered twice."""
    send = DirectSender.send
    calm = book.with_name("calm")

    def unruly(*arguments: object, **keywords: object) -> object:
        fate = _chance() / share
        if fate >= 1 or calm.exists():
            return send(*arguments, **keywords)  # type: ignore[arg-type]  # passed on as they come
        if fate < 1 / 3:
            note("partner_slow", book)
            time.sleep(2.5)
            return send(*arguments, **keywords)  # type: ignore[arg-type]  # as above
        answer = send(*arguments, **keywords)  # type: ignore[arg-type]  # as above
        if fate < 2 / 3:
            note("partner_dropped_after_commit", book)
            raise Unavailable("expected an answer of the partner, got none")
        note("partner_asked_twice", book)
        return send(*arguments, **keywords) if answer else answer  # type: ignore[arg-type]  # as above

    DirectSender.send = unruly  # type: ignore[method-assign, assignment]  # the fault to be injected


def _chance() -> float:
    return int.from_bytes(os.urandom(4)) / 2**32
