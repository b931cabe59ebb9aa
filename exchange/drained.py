"""What every drain returns, and how a use case rings after its commit and never before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exchange import doorbell, tracing
from storage.transactions import after_commit, waiting_for_commit

# A job is a drain: what one commit made due, a few of them work off as well as a thousand.
MOST_BELLS: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """What one drain did."""

    done: int  # rows worked off
    more: bool  # whether the budget ended before the work did


@dataclass(frozen=True, kw_only=True, slots=True)
class Bell:
    """A doorbell that rings when it is called."""

    job: str
    identifier: str

    def __call__(self) -> None:
        """Ring."""
        doorbell.ring(self.job, self.identifier)


def ring_after_commit(job: str, identifier: str) -> None:
    """Ring the job's doorbell once the open transaction has committed.

    Of many bells for one job in one transaction a few ring.
    """
    tracing.remember(job, identifier)
    waiting = [one for one in waiting_for_commit() if isinstance(one, Bell) and one.job == job]
    if len(waiting) < MOST_BELLS:
        after_commit(Bell(job=job, identifier=identifier))
