"""What conforms to a type and the implicit conversions (DMN 1.5, 10.3.2.9).

A null conforms to every type; `instance of` asks `is_instance`, which says no to a null.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.expressions.runtime import Feel, Function, Range, kind_of
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


def is_instance(value: Feel, wanted: Type) -> bool:
    """Say whether `value` is an instance of `wanted`; null is one of `Null` only."""
    if value is None:
        return wanted == NAMED["Null"]
    return conforms(value, wanted)


def conforms(value: Feel, wanted: Type) -> bool:
    """Say whether `value` conforms to `wanted`."""
    if value is None:
        return not isinstance(wanted, Restricted) or wanted.allowed(None)
    match wanted:
        case Simple(name):
            return name in ("Any", kind_of(value))
        case ListOf(item):
            return isinstance(value, list) and all(conforms(one, item) for one in value)
        case ContextOf(entries):
            return isinstance(value, Mapping) and all(
                name in value and conforms(value[name], kind) for name, kind in entries
            )
        case RangeOf(item):
            return isinstance(value, Range) and all(
                end is None or conforms(end, item) for end in (value.low, value.high)
            )
        case FunctionOf():
            return isinstance(value, Function) and _function_conforms(value, wanted)
        case Restricted(_, inner, allowed):
            return conforms(value, inner) and allowed(value)


def coerce(value: Feel, wanted: Type) -> Feel:
    """Return `value` as `wanted` by the implicit conversions (10.3.2.9.4), or None."""
    if conforms(value, wanted):
        return value
    if isinstance(value, list) and len(value) == 1 and conforms(value[0], wanted):
        return value[0]
    if not isinstance(value, list) and conforms([value], wanted):
        return [value]
    if isinstance(value, Date):
        midnight = DateTime(value, Time(0, 0, 0, 0, UTC))
        return midnight if conforms(midnight, wanted) else None
    return None


def _function_conforms(value: Function, wanted: FunctionOf) -> bool:
    """Say whether the function takes as many parameters of the same types (contravariant)."""
    signature = value.signatures[0]
    if signature.variadic or len(signature.parameters) != len(wanted.parameters):
        return False
    return all(
        own.type in (ANY, asked) or asked == ANY
        for own, asked in zip(signature.parameters, wanted.parameters, strict=True)
    )
