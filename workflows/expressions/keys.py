"""Hashable keys of values, equal exactly where FEEL's equality says true."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from workflows.expressions.compare import moment_key
from workflows.expressions.runtime import Feel, Range, Run, kind_of
from workflows.expressions.temporal import DateTime, Time


def key_of(value: Feel, run: Run) -> Hashable:
    """Return the key of `value`; each item and entry costs a step."""
    if isinstance(value, list):
        run.spend(len(value))
        return ("list", *(key_of(item, run) for item in value))
    if isinstance(value, Mapping):
        run.spend(len(value))
        return ("context", frozenset((name, key_of(item, run)) for name, item in value.items()))
    if isinstance(value, Time | DateTime):
        return (kind_of(value), moment_key(value))
    if isinstance(value, Range):
        flags = (value.low_included, value.high_included)
        return ("range", key_of(value.low, run), key_of(value.high, run), flags)
    return (kind_of(value), value)
