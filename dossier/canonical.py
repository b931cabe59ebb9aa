"""Canonical JSON: one byte sequence per value, so that digests and log leaves can be compared.

The form is RFC 8785 restricted to null, booleans, integers, strings, arrays and objects:
keys sorted by code point, no white space, no floats, text in NFC.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from dossier.errors import CanonicalRefused

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

_MOST_LEVELS: Final = 32
# Made once: every transition writes a dozen values.
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True
)


def dump(value: Json) -> bytes:
    """Return the canonical bytes of `value`; raise `CanonicalRefused` for any other type."""
    text = _ENCODER.encode(value if _is_plain(value, 0) else _checked(value, 0))
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise CanonicalRefused("expected Unicode text, got a lone surrogate") from exc


def parse(content: bytes) -> Json:
    """Return the value of canonical bytes; any other spelling of it is refused."""
    try:
        value: Json = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise CanonicalRefused("expected canonical JSON, got something else") from exc
    if dump(value) != content:
        raise CanonicalRefused("expected canonical JSON, got another spelling of the same value")
    return value


def load(content: str) -> Json:
    """Return the value of text that `dump` wrote, such as a column of ours, without a check."""
    try:
        value: Json = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise CanonicalRefused("expected canonical JSON, got something else") from exc
    return value


def digest(value: Json) -> str:
    """Return the SHA-256 of the canonical bytes, in lower-case hexadecimal."""
    return hashlib.sha256(dump(value)).hexdigest()


def _is_plain(value: Any, depth: int) -> bool:  # noqa: ANN401 - the checks narrow too slowly
    """Tell cheaply that the encoder may have the value as it is, which is so nearly always."""
    if depth > _MOST_LEVELS:
        return False
    kind = type(value)
    if kind is str:
        return _is_normal(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not _is_normal(key) or not _is_plain(item, depth + 1):
                return False
        return True
    if kind is list or kind is tuple:
        return all([_is_plain(item, depth + 1) for item in value])
    return kind is int or kind is bool or value is None


def _checked(value: object, depth: int) -> object:
    if depth > _MOST_LEVELS:
        raise CanonicalRefused(f"expected at most {_MOST_LEVELS} levels, got more")
    if isinstance(value, str):
        return _normal(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, dict | Mapping):
        pairs = {_normal(key): _checked(item, depth + 1) for key, item in value.items()}
        if len(pairs) != len(value):
            raise CanonicalRefused("expected distinct keys, got two that are equal in NFC")
        return pairs
    if isinstance(value, list | Sequence) and not isinstance(value, bytes | bytearray):
        return [_checked(item, depth + 1) for item in value]
    raise CanonicalRefused(f"expected a JSON value, got {type(value).__name__}")


def _normal(text: object) -> str:
    if not isinstance(text, str):
        raise CanonicalRefused("expected text keys, got another type")
    return text if _is_normal(text) else unicodedata.normalize("NFC", text)


def _is_normal(text: str) -> bool:
    return text.isascii() or unicodedata.is_normalized("NFC", text)
