"""Numbers of FEEL: decimals of 34 digits, rounded half even (DMN 1.5, 10.3.2.3.1).

What has no value (division by zero, overflow, NaN) is None, which is FEEL's null.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Final

CONTEXT: Final = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[DivisionByZero, InvalidOperation, Overflow],
)
ZERO: Final = Decimal(0)


def attempt(operation: Callable[..., Decimal], *operands: Decimal) -> Decimal | None:
    """Return `operation(*operands)`, or None where arithmetic has no value."""
    try:
        return operation(*operands)
    except DecimalException:
        return None


def add(left: Decimal, right: Decimal) -> Decimal | None:
    """Return the sum."""
    return attempt(CONTEXT.add, left, right)


def subtract(left: Decimal, right: Decimal) -> Decimal | None:
    """Return the difference."""
    return attempt(CONTEXT.subtract, left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal | None:
    """Return the product."""
    return attempt(CONTEXT.multiply, left, right)


def divide(left: Decimal, right: Decimal) -> Decimal | None:
    """Return the quotient; by zero there is none."""
    return attempt(CONTEXT.divide, left, right)


def power(left: Decimal, right: Decimal) -> Decimal | None:
    """Return `left` to the power of `right`."""
    return attempt(CONTEXT.power, left, right)


def total(numbers: list[Decimal]) -> Decimal | None:
    """Return the sum of `numbers`; of none there is none."""
    result: Decimal | None = numbers[0] if numbers else None
    for number in numbers[1:]:
        result = None if result is None else add(result, number)
    return result


def integer(value: object) -> int | None:
    """Return `value` as an int when it is a whole number of a reasonable size, else None."""
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value) > 10**18:
        return None
    return int(value) if value == value.to_integral_value() else None


def truncated(value: object) -> int | None:
    """Return `value` without its fraction, as functions read positions and counts."""
    return integer(value.to_integral_value(ROUND_DOWN)) if isinstance(value, Decimal) else None


def rounded(value: Decimal, scale: int, rounding: str) -> Decimal | None:
    """Return `value` with `scale` digits after the point; negative scales round tens."""
    if not -6111 <= scale <= 6176:
        return None
    exponent = Decimal((0, (1,), -scale))
    context = CONTEXT.copy()
    context.rounding = rounding
    if value.is_zero() or value.adjusted() < 34 - max(scale, 0):
        return attempt(lambda v: plain(v.quantize(exponent, context=context)), value)
    return value  # more digits are asked for than a number has


def plain(value: Decimal) -> Decimal:
    """Return `value` without an exponent above zero, so that it prints as written by people."""
    if value.as_tuple().exponent in ("n", "N", "F"):
        return value
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0 and value.adjusted() < 34:
        return value.quantize(Decimal(1), context=CONTEXT)
    return value


def text_of(value: Decimal) -> str:
    """Return the text of a number: no exponent, no trailing zeros of a fraction, no `-0`."""
    if value.is_zero():
        return "0"
    if abs(value.adjusted()) > 60:
        return str(value.normalize(CONTEXT))
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
