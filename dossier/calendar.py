"""Which days and hours an agency works: versioned, cited data, read once and never guessed.

A calendar is the week of an agency's office hours plus the days that differ from it. Layers
override rows of the calendar below them, so that a correction never edits what was in force.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from dossier.rule_errors import CalendarRefused, CalendarYearMissing
from dossier.texts import Bilingual

HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")  # legal time; storage is UTC

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TOP: Final = {"version", "first_year", "last_year", "basis", "hours", "row"}
_ROW: Final = {"day", "kind", "basis", "name"}


class DayKind(StrEnum):
    """How a listed day differs from the ordinary week."""

    OFF = "off"
    MAKE_UP = "make_up"  # a weekly rest day that is worked with the ordinary hours
    HALF = "half"  # a day that is worked in its own, shorter slots


@dataclass(frozen=True, kw_only=True, slots=True)
class Basis:
    """Why a day differs: the text it rests on and whether somebody has compared it."""

    citation: Bilingual
    source: str  # where the row was taken from
    confirmed: bool  # False: shown as "unconfirmed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One stretch of office hours within a day, in local time; `start` < `end`."""

    start: time
    end: time


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One day that differs from the ordinary week."""

    day: date
    kind: DayKind
    name: Bilingual
    basis: Basis
    slots: tuple[Slot, ...] = ()  # of a half day only


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """The ordinary week of an agency: seven tuples of slots, Monday first."""

    code: str
    name: Bilingual
    week: tuple[tuple[Slot, ...], ...]

    @property
    def ordinary(self) -> tuple[Slot, ...]:
        """Return the slots of an ordinary working day, also used for make-up days."""
        return self.week[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """The days and hours that one agency works, for the years that the data covers."""

    version: str  # of the base and of every layer, joined by "+"
    first_year: int
    last_year: int
    hours: Hours
    rows: Mapping[date, Row]

    @property
    def day_length(self) -> timedelta:
        """Return the working time of an ordinary day; it converts days to hours."""
        return sum((_length(slot) for slot in self.hours.ordinary), timedelta())

    def row(self, day: date) -> Row | None:
        """Return what the data says about `day`, if anything; raise `CalendarYearMissing`."""
        if not self.first_year <= day.year <= self.last_year:
            raise CalendarYearMissing(
                f"expected a day of {self.first_year}-{self.last_year} in calendar "
                f"{self.version}, got {day}",
                calendar=self.version,
                year=day.year,
            )
        return self.rows.get(day)

    def slots(self, day: date) -> tuple[Slot, ...]:
        """Return the office hours of `day`; none on a day off."""
        row = self.row(day)
        if row is None:
            return self.hours.week[day.weekday()]
        match row.kind:
            case DayKind.OFF:
                return ()
            case DayKind.MAKE_UP:
                return self.hours.ordinary
            case DayKind.HALF:
                return row.slots

    def is_working_day(self, day: date) -> bool:
        """Tell whether the agency works on `day`; a half day counts as a working day."""
        return bool(self.slots(day))


@cache
def load_calendar(
    name: str = "vn", *, layers: tuple[str, ...] = (), hours: str = "standard"
) -> Calendar:
    """Return a calendar that ships with the software, such as `vn` with the layer `vn-2026-swap`.

    Raises `CalendarRefused` for an unknown name or unknown hours.
    """
    return parse_calendar(
        _shipped(name), layers=tuple(_shipped(layer) for layer in layers), hours=hours
    )


def parse_calendar(
    content: bytes, *, layers: tuple[bytes, ...] = (), hours: str = "standard"
) -> Calendar:
    """Return the calendar of a TOML text, with layers above it, for one kind of office hours.

    A later row for a day replaces the earlier one. A layer may add rows and bases only.
    Raises `CalendarRefused` when anything is missing, unknown or said twice.
    """
    base = _decode(content)
    rows = _rows(base)
    versions = [_text(base, "version")]
    for layer in layers:
        table = _decode(layer)
        rows |= _rows(table)
        versions.append(_text(table, "version"))
    first, last = _years(base)
    return Calendar(
        version="+".join(versions),
        first_year=first,
        last_year=last,
        hours=_hours(base, hours),
        rows=rows,
    )


def local_day(instant: datetime) -> date:
    """Return the legal day of an aware instant."""
    return instant.astimezone(HERE).date()


def _length(slot: Slot) -> timedelta:
    return timedelta(
        hours=slot.end.hour - slot.start.hour, minutes=slot.end.minute - slot.start.minute
    )


def _shipped(name: str) -> bytes:
    file = resources.files("dossier").joinpath("calendars", f"{name}.toml")
    if "/" in name or not file.is_file():
        raise _refused(f"no calendar is called {name}")
    return file.read_bytes()


def _refused(reason: str) -> CalendarRefused:
    return CalendarRefused(f"expected calendar data as documented, got: {reason}", reason=reason)


def _decode(content: bytes) -> dict[str, Any]:
    try:
        table = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as exc:
        raise _refused("it is not TOML in UTF-8") from exc
    unknown = table.keys() - _TOP
    if unknown:
        raise _refused(f"unknown key {min(unknown)}")
    return table


def _years(table: Mapping[str, Any]) -> tuple[int, int]:
    first, last = table.get("first_year"), table.get("last_year")
    if type(first) is not int or type(last) is not int or not 1900 <= first <= last <= 2999:
        raise _refused("first_year and last_year must be years in order")
    return first, last


def _rows(table: Mapping[str, Any]) -> dict[date, Row]:
    bases = {code: _basis(found, code) for code, found in _table(table, "basis").items()}
    first, last = _years(table)
    rows: dict[date, Row] = {}
    for found in table.get("row", []):
        row = _row(found, bases)
        if row.day in rows:
            raise _refused(f"{row.day} is listed twice")
        if not first <= row.day.year <= last:
            raise _refused(f"{row.day} is outside the years of the file")
        rows[row.day] = row
    return rows


def _row(found: Mapping[str, Any], bases: Mapping[str, Basis]) -> Row:
    day, kind, basis = found.get("day"), found.get("kind"), found.get("basis")
    if type(day) is not date:
        raise _refused("a row has no day")
    if kind not in list(DayKind):
        raise _refused(f"{day} has no known kind")
    if not isinstance(basis, str) or basis not in bases:
        raise _refused(f"{day} cites no known basis")
    allowed = _ROW | ({"slots"} if kind == DayKind.HALF else set())
    if found.keys() != allowed:
        raise _refused(f"{day} must have exactly the keys {', '.join(sorted(allowed))}")
    return Row(
        day=day,
        kind=DayKind(kind),
        name=_bilingual(found, "name"),
        basis=bases[basis],
        slots=_slots(found["slots"]) if kind == DayKind.HALF else (),
    )


def _basis(found: Mapping[str, Any], code: str) -> Basis:
    if not isinstance(found, dict) or found.keys() != {"citation", "source", "confirmed"}:
        raise _refused(f"basis {code} must have citation, source and confirmed")
    return Basis(
        citation=_bilingual(found, "citation"),
        source=_text(found, "source"),
        confirmed=found["confirmed"] is True,
    )


def _hours(table: Mapping[str, Any], code: str) -> Hours:
    found = _table(table, "hours").get(code)
    if not isinstance(found, dict):
        raise _refused(f"no office hours are called {code}")
    unknown = found.keys() - {"name", *_WEEKDAYS}
    if unknown:
        raise _refused(f"unknown key {min(unknown)} in hours {code}")
    week = tuple(_slots(found.get(day, [])) for day in _WEEKDAYS)
    if not week[0]:
        raise _refused(f"hours {code} must work on Monday")
    return Hours(code=code, name=_bilingual(found, "name"), week=week)


def _slots(found: object) -> tuple[Slot, ...]:
    if not isinstance(found, list):
        raise _refused("office hours must be a list")
    slots = tuple(_slot(text) for text in found)
    edges = [edge for slot in slots for edge in (slot.start, slot.end)]
    if any(earlier >= later for earlier, later in pairwise(edges)):
        raise _refused("office hours must be in order and apart")
    return slots


def _slot(text: object) -> Slot:
    try:
        start, end = str(text).split("-")
        return Slot(start=_minute(start), end=_minute(end))
    except ValueError as exc:
        raise _refused(f"office hours must read 07:30-11:30, got {text}") from exc


def _minute(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise _refused(f"{key} must be a table")
    return found


def _bilingual(table: Mapping[str, Any], key: str) -> Bilingual:
    found = _table(table, key)
    if found.keys() != {"vi", "en"}:
        raise _refused(f"{key} must have vi and en")
    return Bilingual(vi=_text(found, "vi"), en=_text(found, "en"))


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    if not isinstance(found, str) or not found.strip():
        raise _refused(f"{key} must be a text")
    return found
