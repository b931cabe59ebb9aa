"""Time: where instants come from, and arithmetic that counts office hours only.

The arithmetic is pure: it takes aware instants and a calendar, and never asks for the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from dossier.calendar import HERE, Calendar, local_day
from dossier.rule_errors import DeadlineRefused

_DAY = timedelta(days=1)


class Clock(Protocol):
    """Tell the present instant; faces and jobs receive one, pure functions receive an instant."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...


class SystemClock:
    """The clock of the machine, the one place that asks the operating system."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


@dataclass(kw_only=True, slots=True)
class VirtualClock:
    """A mutable clock that stands still until it is moved forward, for tests and simulation."""

    at: datetime  # aware

    def now(self) -> datetime:
        """Return the instant at which the clock stands, in UTC."""
        return self.at.astimezone(UTC)

    def forward_to(self, instant: datetime) -> None:
        """Move to a later instant; raise `DeadlineRefused` for an earlier one."""
        if instant < self.at:
            raise DeadlineRefused(
                f"expected an instant after {self.at}, got {instant}", reason="clock_moved_back"
            )
        self.at = instant

    def forward(self, amount: timedelta) -> None:
        """Move forward by a duration that is not negative."""
        self.forward_to(self.at + amount)


def add_working(start: datetime, *, amount: timedelta, calendar: Calendar) -> datetime:
    """Return the instant at which `amount` of office time has passed since `start`.

    A result on the edge of a slot is the end of the earlier slot. Adding nothing returns
    `start` unchanged, even outside office hours. Raises `CalendarYearMissing`.
    """
    if amount < timedelta():
        raise DeadlineRefused(f"expected an amount of at least zero, got {amount}", reason="amount")
    if not amount:
        return start
    left = amount
    for begin, end in _open_from(start, calendar):
        if left <= end - begin:
            return (begin + left).astimezone(UTC)
        left -= end - begin
    raise AssertionError("office hours end only where the calendar raises")


def working_between(start: datetime, *, end: datetime, calendar: Calendar) -> timedelta:
    """Return the office time between two instants, zero when `end` is not later."""
    total = timedelta()
    if end <= start:
        return total
    last = local_day(end)
    for opening, closing in _open_from(start, calendar, last=last):
        total += max(min(closing, end) - opening, timedelta())
    return total


def settle(instant: datetime, *, calendar: Calendar) -> datetime:
    """Return the same working instant on the earlier side of a slot edge.

    The end of a slot and the start of the next are one working instant printed in two ways;
    two results are compared after this. Outside office hours it is the last closing time.
    """
    day = local_day(instant)
    while True:
        for opening, closing in reversed(_opened(day, calendar)):
            if opening < instant:
                return min(instant, closing).astimezone(UTC)
        day -= _DAY


def closing_time(day: date, *, calendar: Calendar) -> datetime:
    """Return the end of office hours of a working day; raise `DeadlineRefused` for a day off."""
    opened = _opened(day, calendar)
    if not opened:
        raise DeadlineRefused(f"expected a working day, got {day}", reason="day_off")
    return opened[-1][1].astimezone(UTC)


def next_working_day(day: date, *, calendar: Calendar) -> date:
    """Return the first working day after `day`."""
    return add_working_days(day, count=1, calendar=calendar)


def add_working_days(day: date, *, count: int, calendar: Calendar) -> date:
    """Return the `count`-th working day after `day`; `day` itself is not counted."""
    while count > 0:
        day += _DAY
        count -= calendar.is_working_day(day)
    return day


def working_days_between(start: date, *, end: date, calendar: Calendar) -> int:
    """Return the number of working days after `start` up to and including `end`."""
    days = (start + _DAY * offset for offset in range(1, (end - start).days + 1))
    return sum(calendar.is_working_day(day) for day in days)


def _open_from(
    start: datetime, calendar: Calendar, *, last: date | None = None
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of office time from `start` on, the first one cut at `start`."""
    day = local_day(start)
    while last is None or day <= last:
        for opening, closing in _opened(day, calendar):
            if closing > start:
                yield max(opening, start), closing
        day += _DAY


def _opened(day: date, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    return [
        (datetime.combine(day, slot.start, HERE), datetime.combine(day, slot.end, HERE))
        for slot in calendar.slots(day)
    ]
