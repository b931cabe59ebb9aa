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
)
from workflows.definition import Definition
from workflows.expressions import Value
from workflows.timing import parse_duration

Outgoing: TypeAlias = "SendMessage | BroadcastSignal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hush:
    """A rule of silence and since when it waits."""

    command: OpenSubscription
    opened: datetime
    due: datetime


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
    opened: dict[str, datetime] = field(default_factory=dict)  # since when each wait waits
    timers: dict[str, datetime] = field(default_factory=dict)
    alarms: dict[str, datetime] = field(default_factory=dict)  # timer starts, before it runs
    calls: dict[str, CallService | CallDecision] = field(default_factory=dict)
    incidents: dict[str, RaiseIncident] = field(default_factory=dict)
    pauses: dict[str, str] = field(default_factory=dict)  # token → basis
    spans: dict[tuple[str, datetime], datetime] = field(default_factory=dict)  # that were counted
    silences: dict[str, Hush] = field(default_factory=dict)  # by the ref of wait or timer
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
        ref = command.subscription_id
        self.waits[ref] = command
        self.opened[ref] = at
        if command.due_at is not None:
            self.timers[ref] = command.due_at
        elif command.due_text is not None:
            # Those who are asked at once have the same span: it is counted once.
            asked = (command.due_text, at)
            if asked not in self.spans:
                self.spans[asked] = span_end(command.due_text, at=at, calendar=calendar)
            self.timers[ref] = self.spans[asked]
        if command.silence is not None and ref in self.timers:
            self.silences[ref] = Hush(command=command, opened=at, due=self.timers[ref])


def span_end(text: str, *, at: datetime, calendar: Calendar) -> datetime:
    """Return the end of a span that begins at an instant: working time or an ISO duration."""
    if text.startswith("P"):
        return parse_duration(text).after(at)
    return due(at, allowance=parse_allowance(text), calendar=calendar).at
