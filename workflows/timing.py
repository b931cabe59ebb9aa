"""Timer texts: ISO 8601 dates, durations, repetitions, and working time, which the host computes.

Arithmetic only: the instant is an argument, so a cycle after downtime is one division, no catch-up.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from workflows.errors import TimerUnusable
from workflows.graph import TimerForm

# Dates without an offset are the country's own time (domain.md §9), never the server's.
ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
MINIMUM_INTERVAL: Final = timedelta(seconds=1)
MAXIMUM_YEARS: Final = 100

# What dossier.deadline counts on the working calendar; the host hands it over.
_WORKING: Final = re.compile(r"(?:0|[1-9][0-9]{0,3})(?:wd|wh|d|mo)")
_DURATION: Final = re.compile(
    r"P(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?"
    r"(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
# Cron of five to seven fields is known, so that it is refused as a time, not as an expression.
_FIELD: Final = r"[\d*/?,-]+"
_CRON: Final = re.compile(
    rf"(?=.*(?:^| )[*?](?: |$)){_FIELD}(?: {_FIELD}){{2}}(?: [\w*/?,#-]+){{2,4}}"
)
_CYCLE: Final = re.compile(r"R(?P<count>\d{0,6})/(?P<rest>.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Duration:
    """A positive ISO 8601 duration: months are counted on the calendar, the rest exactly."""

    months: int
    exact: timedelta

    def __str__(self) -> str:
        months = f"{self.months}M" if self.months else ""
        seconds = f"T{self.exact.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"
        return f"P{months}{seconds if self.exact else ''}"

    def after(self, instant: datetime, times: int = 1) -> datetime:
        """Return the instant `times` durations after `instant`, in its own time zone."""
        moved = _add_months(instant, self.months * times)
        try:
            return moved + self.exact * times
        except OverflowError as exc:
            raise _unusable(f"P{self.months}M + {self.exact}") from exc


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """A repetition; `count` None is without end."""

    count: int | None
    start: datetime | None
    every: Duration

    def next_due(self, armed: datetime, at: datetime) -> tuple[datetime, int]:
        """Return the first due instant after `at` and how many were missed before it.

        Every instant is counted from the same origin, so the last day of a month stays one.
        """
        origin = self.start or armed
        first = 0 if self.start else 1
        index = first
        if self.every.months == 0:
            index = max(first, (at - origin) // self.every.exact + 1)
        while self.every.after(origin, index) <= at:
            index += 1
        return self.every.after(origin, index), index - first


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingTime:
    """An allowance of the working calendar (`3wd`, `8wh`, `15d`, `2mo`); the host computes it."""

    text: str


Timer = datetime | Duration | Cycle | WorkingTime


def is_literal(text: str) -> bool:
    """Tell whether a timer text is a literal, right or wrong, and not an expression."""
    return bool(
        re.match(r"-?P[\dT]|R\d*/|\d{4}-|-\d", text)
        or _WORKING.fullmatch(text)
        or _CRON.fullmatch(text)
    )


def parse_timer(text: str, form: TimerForm) -> Timer:
    """Return the timer that `text` names; raise `TimerUnusable` for a wrong or impossible one."""
    if form is TimerForm.DATE:
        return parse_instant(text)
    if _WORKING.fullmatch(text):
        if form is TimerForm.CYCLE:
            raise _unusable(text)
        return WorkingTime(text=text)
    if form is TimerForm.DURATION:
        return parse_duration(text)
    return parse_cycle(text)


def parse_instant(text: str) -> datetime:
    """Return the instant of an ISO 8601 date or date-time, aware."""
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=ZONE)
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise _unusable(text) from exc
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=ZONE)


def parse_duration(text: str) -> Duration:
    """Return a positive duration; negative, empty and absurd ones are refused."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise _unusable(text)
    part = {name: value or "0" for name, value in match.groupdict().items()}
    months = int(part["years"]) * 12 + int(part["months"])
    exact = timedelta(
        weeks=int(part["weeks"]),
        days=int(part["days"]),
        hours=int(part["hours"]),
        minutes=int(part["minutes"]),
        seconds=float(part["seconds"]),
    )
    if months > MAXIMUM_YEARS * 12 or exact > timedelta(days=366 * MAXIMUM_YEARS):
        raise _unusable(text)
    return Duration(months=months, exact=exact)


def parse_cycle(text: str) -> Cycle:
    """Return a repetition `R3/PT10M`, `R/2024-01-01T00:00:00Z/P1D`; cron is refused."""
    match = _CYCLE.fullmatch(text)
    if match is None:
        raise _unusable(text)
    count = int(match["count"]) if match["count"] else None
    start_text, separator, every_text = match["rest"].rpartition("/")
    every = parse_duration(every_text)
    if count == 0 or (every.months == 0 and every.exact < MINIMUM_INTERVAL):
        raise _unusable(text)
    start = parse_instant(start_text) if separator else None
    return Cycle(count=count, start=start, every=every)


def in_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC, the only zone inside the system."""
    return instant.astimezone(UTC)


def _add_months(instant: datetime, months: int) -> datetime:
    if not months:
        return instant
    whole = instant.year * 12 + instant.month - 1 + months
    year, month = divmod(whole, 12)
    if year > 9999:
        raise _unusable(f"P{months}M")
    day = min(instant.day, calendar.monthrange(year, month + 1)[1])
    return instant.replace(year=year, month=month + 1, day=day)


def _unusable(text: str) -> TimerUnusable:
    return TimerUnusable(
        f"expected an ISO 8601 date, duration or cycle, or working time, got {text[:60]!r}",
        timer=text[:60],
    )
