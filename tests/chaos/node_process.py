"""The node's supervisor with faults armed: a process dies at named points with some probability.

Started by the storm as `python -m tests.chaos.node_process PROBABILITY BOOK`. The faults are
patched in from outside, so the product has no switch for them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from django.db.transaction import Atomic

from connectors.direct import DirectSender
from storage import instances, outbox
from worker.run import main

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Faults:
    """Dies at a point with a probability, and writes down where."""

    def __init__(self, probability: float, book: Path) -> None:
        self._probability = probability
        self._book = book
        self._calm = book.with_name("calm")

    def point(self, name: str) -> None:
        """Die here, or go on."""
        # From the kernel: a generator of our own would repeat itself in every fork.
        if int.from_bytes(os.urandom(4)) / 2**32 >= self._probability or self._calm.exists():
            return
        descriptor = os.open(self._book, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, f"{name}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[_P, _T], before: str, after: str) -> Callable[_P, _T]:
        """Return the call with a point on either side."""

        def armed(*arguments: _P.args, **keywords: _P.kwargs) -> _T:
            self.point(before)
            answer = call(*arguments, **keywords)
            self.point(after)
            return answer

        return armed

    def arm(self) -> None:
        """Put the points into every commit, every claim and every call to a partner."""
        leave = Atomic.__exit__

        def commit(
            atomic: Atomic,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            self.point("before_commit")
            leave(atomic, kind, error, trace)
            self.point("after_commit")

        Atomic.__exit__ = commit  # type: ignore[method-assign]  # the fault to be injected
        for module, name in ((instances, "claim_ready"), (outbox, "claim_due")):
            claim = getattr(module, name)
            setattr(module, name, self.around(claim, "before_claim", "after_claim"))
        DirectSender.send = self.around(  # type: ignore[method-assign]  # the fault to be injected
            DirectSender.send, "before_send", "after_send"
        )


if __name__ == "__main__":
    Faults(float(sys.argv[1]), Path(sys.argv[2])).arm()
    sys.exit(main([]))
