"""Case values between rows and engine: whole numbers stand plainly in rows, forms and messages.

The engine's own codec marks every number; people's forms and payloads say `12`. Other types keep
the codec's form (docs/reference/feel.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from dossier.canonical import Json
from workflows.expressions.values import Value, decode_value, encode_value

_NUMBER: Final = "$number"
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def to_value(stored: Json) -> Value:
    """Return the engine's value of a stored one; raise `ValueRefused` for any other form."""
    return decode_value(_marked(stored))


def to_values(stored: Mapping[str, Json]) -> dict[str, Value]:
    """Return the engine's values of stored ones."""
    return {name: to_value(value) for name, value in stored.items()}


def to_json(value: Value) -> Json:
    """Return the form in which a value of the engine is stored and travels."""
    return _plain(encode_value(value))


def _marked(stored: Json) -> Json:
    if isinstance(stored, bool) or stored is None or isinstance(stored, str):
        return stored
    if isinstance(stored, int):
        return {_NUMBER: str(stored)}
    if isinstance(stored, Mapping):
        return {key: _marked(item) for key, item in stored.items()}
    return [_marked(item) for item in stored]


def _plain(encoded: Json) -> Json:
    if isinstance(encoded, Mapping):
        number = encoded.get(_NUMBER)
        if len(encoded) == 1 and isinstance(number, str) and _WHOLE.fullmatch(number):
            return int(number)
        return {key: _plain(item) for key, item in encoded.items()}
    if isinstance(encoded, Sequence) and not isinstance(encoded, str):
        return [_plain(item) for item in encoded]
    return encoded
