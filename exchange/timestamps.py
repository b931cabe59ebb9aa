"""A client of an outside time-stamp authority (RFC 3161 over HTTP)."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import urlsplit

from connectors.errors import PartnerUnavailable
from connectors.http import HttpClient, Timeouts, only_hosts
from signing.errors import TimestampMalformed, TimestampUnavailable
from signing.timestamp import parse_token
from signing.tsa import build_request, token_of_response

_HEADERS: Final = {"Content-Type": "application/timestamp-query"}
_MOST_BYTES: Final = 64 * 1024
_NONCE_BITS: Final = 64


def remote_authority(url: str) -> RemoteAuthority:
    """Return a client that calls the host of `url` and nobody else."""
    timeouts = Timeouts(silence_seconds=10.0, reply_seconds=20.0)
    host = urlsplit(url).hostname or ""
    http = HttpClient(may_call=only_hosts(host), timeouts=timeouts, takes_plain=True)
    return RemoteAuthority(http, url=url)


class RemoteAuthority:
    """A `signing.tsa.Timestamper` that asks the authority at one URL.

    Whether its certificate counts is judged with the node's trust folder, as for any token.
    """

    def __init__(self, http: HttpClient, *, url: str) -> None:
        self._http = http
        self._url = url

    def stamp(self, imprint_sha256: bytes) -> bytes:
        """Return a token over the digest; raise `TimestampUnavailable`."""
        nonce = secrets.randbits(_NONCE_BITS)
        try:
            token = token_of_response(self._ask(build_request(imprint_sha256, nonce=nonce)))
            answered = parse_token(token).nonce
        except (PartnerUnavailable, TimestampMalformed) as exc:
            raise TimestampUnavailable(f"expected a time-stamp: {exc.message}") from exc
        if answered != nonce:
            raise TimestampUnavailable("expected the answer to this request, got another")
        return token

    def _ask(self, request: bytes) -> bytes:
        with self._http.post(self._url, body=request, headers=_HEADERS) as reply:
            if reply.status != 200:
                raise TimestampUnavailable(f"expected status 200, got {reply.status}")
            response = b""
            while len(response) <= _MOST_BYTES and (block := reply.read(_MOST_BYTES)):
                response += block
        return response
