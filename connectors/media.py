"""Parse Content-Type strictly: one type, each parameter once (RFC 9110 §8.3, RFC 2387)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.errors import MediaTypeRefused, MultipartRefused

MULTIPART: Final = "multipart/related"
XOP: Final = "application/xop+xml"

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE: Final = re.compile(rf"\s*({_WORD}/{_WORD})\s*")
# Deployed stacks leave out the quotes around <ids>, types and URIs; that has one reading too.
_UNQUOTED: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z/:<>@=?\[\]()]+"
_PARAMETER: Final = re.compile(rf';\s*(?:({_WORD})=(?:({_UNQUOTED})|"((?:[^"\\\r\n]|\\.)*)")\s*)?')
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_MAX_LENGTH: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaType:
    """A media type, in lower case, and its parameters, names in lower case."""

    name: str
    parameters: Mapping[str, str]

    def boundary(self) -> bytes:
        """Return the boundary of a multipart type; raise `MultipartRefused` without a sound one."""
        value = self.parameters.get("boundary", "")
        if not _BOUNDARY.fullmatch(value):
            raise MultipartRefused("expected a boundary as RFC 2046 describes it")
        return value.encode("ascii")


def parse_media_type(text: str) -> MediaType:
    """Return the type that `text` spells.

    Raises `MediaTypeRefused`, or `MultipartRefused` for a parameter that is given twice:
    two readers would choose different ones.
    """
    kind = _TYPE.match(text)
    if len(text) > _MAX_LENGTH or kind is None:
        raise MediaTypeRefused("expected a media type")
    parameters: dict[str, str] = {}
    at = kind.end()
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            raise MediaTypeRefused("expected parameters of a media type")
        at = found.end()
        name, token, quoted = found.groups()
        if name is None:
            continue
        if name.lower() in parameters:
            raise MultipartRefused(f"expected each parameter once, got {name.lower()} twice")
        plain = token if token is not None else re.sub(r"\\(.)", r"\1", quoted)
        parameters[name.lower()] = plain
    return MediaType(name=kind.group(1).lower(), parameters=parameters)


def check_charset(media: MediaType) -> None:
    """Refuse any charset but UTF-8 and its subset ASCII (interchange.md §12 rows 17 and 18)."""
    charset = media.parameters.get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise MediaTypeRefused("expected charset utf-8")
