"""Constructors of temporal values and functions on them (DMN 1.5, tables 73, 79 and 80)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from workflows.expressions import numbers
from workflows.expressions.builtins.signature import (
    NUMBER,
    STRING,
    budgeted,
    nullable,
    parameter,
    plain,
    table,
)
from workflows.expressions.errors import InstantMissing
from workflows.expressions.numbers import integer
from workflows.expressions.runtime import Feel, Function, Run
from workflows.expressions.temporal import (
    NANOS,
    Date,
    DateTime,
    DaysTime,
    Time,
    YearsMonths,
    at_instant,
    new_date,
    new_time,
)
from workflows.expressions.temporal_text import (
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from workflows.expressions.types import NAMED
from workflows.expressions.values import LOCAL_ZONE
from workflows.expressions.zones import UTC as ZULU
from workflows.expressions.zones import Offset, Zone, parse_offset

_WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _date(year: Decimal, month: Decimal, day: Decimal) -> Feel:
    parts = [integer(part) for part in (year, month, day)]
    return None if None in parts else new_date(*(part for part in parts if part is not None))


def _date_of(value: Date | DateTime) -> Feel:
    return value.date if isinstance(value, DateTime) else value


def _time(hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTime | None = None) -> Feel:
    zone = None if offset is None else _offset(offset)
    if offset is not None and zone is None:
        return None
    whole_hour, whole_minute = integer(hour), integer(minute)
    nanos = integer(numbers.CONTEXT.scaleb(second, 9)) if second.adjusted() < 3 else None
    if whole_hour is None or whole_minute is None or nanos is None:
        return None
    return new_time(whole_hour, whole_minute, nanos // NANOS, nanos % NANOS, zone)


def _offset(value: DaysTime) -> Zone | None:
    seconds, rest = divmod(value.nanos, NANOS)
    return Offset(seconds) if not rest and abs(seconds) <= 14 * 3600 else None


def _time_of(value: Time | DateTime | Date) -> Feel:
    if isinstance(value, Date):
        return Time(0, 0, 0, 0, ZULU)
    return value.time if isinstance(value, DateTime) else value


def _combined(date: Date | DateTime, time: Time) -> Feel:
    return DateTime(date.date if isinstance(date, DateTime) else date, time)


def _date_time_of(value: Date | DateTime) -> Feel:
    return value if isinstance(value, DateTime) else DateTime(value, Time(0, 0, 0, 0, ZULU))


def _from_parts(*parts: Decimal | DaysTime | str) -> Feel:
    """Return the value of year, month, day, hour, minute, second and an offset or a region."""
    numbers_given = [part for part in parts[:6] if isinstance(part, Decimal)]
    date = _date(*numbers_given[:3])
    where = parts[6] if len(parts) > 6 else None
    zone = parse_offset(f"@{where}") if isinstance(where, str) else None
    clock = numbers_given[3:6]
    time = _time(clock[0], clock[1], clock[2], where if isinstance(where, DaysTime) else None)
    if not isinstance(date, Date) or not isinstance(time, Time):
        return None
    if isinstance(where, str):
        time = None if zone is None else Time(time.hour, time.minute, time.second, time.nano, zone)
    return None if time is None else DateTime(date, time)


def _months_between(start: Date | DateTime, end: Date | DateTime) -> Feel:
    """Return the whole months from the day of `start` to that of `end`, towards zero."""
    first, last = _day(start), _day(end)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return YearsMonths(months)


def _day(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


def _now(run: Run) -> Feel:
    if run.at is None:
        raise InstantMissing("expected an instant for now(), got none")
    distance = run.at - _EPOCH
    micros = (distance.days * 86_400 + distance.seconds) * 1_000_000 + distance.microseconds
    return at_instant(micros * 1000, LOCAL_ZONE)


def _today(run: Run) -> Feel:
    present = _now(run)
    return present.date if isinstance(present, DateTime) else None


def _day_of_year(value: Date | DateTime) -> Feel:
    date = _day(value)
    return Decimal(date.number - Date(date.year, 1, 1).number + 1)


def _week_of_year(value: Date | DateTime) -> Feel:
    """Return the week of ISO 8601: the one that has the same Thursday."""
    date = _day(value)
    thursday = date.number - date.weekday + 4
    year = next(y for y in (date.year + 1, date.year, date.year - 1)
                if Date(y, 1, 1).number <= thursday)  # fmt: skip
    return Decimal((thursday - Date(year, 1, 1).number) // 7 + 1)


_DATE: Final = NAMED["date"]
_DATE_TIME: Final = NAMED["date and time"]
_DAYS_TIME: Final = NAMED["days and time duration"]
_CLOCK: Final = (
    parameter("hour", NUMBER),
    parameter("minute", NUMBER),
    parameter("second", NUMBER),
)
_CALENDAR: Final = (
    parameter("year", NUMBER),
    parameter("month", NUMBER),
    parameter("day", NUMBER),
)
_OF_DATE: Final = (parameter("date", _DATE), parameter("date", _DATE_TIME))

FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "date": (
            plain(parse_date, parameter("from", STRING)),
            plain(_date_of, parameter("from", _DATE)),
            plain(_date_of, parameter("from", _DATE_TIME)),
            plain(_date, *_CALENDAR),
        ),
        "time": (
            plain(parse_time, parameter("from", STRING)),
            plain(_time_of, parameter("from", NAMED["time"])),
            plain(_time_of, parameter("from", _DATE)),
            plain(_time_of, parameter("from", _DATE_TIME)),
            plain(_time, *_CLOCK, nullable("offset", _DAYS_TIME), optional=1),
        ),
        "date and time": (
            plain(parse_date_time, parameter("from", STRING)),
            plain(_date_time_of, parameter("from", _DATE)),
            plain(_date_time_of, parameter("from", _DATE_TIME)),
            plain(_combined, parameter("date", _DATE), parameter("time", NAMED["time"])),
            plain(_combined, parameter("date", _DATE_TIME), parameter("time", NAMED["time"])),
            plain(_from_parts, *_CALENDAR, *_CLOCK, nullable("offset", _DAYS_TIME), optional=1),
            plain(_from_parts, *_CALENDAR, *_CLOCK, parameter("timezone", STRING)),
        ),
        "duration": (plain(parse_duration, parameter("from", STRING)),),
        "years and months duration": tuple(
            plain(_months_between, parameter("from", start), parameter("to", end))
            for start in (_DATE, _DATE_TIME)
            for end in (_DATE, _DATE_TIME)
        ),
        "now": (budgeted(_now),),
        "today": (budgeted(_today),),
        "day of year": tuple(plain(_day_of_year, of) for of in _OF_DATE),
        "day of week": tuple(
            plain(lambda value: _WEEKDAYS[_day(value).weekday - 1], of) for of in _OF_DATE
        ),
        "month of year": tuple(
            plain(lambda value: _MONTHS[_day(value).month - 1], of) for of in _OF_DATE
        ),
        "week of year": tuple(plain(_week_of_year, of) for of in _OF_DATE),
    }
)
