"""When the timer start events of a process fall due, before any instance exists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from dossier.calendar import Calendar
from dossier.deadline import due, parse_allowance
from workflows.definition import Definition
from workflows.expressions import Value
from workflows.graph import EventKind, TimerForm
from workflows.starts import OtherStartEvent, other_starts
from workflows.timing import Cycle, Duration, Timer, WorkingTime, is_literal, parse_timer


def start_alarms(
    definition: Definition, *, at: datetime, calendar: Calendar, values: Mapping[str, Value]
) -> dict[str, datetime]:
    """Return the first instant of each timer start event that is deployed at `at`, by element."""
    found: dict[str, datetime] = {}
    for start in other_starts(definition):
        if start.kind is EventKind.TIMER and start.text:
            first = _first(_timer(definition, start, values, at), at, calendar)
            found[start.element_id] = min(first, found.get(start.element_id, first))
    return found


def next_alarm(
    definition: Definition,
    element: str,
    *,
    armed: datetime,
    at: datetime,
    calendar: Calendar,
    fired: int,
    values: Mapping[str, Value],
) -> datetime | None:
    """Return when a timer start event that has fired so often fires again after `at`, if ever.

    What was missed meanwhile is not made up for: a cycle fires at its next instant, another timer
    of the same event once, if it is still to come.
    """
    timers = [
        _timer(definition, start, values, armed)
        for start in other_starts(definition)
        if start.element_id == element and start.kind is EventKind.TIMER and start.text
    ]
    coming: list[datetime] = []
    for timer in timers:
        if isinstance(timer, Cycle) and (timer.count is None or fired < timer.count):
            coming.append(timer.next_due(armed, at)[0])
        elif not isinstance(timer, Cycle) and len(timers) > 1:
            coming.append(_first(timer, armed, calendar))
    return min((instant for instant in coming if instant > at), default=None)


def _timer(
    definition: Definition, start: OtherStartEvent, values: Mapping[str, Value], at: datetime
) -> Timer:
    text, form = start.text or "", start.timer or TimerForm.DURATION
    if is_literal(text):
        return parse_timer(text, form)
    value = definition.compiled.expressions[text].evaluate(values, at=at)
    if isinstance(value, datetime):
        return value
    if isinstance(value, timedelta):
        return Duration(months=0, exact=value)
    return parse_timer(str(value), form)


def _first(timer: Timer, at: datetime, calendar: Calendar) -> datetime:
    if isinstance(timer, WorkingTime):
        return due(at, allowance=parse_allowance(timer.text), calendar=calendar).at
    if isinstance(timer, datetime):
        return timer
    if isinstance(timer, Duration):
        return timer.after(at)
    return timer.next_due(at, at)[0]
