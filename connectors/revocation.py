"""Fetch what authorities say about revocation: CRLs and OCSP responses, within caps.

They are signed, so plain http is no harm, and certificates name little else; what they say counts
only after `signing` has verified it. The host rule decides who is asked at all.
"""

from __future__ import annotations

from typing import Final

from connectors.errors import HttpRefused, PartnerAnswerRefused
from connectors.http import HttpClient, HttpReply
from connectors.multipart import Source

_LIST_BYTES: Final = 32 * 1024 * 1024
_RESPONSE_BYTES: Final = 64 * 1024
_ASKED: Final = {"Content-Type": "application/ocsp-request"}


def fetch_list(http: HttpClient, address: str) -> bytes:
    """Return what an address serves as a CRL, unverified.

    Raises `EndpointForbidden`, `PartnerUnavailable`, or `PartnerAnswerRefused`.
    """
    with http.request("GET", address) as reply:
        return _content(reply, limit_bytes=_LIST_BYTES)


def ask_responder(http: HttpClient, address: str, request: bytes) -> bytes:
    """Return a responder's answer to an OCSPRequest (RFC 6960 appendix A.1), unverified."""
    with http.post(address, body=request, headers=_ASKED) as reply:
        return _content(reply, limit_bytes=_RESPONSE_BYTES)


def _content(reply: HttpReply, *, limit_bytes: int) -> bytes:
    if reply.status != 200:
        raise PartnerAnswerRefused(
            f"expected an answer, got HTTP {reply.status}", status=reply.status
        )
    try:
        return Source(reply).all(limit_bytes)
    except HttpRefused as exc:
        raise PartnerAnswerRefused("expected an answer within its cap", status=200) from exc
