"""The rows that a host keeps for one instance, in memory: open tasks, timers, calls, status."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, assert_never

from dossier.calendar import Calendar
from dossier.deadline import due, parse_allowance
from workflows.commands import (
    BroadcastSignal,
    CallDecision,
    CallService,
    CancelCall,
    CloseSubscription,
    CloseTask,
    Command,
    Finish,
    OpenSubscription,
    OpenTask,
    PauseClock,
    RaiseIncident,
    ResolveIncident,
    ResumeClock,
    SendMessage,
    SetStatus,
    SubscriptionKind,
)
from workflows.definition import Definition
from workflows.expressions import Value

Outgoing: TypeAlias = "SendMessage | BroadcastSignal"


@dataclass(kw_only=True, slots=True)
class Run:
    """The one instance of a pool in a play, and its rows; mutable."""

    role: str
    definition: Definition
    snapshot: bytes = b""
    active: tuple[str, ...] = ()  # elements where tokens stand
    values: dict[str, Value] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()  # kinds in the dossier
    tasks: dict[str, OpenTask] = field(default_factory=dict)
    waits: dict[str, OpenSubscription] = field(default_factory=dict)
    timers: dict[str, datetime] = field(default_factory=dict)
    calls: dict[str, CallService | CallDecision] = field(default_factory=dict)
    incidents: dict[str, RaiseIncident] = field(default_factory=dict)
    pauses: dict[str, str] = field(default_factory=dict)  # token → basis
    numbers: dict[str, int] = field(default_factory=dict)  # book → last number taken
    status: int | None = None
    outcome: str = ""  # empty while it runs

    @property
    def is_started(self) -> bool:
        """Tell whether the pool has an instance."""
        return bool(self.snapshot)

    def obey(  # noqa: C901 - one arm per command
        self, command: Command, *, at: datetime, calendar: Calendar
    ) -> Outgoing | None:
        """Keep the rows that a command opens and closes; return what leaves the pool."""
        match command:
            case SendMessage() | BroadcastSignal():
                return command
            case OpenTask():
                self.tasks[command.task_id] = command
            case CloseTask():
                self.tasks.pop(command.task_id, None)
            case OpenSubscription():
                self._wait(command, at, calendar)
            case CloseSubscription():
                self.waits.pop(command.subscription_id, None)
                self.timers.pop(command.subscription_id, None)
            case CallService() | CallDecision():
                self.calls[command.call_id] = command
            case CancelCall():
                self.calls.pop(command.call_id, None)
            case RaiseIncident():
                self.incidents[command.token_id] = command
            case ResolveIncident():
                self.incidents.pop(command.token_id, None)
            case SetStatus():
                self.status = command.value
            case PauseClock():
                self.pauses[command.token_id] = command.basis
            case ResumeClock():
                self.pauses.pop(command.token_id, None)
            case Finish():
                self.outcome = command.outcome.value
            case _:
                assert_never(command)
        return None

    def _wait(self, command: OpenSubscription, at: datetime, calendar: Calendar) -> None:
        self.waits[command.subscription_id] = command
        if command.kind is not SubscriptionKind.TIMER:
            return
        if command.due_at is not None:
            self.timers[command.subscription_id] = command.due_at
        elif command.due_text is not None:
            allowance = parse_allowance(command.due_text)
            self.timers[command.subscription_id] = due(
                at, allowance=allowance, calendar=calendar
            ).at
