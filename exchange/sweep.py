"""Find what a lost bell missed, give back what a dead worker held: the upkeep around the drains.

Everything here only makes work start sooner. Without it the leases would end and pollers would
find the rows; with it that takes a second.
"""

from __future__ import annotations

import logging
import os
import socket
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter

from exchange import doorbell
from exchange.node import Node
from storage import calls, inbox, instances, outbox, outbox_leases, timers, transactions
from storage.transactions import transaction

REPEAT: Final = timedelta(seconds=1.4)  # with the ticker's pause a lost bell rings within 2 s
_ROWS: Final = 300
_LONGEST_RETRY: Final = timedelta(minutes=1)
_SET_BACK: Final = Counter("lienthong_clock_set_back", "Rows found due by a clock since set back")
_REPEATED: Final = Counter("lienthong_bells_repeated", "Bells that were lost and rung again")
_log: Final = logging.getLogger(__name__)
_BELLS: Final = 4  # a job is a drain: a few bells wake everybody, a million would only fill Redis


def ring_due(node: Node) -> int:
    """Ring for due rows that nobody was told of lately; return how many bells it were."""
    at = node.now()
    before = at - REPEAT
    if late := instances.bring_forward(at=at, later_than=at + _LONGEST_RETRY):
        _SET_BACK.inc(late)
        _log.warning("the clock was set back: work taken at once", extra={"count": late})
    ready = instances.hint_due(at=at, hinted_before=before, limit=_ROWS)
    leaving = outbox.hint_due(at=at, hinted_before=before, limit=_ROWS)
    arrived = [str(one) for one in inbox.unplaced(received_before=before, limit=_BELLS)]
    called = calls.due(at=at, limit=_BELLS)
    bells = [
        *(("advance", str(one)) for one in ready[:_BELLS]),
        *(("deliver", str(one)) for one in leaving[:_BELLS]),
        *(("correlate", one) for one in arrived),
        *(("call", str(one)) for one in called),
    ]
    for job, identifier in bells:
        doorbell.ring(job, identifier)
    _REPEATED.inc(len(bells))
    return len(bells)


def is_timer_due(node: Node) -> bool:
    """Tell whether a timer is due; a read, so an idle node locks nothing."""
    due = timers.next_due()
    return due is not None and due <= node.now()


def owner_of(pid: int) -> str:
    """Return the name under which a process of this machine holds leases."""
    return f"{socket.gethostname()}:{pid}"


def own_name() -> str:
    """Return the name under which this process holds leases."""
    return owner_of(os.getpid())


def free_leases(owner: str, *, at: datetime) -> int:
    """Give back what a process held that is dead for sure, and return how many rows it were."""
    with transaction():
        held = instances.clear_leases(owner)
        held += calls.clear_leases(owner, at=at)
        return held + outbox_leases.clear_leases(owner, at=at)


def free_dead(*, at: datetime) -> int:
    """Give back what processes of this machine held that are gone; return how many rows it were.

    A process number may be in use again by something else: then the lease has to end by itself.
    """
    host = f"{socket.gethostname()}:"
    owners = instances.lease_owners() | outbox_leases.lease_owners()
    dead = [one for one in owners if one.startswith(host) and not _is_alive(one[len(host) :])]
    return sum(free_leases(one, at=at) for one in sorted(dead))


def _is_alive(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except (ValueError, PermissionError):  # not ours to judge
        pass
    return True


def wake_all() -> None:
    """Ring for whatever a dead process left: others need not wait for the next sweep."""
    for job in doorbell.QUEUES:
        doorbell.ring(job, "left")


def forget_connection() -> None:
    """Close the database connection: before a fork, and after a driver was interrupted."""
    transactions.close()


def drop_worn_out() -> None:
    """Drop this thread's connection if it broke or is past its age: around each request."""
    transactions.drop_worn_out()
