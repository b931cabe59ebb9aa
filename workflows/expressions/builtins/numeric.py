"""Functions on numbers (DMN 1.5, table 77)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Final

from workflows.expressions import numbers
from workflows.expressions.builtins.signature import NUMBER, parameter, plain, table
from workflows.expressions.runtime import Feel, Function, Signature
from workflows.expressions.temporal import DaysTime, YearsMonths
from workflows.expressions.types import NAMED


def _rounder(rounding: str) -> Callable[..., Feel]:
    def rounded(number: Decimal, scale: Decimal = numbers.ZERO) -> Feel:
        digits = numbers.truncated(scale)
        return None if digits is None else numbers.rounded(number, digits, rounding)

    return rounded


def _modulo(dividend: Decimal, divisor: Decimal) -> Feel:
    if divisor.is_zero():
        return None
    rest = numbers.attempt(numbers.CONTEXT.remainder, dividend, divisor)
    if rest is None or rest.is_zero() or rest.is_signed() == divisor.is_signed():
        return rest
    return numbers.add(rest, divisor)  # floor(dividend / divisor), so the sign of the divisor


def _logarithm(number: Decimal) -> Feel:
    return numbers.attempt(numbers.CONTEXT.ln, number) if number > 0 else None


def _parity(rest: int) -> Callable[[Decimal], Feel]:
    def is_so(number: Decimal) -> Feel:
        if number != number.to_integral_value():
            return False
        return int(number % 2 if number.adjusted() < 34 else 0) & 1 == rest

    return is_so


def _scaled(rounding: str, *, optional: int) -> Signature:
    return plain(
        _rounder(rounding), parameter("n", NUMBER), parameter("scale", NUMBER), optional=optional
    )


_N: Final = parameter("n", NUMBER)
_NUMBER: Final = parameter("number", NUMBER)

FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "decimal": (_scaled(ROUND_HALF_EVEN, optional=0),),
        "floor": (_scaled(ROUND_FLOOR, optional=1),),
        "ceiling": (_scaled(ROUND_CEILING, optional=1),),
        "round up": (_scaled(ROUND_UP, optional=0),),
        "round down": (_scaled(ROUND_DOWN, optional=0),),
        "round half up": (_scaled(ROUND_HALF_UP, optional=0),),
        "round half down": (_scaled(ROUND_HALF_DOWN, optional=0),),
        "abs": (
            plain(lambda n: numbers.CONTEXT.abs(n), _N),
            plain(lambda n: DaysTime(abs(n.nanos)), parameter("n", NAMED["dayTimeDuration"])),
            plain(lambda n: YearsMonths(abs(n.months)), parameter("n", NAMED["yearMonthDuration"])),
        ),
        "modulo": (plain(_modulo, parameter("dividend", NUMBER), parameter("divisor", NUMBER)),),
        "sqrt": (plain(lambda n: numbers.attempt(numbers.CONTEXT.sqrt, n), _NUMBER),),
        "log": (plain(_logarithm, _NUMBER),),
        "exp": (plain(lambda n: numbers.attempt(numbers.CONTEXT.exp, n), _NUMBER),),
        "odd": (plain(_parity(1), _NUMBER),),
        "even": (plain(_parity(0), _NUMBER),),
    }
)
