"""Plain values from outside → FEEL values of a declared type: JSON has texts for dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from workflows.expressions import temporal_text
from workflows.expressions.runtime import Feel
from workflows.expressions.types import ContextOf, ListOf, Restricted, Simple, Type

_READERS: Final[dict[str, Callable[[str], Feel]]] = {
    "date": temporal_text.parse_date,
    "time": temporal_text.parse_time,
    "date and time": temporal_text.parse_date_time,
    "days and time duration": temporal_text.parse_duration,
    "years and months duration": temporal_text.parse_duration,
}


def shaped(value: Feel, wanted: Type) -> Feel:
    """Return `value` with the texts that stand for temporal values of `wanted` read as such.

    A text that is no such value stays a text, and is then refused as one of the wrong type.
    """
    match wanted:
        case Restricted(_, inner, _):
            return shaped(value, inner)
        case ListOf(item):
            if isinstance(value, list):
                return [shaped(one, item) for one in value]
            return shaped(value, item)
        case ContextOf(entries) if isinstance(value, Mapping):
            kinds = dict(entries)
            return {
                name: shaped(one, kinds[name]) if name in kinds else one
                for name, one in value.items()
            }
        case Simple(name) if isinstance(value, str) and name in _READERS:
            found = _READERS[name](value)
            return value if found is None else found
        case _:
            return value
