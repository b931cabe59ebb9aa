"""What every drain returns, and how a use case rings after its commit and never before."""

from __future__ import annotations

from dataclasses import dataclass

from exchange import doorbell
from storage.transactions import after_commit


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """What one drain did."""

    done: int  # rows worked off
    more: bool  # whether the budget ended before the work did


def ring_after_commit(job: str, identifier: str) -> None:
    """Ring the job's doorbell once the open transaction has committed."""

    def bell() -> None:
        doorbell.ring(job, identifier)

    after_commit(bell)
