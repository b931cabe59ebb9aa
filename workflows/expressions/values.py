"""The closed set of variable types: Python values at the door, FEEL values inside, JSON at rest.

A days and time duration is a `timedelta` outside; a `datetime` is aware. What is in no set here
(floats, sets, bytes, integers as keys) is refused, never converted in silence (engine.md, W15).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from dossier.canonical import Json
from workflows.expressions import numbers, temporal_text
from workflows.expressions.errors import ValueRefused
from workflows.expressions.runtime import Feel
from workflows.expressions.temporal import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DaysTime,
    Time,
    YearsMonths,
)
from workflows.expressions.zones import Offset, Region, Zone

Value: TypeAlias = (
    "bool | Decimal | str | date | time | datetime | timedelta | YearsMonths "
    "| list[Value] | Mapping[str, Value] | None"
)
DEPTH: Final = 32
LOCAL_ZONE: Final = Region("Asia/Ho_Chi_Minh")  # where a clock without a zone stands
_ATOMS: Final = (str, bool, Decimal, type(None))


def to_feel(value: object, depth: int = 0) -> Feel:
    """Return the FEEL value of a variable; whole Python numbers are taken too.

    Raise `ValueRefused` for any other type, for NaN and infinities, and for deep nesting.
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise _refused("a finite number", str(value))
        return numbers.CONTEXT.plus(value)
    if type(value) in _ATOMS:
        return value  # type: ignore[return-value]  # one of the atoms
    if depth > DEPTH:
        raise _refused("at most 32 levels", "more")
    match value:
        case int():
            return numbers.CONTEXT.create_decimal(value)
        case list() | tuple():
            return [to_feel(item, depth + 1) for item in value]
        case Mapping():
            return {_key(key): to_feel(item, depth + 1) for key, item in value.items()}
    return _temporal_to_feel(value)


def _temporal_to_feel(value: object) -> Feel:
    match value:
        case datetime():
            if value.utcoffset() is None:
                raise _refused("a datetime with a zone", "one without")
            return DateTime(Date(value.year, value.month, value.day), _clock(value, value.tzinfo))
        case date():
            return Date(value.year, value.month, value.day)
        case time():
            return _clock(value, value.tzinfo)
        case timedelta():
            return DaysTime(
                (value.days * 86_400 + value.seconds) * NANOS + value.microseconds * 1000
            )
        case Date() | Time() | DateTime() | DaysTime() | YearsMonths():
            return value
    raise _refused("a variable type", type(value).__name__)


def from_feel(value: Feel) -> Value:
    """Return the Python value of a FEEL result.

    A date and time without a zone is read as Vietnamese time. Raise `ValueRefused` for functions
    and ranges, and for moments that Python's types cannot hold.
    """
    if type(value) in _ATOMS:
        return value  # type: ignore[return-value]  # one of the atoms
    if isinstance(value, list):
        return [from_feel(item) for item in value]
    if isinstance(value, Mapping):
        return {key: from_feel(item) for key, item in value.items()}
    try:
        return _temporal_from_feel(value)
    except (ValueError, OverflowError) as exc:
        raise _refused("a moment between the years 1 and 9999", "another") from exc


def _temporal_from_feel(value: Feel) -> Value:
    match value:
        case Date(year, month, day):
            return date(year, month, day)
        case Time():
            return _python_time(value, value.zone)
        case DateTime(Date(year, month, day), clock):
            time_of_day = _python_time(clock, clock.zone or LOCAL_ZONE)
            return datetime.combine(date(year, month, day), time_of_day)
        case DaysTime(nanos):
            return timedelta(days=nanos // DAY_NANOS, microseconds=nanos % DAY_NANOS // 1000)
        case YearsMonths():
            return value
    raise _refused("a variable type", type(value).__name__.lower())


def encode_value(value: Value) -> Json:
    """Return the JSON form of a variable: plain where JSON has the type, tagged where not.

    Texts, booleans, nulls, lists and objects stand for themselves; everything else is an object
    with the one key `$number`, `$date`, `$time`, `$datetime`, `$duration` or `$months`.
    """
    return _encoded(to_feel(value))


def decode_value(stored: Json) -> Value:
    """Return the variable of its JSON form; raise `ValueRefused` for any other form."""
    return from_feel(_decoded(stored, 0))


def _encoded(value: Feel) -> Json:
    match value:
        case None | bool() | str():
            return value
        case Decimal():
            return {"$number": str(value)}
        case list():
            return [_encoded(item) for item in value]
        case Date() | Time() | DateTime() | DaysTime() | YearsMonths():
            return {_TAGS[type(value)]: temporal_text.text_of(value)}
        case Mapping():
            if len(value) == 1 and next(iter(value)).startswith("$"):
                return {"$object": {key: _encoded(item) for key, item in value.items()}}
            return {key: _encoded(item) for key, item in value.items()}
    raise _refused("a variable type", type(value).__name__.lower())


def _decoded(stored: Json, depth: int) -> Feel:
    if depth > 2 * DEPTH:
        raise _refused("at most 32 levels", "more")
    if stored is None or isinstance(stored, bool | str):
        return stored
    if isinstance(stored, list):
        return [_decoded(item, depth + 1) for item in stored]
    if isinstance(stored, Mapping):
        tag = next(iter(stored), "")
        if len(stored) == 1 and tag.startswith("$"):
            return _tagged(tag, stored[tag], depth)
        return {key: _decoded(item, depth + 1) for key, item in stored.items()}
    raise _refused("the form of a variable", type(stored).__name__)


def _tagged(tag: str, stored: Json, depth: int) -> Feel:
    if tag == "$object" and isinstance(stored, Mapping):
        return {key: _decoded(item, depth + 1) for key, item in stored.items()}
    read = _READERS.get(tag)
    found = read(stored) if read is not None and isinstance(stored, str) else None
    if found is None or _encoded(found) != {tag: stored}:
        raise _refused("the canonical form of a variable", tag)
    return found


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except ArithmeticError:
        return None
    return found if found.is_finite() and len(found.as_tuple().digits) <= 34 else None


_TAGS: Final[dict[type, str]] = {
    Date: "$date",
    Time: "$time",
    DateTime: "$datetime",
    DaysTime: "$duration",
    YearsMonths: "$months",
}
_READERS: Final[dict[str, Callable[[str], Feel]]] = {
    "$number": _number,
    "$date": temporal_text.parse_date,
    "$time": temporal_text.parse_time,
    "$datetime": temporal_text.parse_date_time,
    "$duration": temporal_text.parse_duration,
    "$months": temporal_text.parse_duration,
}


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise _refused("a text as key", type(key).__name__)
    return key


def _clock(value: datetime | time, zone: tzinfo | None) -> Time:
    found: Zone | None = None
    if isinstance(zone, ZoneInfo) and zone.key and zone.key != "UTC":
        found = Region(zone.key)
    elif (distance := value.utcoffset()) is not None:
        found = Offset(int(distance.total_seconds()))
    return Time(value.hour, value.minute, value.second, value.microsecond * 1000, found)


def _python_time(value: Time, zone: Zone | None) -> time:
    tz = None if zone is None else _python_zone(zone)
    return time(value.hour, value.minute, value.second, value.nano // 1000, tzinfo=tz)


def _python_zone(zone: Zone) -> tzinfo:
    if isinstance(zone, Region):
        return ZoneInfo(zone.name)
    return UTC if zone.seconds == 0 else timezone(timedelta(seconds=zone.seconds))


def _refused(expected: str, got: str) -> ValueRefused:
    return ValueRefused(f"expected {expected}, got {got}", expected=expected, got=got)
