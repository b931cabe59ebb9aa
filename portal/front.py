"""What every request meets before and after its view: the wire's paths, body limits, headers.

Django's middleware list stands in `exchange.django_settings`; what the portal adds to each answer
is here, around Django, so that no page, refusal or failure can leave without it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from exchange.node import Node
from exchange.sweep import drop_worn_out
from portal import errors
from portal.deadlines import Deadlines
from portal.pages import NODE
from portal.problems import is_rest
from portal.soap import BodyStream, Patience

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FORM_BYTES: Final = 1024**2
_FRAMING_BYTES: Final = 256 * 1024  # what a form weighs beside its file
_READ_BYTES: Final = 64 * 1024


class Entrance:
    """Sends a request to the wire or to the pages, by its path."""

    def __init__(self, *, pages: WSGIApplication, wires: Mapping[str, WSGIApplication]) -> None:
        self._pages = pages
        self._wires = wires

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        wire = self._wires.get(environ.get("PATH_INFO", "").rstrip("/"))
        if wire is None:
            return self._pages(environ, start_response)
        # As Django does around its own requests: connections that broke meanwhile are let go.
        drop_worn_out()
        try:
            return wire(environ, start_response)
        finally:
            drop_worn_out()


class Front(WSGIHandler):
    """Django, with our limits before it and our headers after it."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node
        self._patience = Patience()
        self._deadlines = Deadlines()
        self._limits = (
            (re.compile(r"/dossiers/[^/]+/documents"), node.settings.max_document_bytes),
            (re.compile(r"/tasks/[^/]+/complete"), node.settings.max_container_bytes),
            (re.compile(r"/verify"), node.settings.max_container_bytes),
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> HttpResponseBase:
        """Answer one request, whose body has to come in time."""
        body = BodyStream(environ, patience=self._patience, deadlines=self._deadlines)
        if _announced(environ) > self.limit_of(environ.get("PATH_INFO", "")):
            _close_after(start_response)
        return super().__call__({**environ, "wsgi.input": _Body(body)}, start_response)

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Return the answer to a request: a refusal of its size, or what its view says."""
        request.META[NODE] = self._node
        # Vietnamese unless the person chose otherwise: the choice is a cookie, not the browser's.
        # A program says in each request which language it wants.
        if not is_rest(request):
            request.META.pop("HTTP_ACCEPT_LANGUAGE", None)
        translation.activate(translation.get_language_from_request(request))
        limit = self.limit_of(request.path)
        if _announced(request.META) > limit:
            _discard(request, limit)
            response: HttpResponseBase = errors.too_large(request, limit=limit)
        else:
            response = super().get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def limit_of(self, path: str) -> int:
        """Return how many bytes a request to this path may bring."""
        for pattern, limit in self._limits:
            if pattern.fullmatch(path):
                return limit + _FRAMING_BYTES
        return _FORM_BYTES


class _Body(io.RawIOBase):
    """A body as Django reads it: one that ends early is an `OSError` to it."""

    def __init__(self, stream: BodyStream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, into: WriteableBuffer, /) -> int:
        """Fill the buffer with what comes next and return how much that is, 0 at the end."""
        view = memoryview(into)
        try:
            chunk = self._stream.read(len(view))
        except EOFError as exc:
            raise OSError("expected the whole body") from exc
        view[: len(chunk)] = chunk
        return len(chunk)


def _close_after(start_response: StartResponse) -> None:
    """Close the connection after the answer, or gunicorn reads on for all that was announced."""
    force_close = getattr(getattr(start_response, "__self__", None), "force_close", None)
    if force_close is not None:
        force_close()


def _announced(environ: Mapping[str, Any]) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _discard(request: HttpRequest, limit: int) -> None:
    """Read on for a while, so that a browser that is still sending sees the refusal."""
    left = min(_announced(request.META), 2 * limit)
    stream = request.META["wsgi.input"]
    with suppress(OSError):
        while left > 0 and (chunk := stream.read(min(left, _READ_BYTES))):
            left -= len(chunk)
