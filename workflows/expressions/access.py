"""Paths into contexts and values, and filters over lists (DMN 1.5, 10.3.2.5 and table 60)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from workflows.expressions.compiling import Compiling
from workflows.expressions.numbers import integer
from workflows.expressions.runtime import Evaluator, Feel, Range, Scope
from workflows.expressions.temporal import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DaysTime,
    Time,
    YearsMonths,
)
from workflows.expressions.tree import (
    Between,
    Chain,
    Filter,
    InstanceOf,
    Literal,
    Logic,
    Membership,
    Node,
    Path,
    Quantified,
)
from workflows.expressions.zones import Region

_PREDICATES: Final = (Between, InstanceOf, Logic, Membership, Quantified)
_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


def compile_path(compiler: Compiling, node: Path) -> Evaluator:
    """Return the evaluator of `source.name`; over a list it maps."""
    source = compiler.compile(node.source)
    name, text, at = node.name, compiler.source, node.at

    def followed(scope: Scope) -> Feel:
        scope.run.spend()
        value = source(scope)
        if isinstance(value, list):
            scope.run.checked_list(len(value))
            return [entry(item, name) for item in value]
        found = entry(value, name)
        if found is None and not (isinstance(value, Mapping) and name in value):
            scope.run.note("feel_no_entry", text, at, name=name)
        return found

    return followed


def entry(value: Feel, name: str) -> Feel:
    """Return the entry or property `name` of `value`, or None."""
    if isinstance(value, Mapping):
        return value.get(name)
    properties = _PROPERTIES.get(type(value))
    found = properties.get(name) if properties else None
    return found(value) if found else None


def compile_filter(compiler: Compiling, node: Filter) -> Evaluator:
    """Return the evaluator of `source[condition]`: by position (from 1, or -1) or by condition."""
    source, condition = compiler.compile(node.source), compiler.compile(node.condition)
    predicate = _is_predicate(node.condition)

    def filtered(scope: Scope) -> Feel:
        scope.run.spend()
        value = source(scope)
        items: list[Feel] = [] if value is None else [value]
        items = value if isinstance(value, list) else items
        if not predicate:
            first = items[0] if items else None
            position = condition(item_scope(first, scope))
            if isinstance(position, Decimal):
                return _at(items, position)
        return _selected(items, condition, scope)

    return filtered


def _selected(items: list[Feel], condition: Evaluator, scope: Scope) -> list[Feel]:
    selected: list[Feel] = []
    for item in items:
        scope.run.spend()
        if condition(item_scope(item, scope)) is True:
            selected.append(item)
    return selected


def item_scope(item: Feel, scope: Scope) -> Scope:
    """Return the scope of a filter's condition: `item`, and the entries of a context."""
    inner = Scope({"item": item}, scope.run, scope)
    return Scope(item, scope.run, inner) if isinstance(item, Mapping) else inner


def _at(items: list[Feel], position: Decimal) -> Feel:
    index = integer(position)
    if index is None or index == 0 or abs(index) > len(items):
        return None
    return items[index - 1] if index > 0 else items[index]


def _is_predicate(node: Node) -> bool:
    if isinstance(node, Chain):
        return node.rest[0][0] in _COMPARISONS
    if isinstance(node, Literal):
        return isinstance(node.value, bool)
    return isinstance(node, _PREDICATES)


def _offset(value: Time | DateTime) -> Feel:
    return None if value.offset is None else DaysTime(value.offset * NANOS)


def _zone_name(value: Time | DateTime) -> Feel:
    zone = value.zone if isinstance(value, Time) else value.time.zone
    return zone.name if isinstance(zone, Region) else None


def _part(size: int, limit: int | None = None) -> Callable[[DaysTime], Feel]:
    """Return a property: how many times `size` nanoseconds, below `limit`, with the sign."""

    def part(value: DaysTime) -> Feel:
        count = abs(value.nanos) // size
        count = count if limit is None else count % limit
        return Decimal(-count if value.nanos < 0 else count)

    return part


def _seconds(value: DaysTime) -> Feel:
    nanos = abs(value.nanos) % (60 * NANOS)
    seconds = Decimal(nanos).scaleb(-9).normalize() if nanos % NANOS else Decimal(nanos // NANOS)
    return -seconds if value.nanos < 0 else seconds


def _clock_second(value: Time) -> Feel:
    return (
        Decimal(value.second) if not value.nano else value.second + Decimal(value.nano).scaleb(-9)
    )


def _years(value: YearsMonths) -> Feel:
    years = abs(value.months) // 12
    return Decimal(-years if value.months < 0 else years)


def _months(value: YearsMonths) -> Feel:
    months = abs(value.months) % 12
    return Decimal(-months if value.months < 0 else months)


_DATE: Final[dict[str, Callable[[Date], Feel]]] = {
    "year": lambda value: Decimal(value.year),
    "month": lambda value: Decimal(value.month),
    "day": lambda value: Decimal(value.day),
    "weekday": lambda value: Decimal(value.weekday),
}
_TIME: Final[dict[str, Callable[[Time], Feel]]] = {
    "hour": lambda value: Decimal(value.hour),
    "minute": lambda value: Decimal(value.minute),
    "second": _clock_second,
}


def _of_date(name: str) -> Callable[[DateTime], Feel]:
    return lambda value: _DATE[name](value.date)


def _of_time(name: str) -> Callable[[DateTime], Feel]:
    return lambda value: _TIME[name](value.time)


# Table 60: the properties of values that are not contexts.
_PROPERTIES: Final[Mapping[type, Mapping[str, Callable[..., Feel]]]] = {
    Date: _DATE,
    Time: {**_TIME, "time offset": _offset, "timezone": _zone_name},
    DateTime: {
        **{name: _of_date(name) for name in _DATE},
        **{name: _of_time(name) for name in _TIME},
        "time offset": _offset,
        "timezone": _zone_name,
    },
    DaysTime: {
        "days": _part(DAY_NANOS),
        "hours": _part(3600 * NANOS, 24),
        "minutes": _part(60 * NANOS, 60),
        "seconds": _seconds,
    },
    YearsMonths: {"years": _years, "months": _months},
    Range: {
        "start": lambda value: value.low,
        "end": lambda value: value.high,
        "start included": lambda value: value.low_included,
        "end included": lambda value: value.high_included,
    },
}
