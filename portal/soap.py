"""Adapt WSGI to `WireRequest` and `WireReply`, for endpoints that read their bodies as streams.

Written for gunicorn with threads: it de-chunks bodies and keeps what the client sent behind
`Expect: 100-continue`, but waits for slow clients for ever and passes over a Content-Length that
was not fulfilled. Both are caught here.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import BinaryIO, Final, Protocol, cast
from wsgiref.types import StartResponse, WSGIEnvironment

from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # no types

from dossier.wire import WireEndpoint, WireReply, WireRequest
from portal.deadlines import Deadlines

_MAX_HEADERS: Final = 64
_MAX_HEADER_BYTES: Final = 16 * 1024
_LINGER_BYTES: Final = 1024**3
_LINGER_CHUNK_BYTES: Final = 16 * 1024
_LINE_BREAKS: Final = str.maketrans({"\r": " ", "\n": " ", "\x00": " "})
_PLAIN: Final[Mapping[str, str]] = MappingProxyType({"CONTENT_TYPE": "", "CONTENT_LENGTH": ""})


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How slow a client may be."""

    grace_seconds: float = 10.0  # before the minimum rate counts
    minimum_bytes_per_second: int = 8 * 1024
    total_seconds: float = 900.0  # for the whole body


class _Input(Protocol):
    """What WSGI hands us as the body."""

    def read(self, size: int, /) -> bytes: ...


_LINGER: Final = Patience(grace_seconds=2.0, minimum_bytes_per_second=64 * 1024, total_seconds=30.0)


class WireApp:
    """A WSGI application around one `WireEndpoint`."""

    def __init__(self, endpoint: WireEndpoint, *, patience: Patience | None = None) -> None:
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._deadlines = Deadlines()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        headers = _headers(environ)
        if headers is None:
            return _send(_too_many(), start_response)
        stream = BodyStream(environ, patience=self._patience, deadlines=self._deadlines)
        request = WireRequest(
            method=environ["REQUEST_METHOD"],
            path=environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            stream=cast(BinaryIO, stream),  # only `read` is ever called
            peer=environ.get("REMOTE_ADDR", ""),
        )
        reply = self._endpoint(request)
        body = _send(reply, start_response)
        return _Lingering(body, stream) if reply.headers.get("Connection") == "close" else body


class _Lingering:
    """An early answer, after which the rest of the request is let in and thrown away.

    Most clients read nothing before they have sent everything, and closing on unread bytes
    resets the connection: they would see a broken pipe instead of the fault.
    """

    def __init__(self, body: Iterable[bytes], stream: BodyStream) -> None:
        self._body = body
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Do it; gunicorn calls this when the answer is sent."""
        self._stream.linger(_LINGER)


class BodyStream:
    """The body of a request, bounded by its framing and by our patience."""

    def __init__(
        self, environ: WSGIEnvironment, *, patience: Patience, deadlines: Deadlines
    ) -> None:
        self._input: _Input = environ["wsgi.input"]
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._left = _announced(environ)
        self._patience = patience
        self._deadlines = deadlines
        self._received = 0
        self._since: float | None = None

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b"" at the end.

        Raises `TimeoutError` when the client is too slow, `EOFError` when the body ends before
        its Content-Length or its last chunk.
        """
        wanted = size if self._left is None else min(size, self._left)
        if wanted <= 0:
            return b""
        chunk = self._read(wanted)
        self._received += len(chunk)
        if self._left is not None:
            self._left -= len(chunk)
            if not chunk:
                raise EOFError("expected as many bytes as Content-Length says")
        return chunk

    def linger(self, patience: Patience) -> None:
        """Say that nothing more will be sent, then read on for a while."""
        self._patience, self._since, self._received = patience, None, 0
        with suppress(OSError, EOFError):
            if self._socket is not None and not isinstance(self._socket, ssl.SSLSocket):
                self._socket.shutdown(socket.SHUT_WR)
            while self._received < _LINGER_BYTES and self.read(_LINGER_CHUNK_BYTES):
                pass

    def _read(self, wanted: int) -> bytes:
        try:
            if self._socket is None:
                return self._input.read(wanted)
            within = self._seconds_for(wanted)
            return self._deadlines.read(self._socket, within, partial(self._input.read, wanted))
        except TimeoutError:
            raise
        except (ParseException, OSError) as exc:
            raise EOFError("expected a well-framed body to its end") from exc

    def _seconds_for(self, wanted: int) -> float:
        """Return how long the next read may take so that rate and total still hold."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        patience = self._patience
        rated = patience.grace_seconds + (self._received + wanted) / (
            patience.minimum_bytes_per_second
        )
        left = self._since + min(rated, patience.total_seconds) - now
        if left <= 0:
            raise TimeoutError("expected the body faster")
        return left


def _announced(environ: WSGIEnvironment) -> int | None:
    """Return the Content-Length; None for a chunked body, which ends by itself."""
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isdecimal() else 0


def _headers(environ: WSGIEnvironment) -> dict[str, str] | None:
    """Return the headers with their names in lower case, None where they pass a cap."""
    found = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in _PLAIN and value)
    }
    size = sum(len(name) + len(value) for name, value in found.items())
    return None if len(found) > _MAX_HEADERS or size > _MAX_HEADER_BYTES else found


def _too_many() -> WireReply:
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return WireReply(status=status, headers={"Content-Length": "0"}, body=())


def _send(reply: WireReply, start_response: StartResponse) -> Iterable[bytes]:
    # Header values are ours, but some quote the request: nobody may add a line (row 48).
    headers = [(name, value.translate(_LINE_BREAKS)) for name, value in reply.headers.items()]
    if reply.headers.get("Connection") == "close":
        _close_after(start_response)
    start_response(f"{int(reply.status)} {HTTPStatus(reply.status).phrase}", headers)
    return reply.body


def _close_after(start_response: StartResponse) -> None:
    """Close the connection after the answer: the rest of the body is not read.

    gunicorn drops an application's own Connection header; the response that `start_response`
    is bound to is the only way to say it.
    """
    force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
    if force_close is not None:
        force_close()
