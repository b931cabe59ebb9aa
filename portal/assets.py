"""The few files beside the pages, served by name from a closed table under their digests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from django.http import HttpRequest, HttpResponse

from portal.errors import PageUnknown

_FILES: Final = {  # the name in an address → the file, its media type
    "portal.css": ("portal.css", "text/css; charset=utf-8"),
    "icons.svg": ("icons.svg", "image/svg+xml"),
    "favicon.svg": ("favicon.svg", "image/svg+xml"),
    "htmx.min.js": ("htmx.min.js", "text/javascript; charset=utf-8"),
}
_YEAR_SECONDS: Final = 365 * 24 * 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One file with what its address and header say about it."""

    content: bytes
    media_type: str
    digest: str


def serve(request: HttpRequest, name: str) -> HttpResponse:
    """Send a file; an address with the right digest may be kept for a year."""
    if name not in _FILES:
        raise PageUnknown("expected the name of a file of the portal")
    found = asset(name)
    response = HttpResponse(found.content, content_type=found.media_type)
    is_exact = request.GET.get("v") == found.digest
    response.headers["Cache-Control"] = (
        f"public, max-age={_YEAR_SECONDS}, immutable" if is_exact else "no-cache"
    )
    return response


@cache
def asset(name: str) -> Asset:
    """Return a file of the table, read once."""
    file, media_type = _FILES[name]
    content = resources.files("portal").joinpath("static", file).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Asset(content=content, media_type=media_type, digest=digest)
