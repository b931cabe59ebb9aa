"""The rows that a batch of transitions asks for, collected in memory and written in few statements.

Each table gets one statement for the whole batch, so a transition costs no round trip of its own.
What is rare (an incident, a pause, a status) is written where it is decided.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from dossier.model import Dossier, TaskState
from exchange import chronicle
from exchange.chronicle import Event
from storage import calls, cases, dossiers, history, outbox, silences, subscriptions, tasks, timers
from storage.calls import ServiceCall
from storage.cases import CaseChange
from storage.history import Edge
from storage.outbox import NewOutgoing
from storage.silences import Silence
from storage.subscriptions import Subscription
from storage.tasks import NewTask
from storage.timers import NewTimer


@dataclass(kw_only=True, slots=True)
class Recorded:
    """Mutable: what the transitions of one commit have led to so far."""

    dossiers: dict[UUID, Dossier]  # of all instances in the batch, locked
    edges: dict[UUID, Edge]
    values: list[CaseChange] = field(default_factory=list)
    tasks: list[NewTask] = field(default_factory=list)
    closed_tasks: list[str] = field(default_factory=list)  # tokens
    waits: dict[str, Subscription] = field(default_factory=dict)  # by the engine's id
    timers: dict[str, NewTimer] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)  # each beside a timer
    closed: list[str] = field(default_factory=list)  # ids of waits and timers that are over
    calls: list[ServiceCall] = field(default_factory=list)
    cancelled_calls: list[str] = field(default_factory=list)  # refs
    messages: list[NewOutgoing] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    finished: list[UUID] = field(default_factory=list)  # dossiers

    def close(self, ref: str) -> None:
        """Let a wait or a timer end, be it a row already or opened in this batch."""
        self.waits.pop(ref, None)
        self.timers.pop(ref, None)
        self.closed.append(ref)


def begin(ids: Collection[UUID]) -> Recorded:
    """Lock the dossiers of a batch, in one order for everybody, and return an empty record."""
    edges = history.lock(ids)
    return Recorded(dossiers=dossiers.load(list(ids)), edges=edges)


def write(recorded: Recorded, *, at: datetime) -> None:
    """Write everything, in the transaction that locked the dossiers."""
    cases.write_many(recorded.values)
    tasks.open_tasks(recorded.tasks)
    tasks.close_tasks(recorded.closed_tasks, state=TaskState.WITHDRAWN, at=at)
    # Closed first: a wait that was closed and opened again under its id is open.
    subscriptions.close_subscriptions(recorded.closed)
    timers.close_timers(recorded.closed)
    subscriptions.open_subscriptions(list(recorded.waits.values()))
    timers.open_timers(list(recorded.timers.values()))
    silences.open_silences(recorded.silences)
    outbox.add_many(recorded.messages)
    calls.open_calls(recorded.calls)
    calls.cancel_calls(recorded.cancelled_calls)
    dossiers.close_many(recorded.finished, at=at)
    chronicle.write(recorded.events, edges=recorded.edges)
