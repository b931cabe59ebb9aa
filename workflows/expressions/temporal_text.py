"""Temporal values as text, both ways: the lexical forms of XML Schema and ISO 8601 that FEEL has.

A text that is no such value gives None. Every pattern here matches in linear time.
"""

from __future__ import annotations

import re
from typing import Final

from workflows.expressions.temporal import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DaysTime,
    Duration,
    Moment,
    Time,
    YearsMonths,
    date_of_number,
    new_date,
    new_time,
)
from workflows.expressions.zones import parse_offset

_DATE: Final = re.compile(r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d\d)-(\d\d)", re.ASCII)
_TIME: Final = re.compile(r"T?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz+\-@].*)?", re.ASCII)
_DURATION: Final = re.compile(
    r"(-?)P(?:(\d{1,18})Y)?(?:(\d{1,18})M)?(?:(\d{1,18})D)?"
    r"(T(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{1,18})(?:\.(\d{1,9})\d*)?S)?)?",
    re.ASCII,
)
_END_OF_DAY: Final = re.compile(r"24:00:00(?:\.0{1,9})?(?![\d.])")
_MAX_TEXT: Final = 100
_MAX_NANOS: Final = 10**19 * NANOS


def parse_date(text: str) -> Date | None:
    """Return the date of `2026-11-23`; years of more digits and before 0001 are allowed."""
    match = _DATE.fullmatch(text) if len(text) <= _MAX_TEXT else None
    return None if match is None else new_date(int(match[1]), int(match[2]), int(match[3]))


def parse_time(text: str) -> Time | None:
    """Return the time of `10:30:00`, with a fraction and `Z`, `+07:00` or `@Region` at will."""
    match = _TIME.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        return None
    zone = parse_offset(match[5]) if match[5] else None
    if match[5] and zone is None:
        return None
    nano = int((match[4] or "").ljust(9, "0"))
    return new_time(int(match[1]), int(match[2]), int(match[3]), nano, zone)


def parse_date_time(text: str) -> DateTime | None:
    """Return the value of `2026-11-23T10:30:00+07:00`; a date alone is its midnight."""
    day, separator, clock = text.partition("T")
    date = parse_date(day)
    if date is None or not separator:
        return None if date is None else DateTime(date, Time(0, 0, 0))
    # XML Schema: the end of a day is the first instant of the next one.
    end = _END_OF_DAY.match(clock)
    if end:
        clock = "00:00:00" + clock[end.end() :]
    day_after = date_of_number(date.number + 1) if end else date
    time = None if clock.startswith("T") else parse_time(clock)
    return None if time is None or day_after is None else DateTime(day_after, time)


def parse_duration(text: str) -> Duration | None:
    """Return the duration of `P1Y2M` or `P1DT2H3M4.5S`; a mix of both kinds is none."""
    match = _DURATION.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None or match[5] == "T":
        return None
    years, months, days, _, hours, minutes, seconds = match.group(2, 3, 4, 5, 6, 7, 8)
    sign = -1 if match[1] else 1
    small = (days, hours, minutes, seconds)
    if years is not None or months is not None:
        if any(part is not None for part in small):
            return None
        return YearsMonths(sign * (int(years or 0) * 12 + int(months or 0)))
    if all(part is None for part in small):
        return None
    whole = int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes or 0) * 60
    nanos = (whole + int(seconds or 0)) * NANOS + int((match[9] or "").ljust(9, "0"))
    return DaysTime(sign * nanos) if nanos <= _MAX_NANOS else None


def parse_literal(text: str) -> Moment | Duration | None:
    """Return the value of an `@"…"` literal, whichever kind its form shows (rule 65)."""
    if re.match(r"-?P", text):
        return parse_duration(text)
    if re.match(r"-?\d{4,}-", text):
        return parse_date_time(text) if "T" in text else parse_date(text)
    return parse_time(text)


def text_of(value: Moment | Duration) -> str:
    """Return the canonical text of a temporal value."""
    match value:
        case Date():
            return _date_text(value)
        case Time():
            return _time_text(value)
        case DateTime(date, time):
            return f"{_date_text(date)}T{_time_text(time)}"
        case DaysTime(nanos):
            return _days_time_text(nanos)
        case YearsMonths(months):
            return _years_months_text(months)


def _date_text(date: Date) -> str:
    sign = "-" if date.year < 0 else ""
    return f"{sign}{abs(date.year):04}-{date.month:02}-{date.day:02}"


def _time_text(time: Time) -> str:
    fraction = f".{time.nano:09}".rstrip("0") if time.nano else ""
    zone = "" if time.zone is None else str(time.zone)
    return f"{time.hour:02}:{time.minute:02}:{time.second:02}{fraction}{zone}"


def _years_months_text(months: int) -> str:
    sign = "-" if months < 0 else ""
    years, rest = divmod(abs(months), 12)
    shown = (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")
    return f"{sign}P{shown or '0M'}"


def _days_time_text(total: int) -> str:
    days, nanos = divmod(abs(total), DAY_NANOS)
    seconds, nano = divmod(nanos, NANOS)
    fraction = f".{nano:09}".rstrip("0") if nano else ""
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction:
        clock += f"{seconds}{fraction}S"
    shown = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{'-' if total < 0 else ''}P{shown or 'T0S'}"
