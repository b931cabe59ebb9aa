"""The circuit breaker of each partner: one that does not answer must not hold up the others.

After a few failures in a row the circuit opens: messages wait without using up their attempts.
When the pause is over one worker sends one message as a probe; an answer closes the circuit and
makes the waiting messages due, another failure opens it for twice as long. The state is in SQL, so
all workers share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.errors import PartnerRefused, PartnerUnavailable
from dossier.errors import LienThongError
from exchange.errors import ReceiptInvalid
from exchange.node import Node
from storage import circuits, outbox_leases
from storage.circuits import Circuit
from storage.transactions import transaction

FAILURES: Final = 5  # in a row open the circuit
LONGEST: Final = timedelta(minutes=5)
_PROBE: Final = timedelta(seconds=30)  # nobody else tries so long: the prober may have died


@dataclass(frozen=True, kw_only=True, slots=True)
class Lanes:
    """Which partners may be called now, as one drain sees it."""

    blocked: tuple[str, ...]  # nothing may be claimed for them
    probing: frozenset[str]  # this drain alone tries whether they answer
    troubled: frozenset[str]  # failed since their last answer


def look(node: Node, *, at: datetime) -> Lanes:
    """Return which partners may be called, and take the probes that are due."""
    known = circuits.all_circuits()
    busy = circuits.calls_under_way(at=at)
    blocked = {one for one, calls in busy.items() if calls >= node.settings.partner_calls}
    probing: set[str] = set()
    for one in known:
        if one.opened is None or one.partner in blocked:
            continue
        if circuits.take_probe(one.partner, at=at, until=at + _PROBE):
            probing.add(one.partner)
        else:
            blocked.add(one.partner)
    return Lanes(
        blocked=tuple(sorted(blocked)),
        probing=frozenset(probing),
        troubled=frozenset(one.partner for one in known),
    )


def note_failure(node: Node, partner: str, error: LienThongError, *, at: datetime) -> bool:
    """Count a failure if the partner is to blame for it, and tell whether it is."""
    if not isinstance(error, PartnerUnavailable):
        return False
    with transaction():
        found = circuits.note_failure(partner, error=error.code, at=at)
        if found.failures >= FAILURES:
            circuits.open_circuit(partner, at=at, retry_at=at + pause(node, found.failures))
    return True


def has_answered(error: LienThongError | None) -> bool:
    """Tell whether an attempt shows that the partner is there, whatever it said."""
    return error is None or isinstance(error, PartnerRefused | ReceiptInvalid)


def note_answer(partner: str, *, at: datetime) -> None:
    """Close the circuit of a partner that answered; what waited for it is due at once."""
    with transaction():
        if circuits.close_circuit(partner):
            outbox_leases.hasten(partner, at=at)


def pause(node: Node, failures: int) -> timedelta:
    """Return how long an open circuit stays so: doubling from the first wait of a message."""
    first = timedelta(seconds=node.settings.delivery_base_seconds)
    longest = min(LONGEST, timedelta(seconds=node.settings.delivery_cap_seconds))
    doubled: timedelta = first * (1 << min(failures - FAILURES, 16))
    return min(longest, doubled)


def listed() -> Sequence[Circuit]:
    """Return the partners in trouble, for people and figures."""
    return circuits.all_circuits()
