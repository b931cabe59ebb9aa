"""Turn what a foreign service answers into plain values: canonical JSON has no other kind."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from zeep.helpers import serialize_object

from dossier.canonical import Json

_DEPTH: Final = 20


def plain(answer: object) -> Mapping[str, Json]:
    """Return the members of an answer; a bare value is the member `result`.

    Raises `ValueError` for what has no plain form.
    """
    value = _plain(serialize_object(answer, dict), 0)  # type: ignore[no-untyped-call]  # zeep's
    return value if isinstance(value, dict) else {"result": value}


def _plain(value: object, depth: int) -> Json:
    if depth > _DEPTH:
        raise ValueError("expected fewer levels")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | float | timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, depth + 1) for one in value]
    raise ValueError("expected a value with a plain form")
