"""Equality, order and membership of values, in three-valued logic (DMN 1.5, 10.3.2.4 and .7).

None is FEEL's null: what cannot be compared is neither true nor false.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from workflows.expressions.runtime import Feel, Range, Run
from workflows.expressions.temporal import Date, DateTime, DaysTime, Time, YearsMonths

_PLAIN: Final = (Decimal, str, bool, Date, DaysTime, YearsMonths)
_MAX_DEPTH: Final = 64


def equal(left: Feel, right: Feel, run: Run, depth: int = 0) -> bool | None:
    """Return whether the values are equal; null when their kinds differ.

    Each item and entry costs a step, as values may share parts and be huge when written out.
    """
    if left is None or right is None:
        return left is right
    kind = type(left)
    if kind is type(right):
        if kind in _PLAIN:
            return left == right
        return _same_kind(left, right, run, depth)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return _contexts(left, right, run, depth)
    return None


def _same_kind(left: Feel, right: Feel, run: Run, depth: int) -> bool | None:
    if depth > _MAX_DEPTH:
        return None
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return _contexts(left, right, run, depth)
    if isinstance(left, list) and isinstance(right, list):
        run.spend(len(left))
        return len(left) == len(right) and all(
            equal(one, other, run, depth + 1) is True
            for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, DateTime | Time) and isinstance(right, DateTime | Time):
        return moment_key(left) == moment_key(right)
    if isinstance(left, Range) and isinstance(right, Range):
        return _ranges(left, right, run)
    return left is right


def _ranges(left: Range, right: Range, run: Run) -> bool:
    same_ends = (
        equal(left.low, right.low, run) is True and equal(left.high, right.high, run) is True
    )
    flags = (left.low_included, left.high_included)
    return same_ends and flags == (right.low_included, right.high_included)


def _contexts(
    left: Mapping[str, Feel], right: Mapping[str, Feel], run: Run, depth: int
) -> bool | None:
    if depth > _MAX_DEPTH:
        return None
    run.spend(len(left))
    return left.keys() == right.keys() and all(
        equal(value, right[key], run, depth + 1) is True for key, value in left.items()
    )


def moment_key(value: DateTime | Time) -> tuple[bool, int]:
    """Return a key that is equal for equal moments: zoned or local, then nanoseconds."""
    if isinstance(value, DateTime):
        return value.time.zone is not None, value.instant
    return value.zone is not None, value.nanos - (value.offset or 0) * 1_000_000_000


def order(left: Feel, right: Feel) -> int | None:
    """Return a negative, zero or positive number as `left` stands to `right`; null if nothing."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, Date) and isinstance(right, Date):
        return (left > right) - (left < right)
    if isinstance(left, DaysTime) and isinstance(right, DaysTime):
        return (left > right) - (left < right)
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return (left > right) - (left < right)
    return _moment_order(left, right)


def _moment_order(left: Feel, right: Feel) -> int | None:
    if isinstance(left, DateTime | Time) and type(left) is type(right):
        assert isinstance(right, DateTime | Time)  # noqa: S101 - tells mypy what the line above checked
        (zoned, one), (other_zoned, other) = moment_key(left), moment_key(right)
        return (one > other) - (one < other) if zoned == other_zoned else None
    return None


def compare(operator: str, left: Feel, right: Feel, run: Run) -> bool | None:
    """Return `left operator right` for one of `= != < <= > >=`."""
    if operator == "=":
        return equal(left, right, run)
    if operator == "!=":
        same = equal(left, right, run)
        return None if same is None else not same
    found = order(left, right)
    if found is None:
        return None
    if operator == "<":
        return found < 0
    if operator == "<=":
        return found <= 0
    return found > 0 if operator == ">" else found >= 0


def contains(container: Range, value: Feel) -> bool | None:
    """Return whether `value` lies in the range; null when it cannot be compared with the ends."""
    if value is None or (container.low is None and container.high is None):
        return None
    above = True
    if container.low is not None:
        found = order(value, container.low)
        if found is None:
            return None
        above = found > 0 or (found == 0 and container.low_included)
    if container.high is None:
        return above
    found = order(value, container.high)
    if found is None:
        return None
    return above and (found < 0 or (found == 0 and container.high_included))


def member(value: Feel, test: Feel, run: Run) -> bool | None:
    """Return whether `value` passes `test`: a range, a list that has it, or an equal value."""
    if isinstance(test, Range):
        return contains(test, value)
    if isinstance(test, list):
        run.spend(len(test))
        if isinstance(value, list) and equal(value, test, run):
            return True
        return any(member(value, item, run) is True for item in test)
    return equal(value, test, run)


def conjunction(values: list[bool | None]) -> bool | None:
    """Return the three-valued `and`."""
    if False in values:
        return False
    return None if None in values else True


def disjunction(values: list[bool | None]) -> bool | None:
    """Return the three-valued `or`."""
    if True in values:
        return True
    return None if None in values else False
