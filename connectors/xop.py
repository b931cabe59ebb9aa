"""Detach binary content from a body before it is validated, and say where the bytes are.

Each base64Binary element gets a random placeholder: schema and mapping see 32 characters
instead of megabytes. `xop:Include` may stand nowhere else (interchange.md §10; §12 rows 40–41).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lxml import etree

from connectors.errors import SchemaRefused, XopRefused
from connectors.multipart import bare_id

INCLUDE: Final = "{http://www.w3.org/2004/08/xop/include}Include"
_PLACEHOLDER_BYTES: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Attached:
    """Binary content that travels as a part of its own."""

    content_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inline:
    """Binary content that stood in the body, still in base64."""

    text: str

    def decoded(self) -> bytes:
        """Return the bytes; raise `SchemaRefused` for anything but strict base64."""
        try:
            return base64.b64decode("".join(self.text.split()), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise SchemaRefused("expected base64 content") from exc


Binary = Attached | Inline


def detach(
    message: etree._Element, content: etree._Element, *, binary: frozenset[str], attachments: bool
) -> Mapping[str, Binary]:
    """Put placeholders into `content` and return what each of them stands for.

    `message` is the whole envelope, `binary` names the elements that may hold binary content;
    without `attachments` the message has no parts, so any Include is refused.
    """
    found: dict[str, Binary] = {}
    seen: set[str] = set()
    for node in list(content.iter(*binary)):
        held = _held(node)
        if isinstance(held, Attached):
            if held.content_id in seen:
                raise XopRefused("expected each part included once")
            seen.add(held.content_id)
        placeholder = base64.b64encode(secrets.token_bytes(_PLACEHOLDER_BYTES)).decode()
        for child in list(node):
            node.remove(child)
        node.text = placeholder
        found[placeholder] = held
    if next(message.iter(INCLUDE), None) is not None:
        raise XopRefused("expected xop:Include in base64Binary elements only")
    if seen and not attachments:
        raise XopRefused("expected no xop:Include outside a multipart message of MTOM")
    return found


def _held(node: etree._Element) -> Binary:
    if len(node) == 0:
        return Inline(text=node.text or "")
    include = node[0]
    alone = len(node) == 1 and not (node.text or "").strip() and not (include.tail or "").strip()
    if include.tag != INCLUDE or not alone or len(include) or (include.text or "").strip():
        raise XopRefused("expected either text or one empty xop:Include")
    href = include.get("href", "")
    if set(include.attrib) != {"href"} or not href.startswith("cid:"):
        raise XopRefused("expected xop:Include with a cid: reference alone")
    content_id = bare_id(unquote(href.removeprefix("cid:")))
    if not content_id:
        raise XopRefused("expected a Content-ID in the reference")
    return Attached(content_id=content_id)
