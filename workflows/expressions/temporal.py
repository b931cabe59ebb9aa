"""FEEL's temporal values: dates of any year up to nine digits, times to the nanosecond, durations.

Python's own types stop at the year 9999 and at microseconds, so these stand beside them; `values`
converts at the door. The calendar is the proleptic Gregorian one (DMN 1.5, 10.3.2.3.4 to .9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from workflows.expressions.zones import Zone, offset_at, offset_of_instant

MAX_YEAR: Final = 999_999_999
NANOS: Final = 1_000_000_000
DAY_SECONDS: Final = 86_400
DAY_NANOS: Final = DAY_SECONDS * NANOS
_CYCLE_DAYS: Final = 146_097  # days of 400 years
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """A day of the calendar, without a zone."""

    year: int
    month: int
    day: int

    @property
    def number(self) -> int:
        """The count of days since 1970-01-01."""
        year = self.year - (self.month <= 2)
        era, year_of_era = divmod(year, 400)
        day_of_year = (153 * ((self.month + 9) % 12) + 2) // 5 + self.day - 1
        day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
        return era * _CYCLE_DAYS + day_of_era - 719_468

    @property
    def weekday(self) -> int:
        """The day of the week: 1 is Monday, 7 is Sunday."""
        return (self.number + 3) % 7 + 1


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day; without `zone` it is local time of nowhere in particular."""

    hour: int
    minute: int
    second: int
    nano: int = 0
    zone: Zone | None = None

    @property
    def nanos(self) -> int:
        """The nanoseconds since midnight on this clock."""
        return (self.hour * 3600 + self.minute * 60 + self.second) * NANOS + self.nano

    @property
    def offset(self) -> int | None:
        """The distance from UTC in seconds, of a region in its standard time of 1970."""
        return None if self.zone is None else offset_at(self.zone, datetime(1970, 1, 1))  # noqa: DTZ001 - naive is the point


@dataclass(frozen=True, slots=True)
class DateTime:
    """A day and a time of day; the zone is the time's."""

    date: Date
    time: Time

    @property
    def offset(self) -> int | None:
        """The distance from UTC in seconds on this day, or None for local time."""
        return None if self.time.zone is None else offset_at(self.time.zone, self._clock())

    @property
    def instant(self) -> int:
        """The nanoseconds since 1970-01-01T00:00:00Z; local time counts as UTC."""
        local = self.date.number * DAY_NANOS + self.time.nanos
        return local - (self.offset or 0) * NANOS

    def _clock(self) -> datetime:
        """Return a naive datetime for zone look-ups; far years borrow the rules of a near one."""
        year = self.date.year
        near = year if 1 < year < 9999 else 2000 + year % 400 if year >= 9999 else 4 + year % 400
        time = self.time
        return datetime(near, self.date.month, self.date.day, time.hour, time.minute, time.second)  # noqa: DTZ001 - naive is the point


@dataclass(frozen=True, slots=True, order=True)
class DaysTime:
    """A days and time duration, in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True, order=True)
class YearsMonths:
    """A years and months duration, in months."""

    months: int


Moment: TypeAlias = Date | Time | DateTime
Duration: TypeAlias = DaysTime | YearsMonths


def new_date(year: int, month: int, day: int) -> Date | None:
    """Return the day, or None when the calendar has no such day."""
    if not (abs(year) <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Date(year, month, day) if day <= month_days(year, month) else None


def new_time(hour: int, minute: int, second: int, nano: int, zone: Zone | None) -> Time | None:
    """Return the time of day, or None when no clock shows it."""
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 and 0 <= nano < NANOS):
        return None
    return Time(hour, minute, second, nano, zone)


def month_days(year: int, month: int) -> int:
    """Return how many days the month has."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _MONTH_DAYS[month - 1]


def date_of_number(number: int) -> Date | None:
    """Return the day that is `number` days after 1970-01-01, or None past the last year."""
    era, day_of_era = divmod(number + 719_468, _CYCLE_DAYS)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = era * 400 + year_of_era + (month <= 2)
    return new_date(year, month, day_of_year - (153 * shifted + 2) // 5 + 1)


def time_of_nanos(nanos: int, zone: Zone | None) -> Time:
    """Return the time of day `nanos` after midnight, counted around the clock."""
    seconds, nano = divmod(nanos % DAY_NANOS, NANOS)
    return Time(seconds // 3600, seconds // 60 % 60, seconds % 60, nano, zone)


def at_instant(instant: int, zone: Zone | None) -> DateTime | None:
    """Return what calendars and clocks of `zone` show at `instant`, or None past the last year."""
    local = instant
    if zone is not None:
        utc = at_instant(instant, None)
        if utc is None:
            return None
        local += offset_of_instant(zone, utc._clock()) * NANOS
    date = date_of_number(local // DAY_NANOS)
    return None if date is None else DateTime(date, time_of_nanos(local, zone))


def add_months(date: Date, months: int) -> Date | None:
    """Return the same day `months` later, or the month's last day when it is shorter."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if abs(year) > MAX_YEAR:
        return None
    return Date(year, month + 1, min(date.day, month_days(year, month + 1)))
