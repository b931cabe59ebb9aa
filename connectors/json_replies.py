"""Read JSON replies of foreign systems within a cap; what is no reply means: call again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from connectors.errors import HttpRefused, PartnerAnswerRefused
from connectors.http import HttpReply
from connectors.multipart import Source

_BUSY: Final = frozenset({404, 408, 425, 429})


def read_object(reply: HttpReply, *, limit_bytes: int) -> Mapping[str, Any]:
    """Return the JSON object in the reply; raise `PartnerAnswerRefused` where there is none.

    Redirects, busy and broken servers count as no reply, whatever their bodies say.
    """
    refused = PartnerAnswerRefused(
        f"expected a JSON object, got HTTP {reply.status} without it", status=reply.status
    )
    if reply.status >= 500 or reply.status in _BUSY or reply.status in range(300, 400):
        raise refused
    try:
        answer = json.loads(Source(reply).all(limit_bytes))
    except (HttpRefused, ValueError, RecursionError) as exc:
        raise refused from exc
    if not isinstance(answer, dict):
        raise refused
    return answer


def objects(found: object) -> list[Mapping[str, Any]]:
    """Return a list of objects, an empty one for null; raise `PartnerAnswerRefused` otherwise."""
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PartnerAnswerRefused("expected a list of objects", status=200)
    return found
