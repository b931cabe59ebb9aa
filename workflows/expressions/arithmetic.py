"""Addition to power over all values (DMN 1.5, table 55 on); null where none is defined."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Final

from workflows.expressions import numbers
from workflows.expressions.runtime import Feel
from workflows.expressions.temporal import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DaysTime,
    Time,
    YearsMonths,
    add_months,
    at_instant,
    date_of_number,
    time_of_nanos,
)
from workflows.expressions.zones import UTC

_MAX_MONTHS: Final = 12 * 10**18
_MAX_NANOS: Final = 10**19 * NANOS


def add(left: Feel, right: Feel) -> Feel:
    """Return `left + right`."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return numbers.add(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, DaysTime) and isinstance(right, DaysTime):
        return _days_time(left.nanos + right.nanos)
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return _years_months(left.months + right.months)
    if isinstance(left, DaysTime | YearsMonths):
        return _shifted(right, left, 1)
    return _shifted(left, right, 1)


def subtract(left: Feel, right: Feel) -> Feel:
    """Return `left - right`."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return numbers.subtract(left, right)
    if isinstance(left, DaysTime) and isinstance(right, DaysTime):
        return _days_time(left.nanos - right.nanos)
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return _years_months(left.months - right.months)
    if isinstance(right, DaysTime | YearsMonths):
        return _shifted(left, right, -1)
    return _distance(left, right)


def multiply(left: Feel, right: Feel) -> Feel:
    """Return `left * right`."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return numbers.multiply(left, right)
    if isinstance(right, DaysTime | YearsMonths):
        left, right = right, left
    return _scaled(left, right, numbers.multiply)


def divide(left: Feel, right: Feel) -> Feel:
    """Return `left / right`."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return numbers.divide(left, right)
    if isinstance(left, DaysTime) and isinstance(right, DaysTime):
        return numbers.divide(Decimal(left.nanos), Decimal(right.nanos))
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return numbers.divide(Decimal(left.months), Decimal(right.months))
    return _scaled(left, right, numbers.divide)


def power(left: Feel, right: Feel) -> Feel:
    """Return `left ** right`."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return numbers.power(left, right)
    return None


def negative(value: Feel) -> Feel:
    """Return `-value`."""
    if isinstance(value, Decimal):
        return numbers.subtract(numbers.ZERO, value)
    if isinstance(value, DaysTime):
        return DaysTime(-value.nanos)
    return YearsMonths(-value.months) if isinstance(value, YearsMonths) else None


OPERATORS: Final[dict[str, Callable[[Feel, Feel], Feel]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}


def _shifted(moment: Feel, duration: Feel, sign: int) -> Feel:
    if isinstance(duration, YearsMonths):
        return _months_later(moment, sign * duration.months)
    if not isinstance(duration, DaysTime):
        return None
    nanos = sign * duration.nanos
    if isinstance(moment, Date):
        return date_of_number((moment.number * DAY_NANOS + nanos) // DAY_NANOS)
    if isinstance(moment, Time):
        return time_of_nanos(moment.nanos + nanos, moment.zone)
    if isinstance(moment, DateTime):
        return at_instant(moment.instant + nanos, moment.time.zone)
    return None


def _months_later(moment: Feel, months: int) -> Feel:
    if isinstance(moment, Date):
        return add_months(moment, months)
    if isinstance(moment, DateTime):
        date = add_months(moment.date, months)
        return None if date is None else DateTime(date, moment.time)
    return None


def _distance(left: Feel, right: Feel) -> Feel:
    if isinstance(left, Time) and isinstance(right, Time):
        if (left.zone is None) != (right.zone is None):
            return None
        offset = ((left.offset or 0) - (right.offset or 0)) * NANOS
        return DaysTime(left.nanos - right.nanos - offset)
    one, other = _midnight(left), _midnight(right)
    if one is None or other is None or (one.time.zone is None) != (other.time.zone is None):
        return None
    return DaysTime(one.instant - other.instant)


def _midnight(value: Feel) -> DateTime | None:
    """Return a date as its midnight in UTC; so it has no distance to a moment without a zone."""
    if isinstance(value, Date):
        return DateTime(value, Time(0, 0, 0, 0, UTC))
    return value if isinstance(value, DateTime) else None


def _scaled(
    duration: Feel, factor: Feel, operation: Callable[[Decimal, Decimal], Decimal | None]
) -> Feel:
    if not isinstance(factor, Decimal):
        return None
    if isinstance(duration, DaysTime):
        nanos = operation(Decimal(duration.nanos), factor)
        return None if nanos is None else _days_time(_truncated(nanos))
    if isinstance(duration, YearsMonths):
        months = operation(Decimal(duration.months), factor)
        return None if months is None else _years_months(_truncated(months))
    return None


def _truncated(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_DOWN)) if value.adjusted() < 40 else 10**40


def _days_time(nanos: int) -> DaysTime | None:
    return DaysTime(nanos) if abs(nanos) <= _MAX_NANOS else None


def _years_months(months: int) -> YearsMonths | None:
    return YearsMonths(months) if abs(months) <= _MAX_MONTHS else None
