"""What conforms to a type and the implicit conversions (DMN 1.5, 10.3.2.9).

A null conforms to every type; `instance of` asks `is_instance`, which says no to a null.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.expressions.runtime import Feel, Function, Range, Run, kind_of
from workflows.expressions.temporal import Date, DateTime, Time
from workflows.expressions.types import (
    ANY,
    NAMED,
    ContextOf,
    FunctionOf,
    ListOf,
    RangeOf,
    Restricted,
    Simple,
    Type,
)
from workflows.expressions.zones import UTC


def is_instance(value: Feel, wanted: Type, run: Run) -> bool:
    """Say whether `value` is an instance of `wanted`; null is one of `Null` only."""
    if value is None:
        return wanted == NAMED["Null"]
    return conforms(value, wanted, run)


def conforms(value: Feel, wanted: Type, run: Run) -> bool:
    """Say whether `value` conforms to `wanted`."""
    if value is None:
        return True
    match wanted:
        case Simple(name):
            return name in ("Any", kind_of(value))
        case ListOf(item):
            return isinstance(value, list) and _items_conform(value, item, run)
        case ContextOf(entries):
            return isinstance(value, Mapping) and _entries_conform(value, entries, run)
        case RangeOf(item):
            return isinstance(value, Range) and _items_conform([value.low, value.high], item, run)
        case FunctionOf():
            return isinstance(value, Function) and _function_conforms(value, wanted)
        case Restricted(_, inner, allowed):
            return conforms(value, inner, run) and allowed(value, run)


def coerce(value: Feel, wanted: Type, run: Run) -> Feel:
    """Return `value` as `wanted` by the implicit conversions (10.3.2.9.4), or None."""
    if conforms(value, wanted, run):
        return value
    if isinstance(value, list) and len(value) == 1 and conforms(value[0], wanted, run):
        return value[0]
    if not isinstance(value, list) and conforms([value], wanted, run):
        return [value]
    if isinstance(value, Date):
        midnight = DateTime(value, Time(0, 0, 0, 0, UTC))
        return midnight if conforms(midnight, wanted, run) else None
    return None


def _items_conform(items: list[Feel], wanted: Type, run: Run) -> bool:
    run.spend((len(items) >> 3) + 1)
    return wanted == ANY or all(conforms(item, wanted, run) for item in items)


def _entries_conform(
    value: Mapping[str, Feel], entries: tuple[tuple[str, Type], ...], run: Run
) -> bool:
    return all(name in value and conforms(value[name], kind, run) for name, kind in entries)


def _function_conforms(value: Function, wanted: FunctionOf) -> bool:
    """Say whether the function takes as many parameters of the same types (contravariant)."""
    signature = value.signatures[0]
    if signature.variadic or len(signature.parameters) != len(wanted.parameters):
        return False
    return all(
        own.type in (ANY, asked) or asked == ANY
        for own, asked in zip(signature.parameters, wanted.parameters, strict=True)
    )
