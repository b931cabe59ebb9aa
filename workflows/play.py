"""Play a procedure in memory: its pools, mock partners, a virtual clock; nothing leaves.

Scenarios, simulations and tests drive it. A pool that is not played is a mock partner: what is
sent to it is kept, and what it would send is put in by hand. One instance per pool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.calendar import Calendar
from dossier.canonical import Json
from dossier.clock import VirtualClock
from dossier.deadline import due, parse_allowance
from workflows import instance as engine
from workflows import papers
from workflows.alarms import start_alarms
from workflows.commands import BroadcastSignal, CallDecision, HistoryEvent, OpenTask, SendMessage
from workflows.expressions import Value
from workflows.facts import (
    Fact,
    MessageArrived,
    MessageStart,
    ServiceAnswered,
    ServiceFailed,
    SignalRaised,
    TaskCompleted,
    TimerFired,
)
from workflows.graph import EventKind
from workflows.postplay import Post, Posts
from workflows.procedure import Procedure
from workflows.quietplay import Quiet, Sent
from workflows.rows import Run
from workflows.scenario_errors import PlayRefused
from workflows.starts import other_starts
from workflows.timing import parse_duration

_MOST_TIMERS: Final = 1_000  # fired by one move of the clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """One line of what happened, in order over all pools."""

    at: datetime
    role: str
    element_id: str
    event: HistoryEvent


class Play:
    """The pools of one procedure, running together."""

    def __init__(
        self, procedure: Procedure, *, roles: Iterable[str], at: datetime, calendar: Calendar
    ) -> None:
        self.procedure = procedure
        self.calendar = calendar
        self.clock = VirtualClock(at=at)
        self.runs = {role: Run(role=role, definition=procedure.definition(role)) for role in roles}
        self.trace: list[Trace] = []
        self._parameters = dict(procedure.parameter_values)
        self.sent: list[Sent] = []
        self._under_way: deque[Sent] = deque()  # between played pools, not yet taken
        for run in self.runs.values():
            run.alarms = start_alarms(
                run.definition, at=at, calendar=calendar, values={"param": self._parameters}
            )
        self.quiet = Quiet(self.sent, calendar=calendar)
        self.posts = Posts(self.sent, self._under_way, self.runs, quiet=self.quiet)

    # --- what a person, a partner or the clock does -------------------------------------------

    def start(
        self, role: str, *, values: Mapping[str, Json] | None = None, event: str = ""
    ) -> None:
        """Open the instance of a pool at its none start event, or at the one that is named."""
        run = self._run(role)
        if run.is_started:
            raise PlayRefused(f"expected {role} not to run yet", element=role, reason="started")
        run.values.update(papers.plain_values(values or {}))
        self._start(run, MessageStart(element_id=event) if event else None)
        self._settle()

    def complete(
        self, element_id: str, *, values: Mapping[str, Json] | None = None, which: int = 0
    ) -> None:
        """Complete the open task of an element, with what its form says.

        `which` picks one of several open instances of the element. Raises `PlayRefused` when none
        is open, when the values do not fit the form, or when a document is missing.
        """
        run, task = self.open_task(element_id, which=which)
        found = papers.read_form(self.procedure, task, values or {})
        documents = run.documents | papers.produced(self.procedure, task, found)
        self._demand(documents, (*task.documents_out, *task.sign_documents), element_id)
        run.documents = documents
        entered = papers.form_values(self.procedure, task.form, found)
        if task.register:
            run.numbers[task.register] = run.numbers.get(task.register, 0) + 1
            entered[f"{task.register}_number"] = papers.numbered(
                self.procedure,
                task.register,
                sequence=run.numbers[task.register],
                at=self.clock.at,
            )
        self._apply(run, TaskCompleted(task_id=task.task_id, values=entered))
        self._settle()

    def receive(self, message_type: str, *, values: Mapping[str, Json] | None = None) -> None:
        """Let a mock partner send a message to the pool that the procedure names."""
        declared = self.procedure.messages.get(message_type)
        if declared is None:
            raise PlayRefused(
                "expected a declared message type", element=message_type, reason="unknown_message"
            )
        payload = papers.checked(
            self.procedure, declared.payload, values or {}, element_id=message_type
        )
        message = Sent(
            at=self.clock.at,
            message_type=message_type,
            from_role=declared.source,
            to_role=declared.to,
            documents=declared.documents,
            values=papers.form_values(self.procedure, declared.payload, payload),
        )
        self._under_way.append(message)
        self._settle()

    def answer(self, element_id: str, *, values: Mapping[str, Json] | None = None) -> None:
        """Answer the open service or decision call of an element."""
        run, call = self._call(element_id)
        self._apply(run, ServiceAnswered(call_id=call, values=papers.plain_values(values or {})))
        run.calls.pop(call, None)
        self._settle()

    def fail(self, element_id: str, *, code: str) -> None:
        """Let the open service or decision call of an element fail for good."""
        run, call = self._call(element_id)
        self._apply(run, ServiceFailed(call_id=call, code=code))
        run.calls.pop(call, None)
        self._settle()

    def signal(self, name: str) -> None:
        """Raise a signal: everybody who waits for it gets it, and it opens what begins with it."""
        self._raise(name, self.runs.values())
        self._settle()

    def forward_to(self, instant: datetime) -> None:
        """Move the clock, and fire what falls due on the way, the earliest first."""
        for _ in range(_MOST_TIMERS):
            upcoming = [
                (when, timer, run)
                for run in self.runs.values()
                for timer, when in (run.timers if run.is_started else run.alarms).items()
            ]
            if not upcoming or min(upcoming, key=_due_order)[0] > instant:
                self.clock.forward_to(instant)
                return
            when, timer, run = min(upcoming, key=_due_order)
            self.clock.forward_to(max(when, self.clock.at))
            if run.is_started:
                self._fire(run, timer)
            else:
                self._start(run, MessageStart(element_id=timer))
            self._settle()
        raise PlayRefused(
            f"expected at most {_MOST_TIMERS} timers, got more", element="", reason="timers"
        )

    def forward(self, allowance: str) -> None:
        """Move the clock by an allowance such as `3wd`, or by a duration of ISO 8601."""
        if allowance.startswith("P"):
            self.forward_to(parse_duration(allowance).after(self.clock.at))
            return
        parsed = parse_allowance(allowance)
        self.forward_to(due(self.clock.at, allowance=parsed, calendar=self.calendar).at)

    # --- what can be seen ---------------------------------------------------------------------

    def open_task(self, element_id: str, *, which: int = 0) -> tuple[Run, OpenTask]:
        """Return the open task of an element and the pool it belongs to."""
        found = [
            (run, task)
            for run in self.runs.values()
            for task in run.tasks.values()
            if task.element_id == element_id
        ]
        if which >= len(found):
            raise PlayRefused(
                f"expected an open task {element_id}, got none",
                element=element_id,
                reason="not_open",
            )
        return found[which]

    def open_elements(self) -> tuple[str, ...]:
        """Return the elements of all open tasks, in order of opening."""
        return tuple(task.element_id for run in self.runs.values() for task in run.tasks.values())

    def next_due(self) -> datetime | None:
        """Return when the next timer falls due."""
        return min((at for run in self.runs.values() for at in run.timers.values()), default=None)

    @property
    def undelivered(self) -> tuple[Sent, ...]:
        """Return the messages that no pool waits for yet."""
        return tuple(self._under_way)

    def lose(self, message_type: str) -> None:
        """Let messages of a type leave without a receipt from now on."""
        self.quiet.lost.add(message_type)

    def post(self, post: Post, subject: str) -> None:
        """Refuse, redirect, take back, replace or add to messages of a type, or merge an agency."""
        self.posts.do(post, subject, at=self.clock.at)
        self._settle()

    # --- the walk -----------------------------------------------------------------------------

    def _run(self, role: str) -> Run:
        if role not in self.runs:
            raise PlayRefused("expected a played role", element=role, reason="not_played")
        return self.runs[role]

    def _call(self, element_id: str) -> tuple[Run, str]:
        for run in self.runs.values():
            for identifier, call in run.calls.items():
                if call.element_id == element_id:
                    return run, identifier
        raise PlayRefused("expected an open call", element=element_id, reason="not_open")

    def _start(self, run: Run, trigger: MessageStart | None) -> None:
        number = UUID(int=list(self.runs).index(run.role) + 1)
        self._record(
            run,
            engine.start(
                run.definition,
                instance_id=str(number),
                trigger=trigger,
                values=self._seen(run),
                at=self.clock.now(),
            ),
        )

    def _apply(self, run: Run, fact: Fact) -> None:
        self._record(
            run,
            engine.apply(
                run.definition,
                run.snapshot,
                fact,
                values=self._seen(run),
                at=self.clock.now(),
            ),
        )

    def _fire(self, run: Run, timer: str) -> None:
        """Fire a timer; one with a rule of silence only if the rule falls."""
        found = self.quiet.judge(run, timer, at=self.clock.now())
        if found is not None:
            self._apply(run, TimerFired(subscription_id=timer, values=found))

    def _seen(self, run: Run) -> dict[str, Value]:
        return {**run.values, "param": self._parameters}

    def _record(self, run: Run, transition: engine.Transition) -> None:
        run.snapshot = transition.snapshot
        run.active = transition.active
        run.values.update(transition.writes)
        at, role = self.clock.at, run.role
        self.trace += [
            Trace(at=at, role=role, element_id=entry.element_id, event=entry.event)
            for entry in transition.history
        ]
        for command in transition.commands:
            leaving = run.obey(command, at=at, calendar=self.calendar)
            if isinstance(leaving, SendMessage):
                self._send(run, leaving)
            elif leaving is not None:
                self._broadcast(run, leaving)
            elif isinstance(command, CallDecision) and self.procedure.decisions:
                self._decide(run, command)

    def _decide(self, run: Run, call: CallDecision) -> None:
        """Answer a decision from the procedure's tables; without an answer the call stays open."""
        found = papers.decided(self.procedure, call, values=self._seen(run), at=self.clock.at)
        if found is not None:
            self._apply(run, ServiceAnswered(call_id=call.call_id, values=found))
            run.calls.pop(call.call_id, None)

    def _send(self, run: Run, command: SendMessage) -> None:
        declared = self.procedure.messages[command.message_type]
        names = command.values
        if names is None:
            seen = {**run.values, **command.locals}
            names = {name: seen[name] for name in declared.values if name in seen}
        documents = command.documents or declared.documents
        self._demand(run.documents, documents, command.element_id)
        papers.checked(
            self.procedure,
            declared.payload,
            papers.json_values(names),
            element_id=command.element_id,
        )
        message = Sent(
            at=self.clock.at,
            message_type=command.message_type,
            from_role=run.role,
            to_role=command.to_role or declared.to,
            documents=documents,
            values=names,
        )
        self.posts.leave(message)

    def _demand(self, documents: frozenset[str], kinds: tuple[str, ...], element_id: str) -> None:
        if self.procedure.documents:
            papers.demand(documents, kinds, element_id=element_id)

    def _broadcast(self, run: Run, command: BroadcastSignal) -> None:
        self._raise(command.name, [other for other in self.runs.values() if other is not run])

    def _raise(self, name: str, runs: Iterable[Run]) -> None:
        for run in runs:
            if run.is_started:
                if not run.outcome:
                    self._apply(run, SignalRaised(name=name))
                continue
            for start in other_starts(run.definition):
                if start.kind is EventKind.SIGNAL and start.name == name:
                    self._start(run, MessageStart(element_id=start.element_id))
                    break

    def _settle(self) -> None:
        """Hand over messages until nobody waits for one of those under way."""
        handed = True
        while handed:
            handed = any([self._hand_over(message) for message in tuple(self._under_way)])

    def _hand_over(self, message: Sent) -> bool:
        if not message.to_role:  # no message flow says to whom: whoever waits for it
            others = [run for run in self.runs.values() if run.role != message.from_role]
            return any(self._hand_to(run, message) for run in others)
        run = self.runs.get(message.to_role)
        if run is None:
            raise PlayRefused(
                "expected a played role", element=message.to_role, reason="not_played"
            )
        return self._hand_to(run, message)

    def _hand_to(self, run: Run, message: Sent) -> bool:
        if not run.is_started:
            started = [
                found
                for found in self.procedure.message_starts(run.role)
                if found.message_type == message.message_type
            ]
            if not started:
                return False
            self._take(run, message)
            self._start(run, MessageStart(message_type=message.message_type, values=message.values))
            return True
        for identifier, wait in run.waits.items():
            if wait.message_type == message.message_type and wait.from_role in (
                None,
                message.from_role,
            ):
                self._take(run, message)
                self._apply(run, MessageArrived(subscription_id=identifier, values=message.values))
                return True
        if self.quiet.is_late(run, message):
            self._take(run, message)
            self.quiet.late.append(message)
            return True
        return False

    def _take(self, run: Run, message: Sent) -> None:
        self._under_way.remove(message)
        run.documents |= frozenset(message.documents)


def _due_order(upcoming: tuple[datetime, str, Run]) -> tuple[datetime, str]:
    return upcoming[0], upcoming[1]
