"""The jobs: each gets an id, and drains what is due. Safe to run twice, or never.

The id says why the bell rang; what to do is found in the database. Nothing that fails here is
left to RQ: retries, backoff and incidents are rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from rq.timeouts import BaseTimeoutException

from dossier.errors import LienThongError
from exchange import badfiles, doorbell, figures, sweep, tracing
from exchange.advance import drain_transitions
from exchange.call_service import drain_calls
from exchange.correlate import drain_inbox
from exchange.deliver import drain_outbox
from exchange.drained import Drained
from exchange.edxml.rounds import make_round
from exchange.folders import sweep_folders
from exchange.national.sync import make_rounds
from exchange.notify import drain_notices
from exchange.orphans import collect_daily as collect
from exchange.reminders import remind_due
from exchange.revocation import refresh
from exchange.sequence import sequence_log
from exchange.settings import settings
from exchange.starts import open_due
from exchange.timers import fire_due
from exchange.upkeep import clean
from exchange.wiring import node

BUDGET: Final = timedelta(seconds=1.5)
_log: Final = logging.getLogger(__name__)


def advance(identifier: str) -> None:
    """Advance instances; the bell named one of them."""
    _answer("advance", identifier, transitions())


def fire(identifier: str) -> None:
    """Turn due timers into facts and advance their instances."""
    timers()
    advance(identifier)


def correlate(identifier: str) -> None:
    """Hand received messages to the instances that wait for them; the bell named one."""
    _answer("correlate", identifier, incoming())


def deliver(identifier: str) -> None:
    """Deliver outgoing messages; the bell named one of them."""
    _answer("deliver", identifier, outgoing())


def call(identifier: str) -> None:
    """Call foreign services; the bell named one call."""
    _answer("call", identifier, services())


def _answer(job: str, identifier: str, drained: Drained) -> None:
    """Ring again for what is left; count a bell that nothing was due for, as of an unknown id."""
    if drained.more:
        doorbell.ring(job, identifier)
    elif not drained.done:
        doorbell.note_idle(job)


# --- The drains, each behind the same net ------------------------------------------------------


def transitions() -> Drained:
    """Advance instances until nothing is due or the budget is spent."""
    return caught("advance", lambda: drain_transitions(node(), budget=BUDGET))


def incoming() -> Drained:
    """Place received messages until nothing is due or the budget is spent."""
    return caught("correlate", lambda: drain_inbox(node(), budget=BUDGET))


def outgoing() -> Drained:
    """Deliver messages until nothing is due or the budget is spent."""
    return caught("deliver", lambda: drain_outbox(node(), budget=BUDGET))


def services() -> Drained:
    """Make calls of foreign services until nothing is due or the budget is spent."""
    return caught("call", lambda: drain_calls(node(), budget=BUDGET))


def revocations() -> Drained:
    """Fetch the CRLs that the node's certificates name, once an hour."""
    return caught("revocations", lambda: refresh(node()))


def portals() -> Drained:
    """Tell national portals what changed, when their rounds are due."""
    return caught("portals", lambda: make_rounds(node()))


def letters() -> Drained:
    """Fetch edXML letters and report on them, when a round is due."""
    return caught("letters", lambda: make_round(node()))


def notifications() -> Drained:
    """Tell foreign systems what happened until everything is told or the budget is spent."""
    return caught("notify", lambda: drain_notices(node(), budget=BUDGET))


def folders() -> Drained:
    """Deal once with the folders of agencies that have no service."""
    return caught("folders", lambda: sweep_folders(node()))


def timers() -> Drained:
    """Turn one batch of due timers into facts."""
    return caught("fire", lambda: fire_due(node()) if sweep.is_timer_due(node()) else _NOTHING)


def starts() -> Drained:
    """Open the dossiers that timer start events are due for."""
    return caught("starts", lambda: open_due(node()))


def reminders() -> Drained:
    """Give one batch of the reminders that are due."""
    return caught("remind", lambda: remind_due(node()))


def leaves() -> Drained:
    """Number one batch of log leaves and sign the head."""
    return caught("sequence", lambda: sequence_log(node()))


def leases() -> Drained:
    """Give back what processes of this machine held that died unseen."""
    return caught("leases", lambda: Drained(done=sweep.free_dead(at=node().now()), more=False))


def upkeep() -> Drained:
    """Remove what dead uploads, ended sessions and uncommitted work left behind."""
    done = [caught("upkeep", lambda: clean(node())), caught("orphans", lambda: collect(node()))]
    return Drained(done=sum(one.done for one in done), more=False)


def bells() -> Drained:
    """Ring for due rows whose bell was lost."""
    return caught("sweep", lambda: Drained(done=sweep.ring_due(node()), more=False))


def caught(name: str, work: Callable[[], Drained]) -> Drained:
    """Run a drain; log what it raises, drop the database connection, and say nothing was done.

    The connection is dropped because the alarm of RQ may have struck inside the driver, which
    leaves it busy for ever (worker.md §4).
    """
    try:
        return work()
    except LienThongError as exc:
        figures.DRAIN_FAILURES.labels(name, exc.code).inc()
        badfiles.note(exc)
        _log.warning("drain failed", extra={"job": name, "code": exc.code})
    except BaseTimeoutException:
        sweep.forget_connection()
        raise
    except Exception:  # noqa: BLE001 - the worker's outermost net: the row keeps its attempt count
        figures.DRAIN_FAILURES.labels(name, "unforeseen").inc()
        _log.exception("drain broke", extra={"job": name})
    finally:
        figures.publish(settings().run_dir)
        tracing.flush()
    sweep.forget_connection()
    _give_back()
    return _NOTHING


def _give_back() -> None:
    """Let others take at once what this process claimed and did not finish."""
    try:
        sweep.free_leases(node().owner, at=node().now())
    except LienThongError as exc:
        _log.warning("leases not given back", extra={"code": exc.code})
        sweep.forget_connection()


_NOTHING: Final = Drained(done=0, more=False)
