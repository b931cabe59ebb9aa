"""Conversions, negation, identity and functions on contexts (DMN 1.5, tables 73, 74, 80 and 82)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from workflows.expressions import numbers, printing
from workflows.expressions.builtins.signature import (
    BOOLEAN,
    CONTEXT,
    LIST,
    STRING,
    budgeted,
    nullable,
    parameter,
    plain,
    table,
)
from workflows.expressions.compare import equal
from workflows.expressions.runtime import Feel, Function, Run, Signature
from workflows.expressions.temporal import DateTime, Time

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_MAX_NUMBER: Final = 1_000


def _number(text: str, grouping: str | None = None, decimal: str | None = None) -> Feel:
    if grouping not in (None, " ", ",", ".") or decimal not in (None, ",", "."):
        return None
    if grouping is not None and grouping == decimal:
        return None
    if grouping is not None:
        text = text.replace(grouping, "")
    if decimal is not None and decimal != ".":
        text = text.replace(".", "x").replace(decimal, ".")
    if len(text) > _MAX_NUMBER or _NUMBER.fullmatch(text) is None:
        return None
    return numbers.attempt(numbers.CONTEXT.create_decimal, Decimal(text))


def _string(run: Run, value: Feel) -> Feel:
    limit = min(run.profile.text_chars, run.left)
    text = printing.text_of(value, chars=limit)
    run.checked_text(len(text))
    return text


def _is(run: Run, one: Feel, other: Feel) -> Feel:
    """Say whether the values are the same element: equal, of one type, in one zone."""
    for kind in (Time, DateTime):
        if isinstance(one, kind) and isinstance(other, kind):
            return _shown(one) == _shown(other)
    return equal(one, other, run) is True


def _shown(value: Time | DateTime) -> tuple[object, ...]:
    if isinstance(value, DateTime):
        return (value.date, value.time.nanos, value.time.zone)
    return (value.nanos, value.zone)


def _get_value(context: Mapping[str, Feel], key: str) -> Feel:
    return context.get(key)


def _get_nested(context: Mapping[str, Feel], keys: list[Feel]) -> Feel:
    found: Feel = context if keys else None
    for key in keys:
        if not isinstance(found, Mapping) or not isinstance(key, str):
            return None
        found = found.get(key)
    return found


def _get_entries(context: Mapping[str, Feel]) -> Feel:
    return [{"key": key, "value": value} for key, value in context.items()]


def _context(entries: list[Feel]) -> Feel:
    made: dict[str, Feel] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or not {"key", "value"} <= entry.keys():
            return None
        key = entry["key"]
        if not isinstance(key, str) or key in made:
            return None
        made[key] = entry["value"]
    return made


def _put(context: Mapping[str, Feel], key: str, value: Feel) -> Feel:
    return {**context, key: value}


def _put_nested(context: Mapping[str, Feel], keys: list[Feel], value: Feel) -> Feel:
    if not keys or not isinstance(keys[0], str):
        return None
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = context.get(keys[0])
    if not isinstance(inner, Mapping):
        return None
    changed = _put_nested(inner, keys[1:], value)
    return None if changed is None else {**context, keys[0]: changed}


def _merge(run: Run, contexts: list[Feel]) -> Feel:
    merged: dict[str, Feel] = {}
    for context in contexts:
        if not isinstance(context, Mapping):
            return None
        run.spend(len(context))
        merged.update(context)
    return merged


def _getters() -> tuple[Signature, ...]:
    return tuple(
        signature
        for name in ("m", "context")
        for signature in (
            plain(_get_value, parameter(name, CONTEXT), parameter("key", STRING)),
            plain(_get_nested, parameter(name, CONTEXT), parameter("key", LIST)),
            plain(_get_nested, parameter(name, CONTEXT), parameter("keys", LIST)),
        )
    )


_FROM: Final = parameter("from", STRING)
_CONTEXT: Final = parameter("context", CONTEXT)

FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "number": (
            plain(
                _number,
                _FROM,
                nullable("grouping separator", STRING),
                nullable("decimal separator", STRING),
                optional=2,
            ),
        ),
        "string": (budgeted(_string, parameter("from")),),
        "not": (plain(lambda value: not value, parameter("negand", BOOLEAN)),),
        "is": (budgeted(_is, nullable("value1"), nullable("value2")),),
        "get value": _getters(),
        "get entries": (
            plain(_get_entries, parameter("m", CONTEXT)),
            plain(_get_entries, _CONTEXT),
        ),
        "context": (plain(_context, parameter("entries", LIST)),),
        "context put": (
            plain(_put, _CONTEXT, parameter("key", STRING), nullable("value")),
            plain(_put_nested, _CONTEXT, parameter("keys", LIST), nullable("value")),
        ),
        "context merge": (budgeted(_merge, parameter("contexts", LIST)),),
    }
)
