"""Functions that fold a list of numbers (DMN 1.5, table 76): sum to mode."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from workflows.expressions import numbers
from workflows.expressions.arithmetic import add
from workflows.expressions.builtins.lists import spread
from workflows.expressions.builtins.signature import LIST, budgeted, nullable, parameter, table
from workflows.expressions.runtime import Feel, Function, Run, Signature
from workflows.expressions.temporal import DaysTime, YearsMonths

_Fold = Callable[[list[Decimal]], Feel]


def _folded(fold: _Fold) -> tuple[Signature, Signature]:
    """Return the signatures over a list and over single arguments; other items give null."""

    def called(run: Run, items: list[Feel]) -> Feel:
        run.spend(len(items))
        found = [item for item in items if isinstance(item, Decimal)]
        return fold(found) if len(found) == len(items) else None

    return (
        budgeted(called, parameter("list", LIST)),
        budgeted(spread(called), nullable("n"), variadic=True),
    )


def _sum(run: Run, items: list[Feel]) -> Feel:
    run.spend(len(items))
    if not items or not isinstance(items[0], Decimal | DaysTime | YearsMonths):
        return None
    result: Feel = items[0]
    for item in items[1:]:
        result = add(result, item)
    return result


def _mean(items: list[Decimal]) -> Feel:
    total = numbers.total(items)
    return None if total is None else numbers.divide(total, Decimal(len(items)))


def _product(items: list[Decimal]) -> Feel:
    result: Decimal | None = items[0] if items else None
    for item in items[1:]:
        result = None if result is None else numbers.multiply(result, item)
    return result


def _median(items: list[Decimal]) -> Feel:
    if not items:
        return None
    ordered = sorted(items)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else _mean(ordered[middle - 1 : middle + 1])


def _deviation(items: list[Decimal]) -> Feel:
    """Return the sample standard deviation; of fewer than two numbers there is none."""
    mean = _mean(items)
    if len(items) < 2 or not isinstance(mean, Decimal):
        return None
    squares = [numbers.power(item - mean, Decimal(2)) for item in items]
    total = numbers.total([square for square in squares if square is not None])
    variance = None if total is None else numbers.divide(total, Decimal(len(items) - 1))
    return None if variance is None else numbers.attempt(numbers.CONTEXT.sqrt, variance)


def _mode(items: list[Decimal]) -> Feel:
    counts: dict[Decimal, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    most_often = sorted(item for item, count in counts.items() if count == most)
    return list(most_often)


FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "sum": (
            budgeted(_sum, parameter("list", LIST)),
            budgeted(spread(_sum), nullable("n"), variadic=True),
        ),
        "mean": _folded(_mean),
        "product": _folded(_product),
        "median": _folded(_median),
        "stddev": _folded(_deviation),
        "mode": _folded(_mode),
    }
)
