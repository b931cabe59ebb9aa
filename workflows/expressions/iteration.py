"""`for`, `some` and `every`: domains, their product, the bodies over it (DMN 1.5, 10.3.2.14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from workflows.expressions.compiling import Compiling
from workflows.expressions.numbers import integer
from workflows.expressions.runtime import Evaluator, Feel, Range, Run, Scope
from workflows.expressions.temporal import Date, date_of_number
from workflows.expressions.tree import Domain, For, Quantified

_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class _Domain:
    name: str
    source: Evaluator
    end: Evaluator | None


def compile_for(compiler: Compiling, node: For) -> Evaluator:
    """Return the evaluator of a `for`; a domain that is no list makes it null."""
    domains = _compiled(compiler, node.domains)
    body = compiler.compile(node.body)
    sees_partial = "partial" in compiler.source

    def collected(scope: Scope) -> Feel:
        results: list[Feel] = []
        for inner in _product(domains, scope):
            if inner is None:
                scope.run.note("feel_no_domain", compiler.source, node.at)
                return None
            if sees_partial:  # a copy, or a result could contain itself
                scope.run.spend(len(results) >> 3)
                inner = Scope({"partial": list(results)}, scope.run, inner)
            results.append(body(inner))
            scope.run.within_list(len(results))
        return results

    return collected


def compile_quantified(compiler: Compiling, node: Quantified) -> Evaluator:
    """Return the evaluator of `some` (or over all) and `every` (and over all)."""
    domains = _compiled(compiler, node.domains)
    body = compiler.compile(node.body)
    decisive = not node.every

    def decided(scope: Scope) -> Feel:
        unknown = False
        for inner in _product(domains, scope):
            if inner is None:
                scope.run.note("feel_no_domain", compiler.source, node.at)
                return None
            value = body(inner)
            if value is decisive:
                return decisive
            unknown = unknown or not isinstance(value, bool)
        return None if unknown else not decisive

    return decided


def _compiled(compiler: Compiling, domains: tuple[Domain, ...]) -> list[_Domain]:
    return [
        _Domain(
            domain.name,
            compiler.compile(domain.source),
            None if domain.end is None else compiler.compile(domain.end),
        )
        for domain in domains
    ]


def _product(domains: Sequence[_Domain], scope: Scope) -> Iterator[Scope | None]:
    """Yield a scope for each combination; None once when a domain is no list or range."""
    if not domains:
        yield scope
        return
    first, rest = domains[0], domains[1:]
    values = _values(first, scope)
    if values is None:
        yield None
        return
    for value in values:
        scope.run.spend()
        yield from _product(rest, Scope({first.name: value}, scope.run, scope))


def _values(domain: _Domain, scope: Scope) -> Sequence[Feel] | None:
    value = domain.source(scope)
    if domain.end is not None:
        return _between(value, domain.end(scope), scope.run)
    return domain_values(value, scope.run)


def domain_values(value: Feel, run: Run) -> Sequence[Feel] | None:
    """Return what an iteration goes through: a list, a range of numbers or days, or one value."""
    if isinstance(value, Range):
        return _of_range(value, run)
    if value is None:
        return None
    return value if isinstance(value, list) else [value]


def _of_range(value: Range, run: Run) -> Sequence[Feel] | None:
    steps = _between(value.low, value.high, run)
    if steps is None:
        return None
    start = 0 if value.low_included else 1
    return steps[start:] if value.high_included else steps[start:-1]


def _between(low: Feel, high: Feel, run: Run) -> Sequence[Feel] | None:
    """Return the whole numbers or days from `low` to `high`, downwards when `high` is less."""
    if isinstance(low, Date) and isinstance(high, Date):
        return _days(low.number, high.number, run)
    start, stop = integer(low), integer(high)
    if start is None or stop is None:
        return None
    step = 1 if start <= stop else -1
    run.checked_list(abs(stop - start) + 1)
    return [Decimal(number) for number in range(start, stop + step, step)]


def _days(start: int, stop: int, run: Run) -> Sequence[Feel]:
    step = 1 if start <= stop else -1
    run.checked_list(abs(stop - start) + 1)
    return [date_of_number(number) for number in range(start, stop + step, step)]
