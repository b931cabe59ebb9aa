"""X-Road headers (message protocol 4.0), for nodes that stand behind a security server.

The security servers sign and log; here headers are only read, repeated in the reply, and sent
when the directory routes a message that way. They prove nothing about the container.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from connectors.errors import XRoadRefused
from connectors.soap_envelope import SoapMessage

NAMESPACE: Final = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS: Final = "http://x-road.eu/xsd/identifiers"
PROTOCOL_VERSION: Final = "4.0"
_HEADER_BYTES: Final = 8 * 1024
_HASH: Final = "requestHash"
_HASH_ALGORITHM: Final = "http://www.w3.org/2001/04/xmlenc#sha512"
_NEEDED: Final = ("client", "service", "id", "protocolVersion")


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadId:
    """A member or subsystem; with a service code, one of its services."""

    instance: str
    member_class: str
    member_code: str
    subsystem: str = ""
    service_code: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The way of one message through X-Road."""

    client: XRoadId
    service: XRoadId
    message_id: str  # unique per call
    user_id: str = ""  # with its country before it
    issue: str = ""  # the dossier that the call belongs to


def reply_headers(message: SoapMessage, *, operation: str, request: bytes) -> bytes:
    """Return the X-Road headers of a reply: the request's, and its hash; b"" without any.

    `request` is the envelope as it came. A security server puts a hash of its own in this place.

    Raises `XRoadRefused` for headers of another protocol version, given twice, or meant for
    another operation than the one in the Body.
    """
    blocks = [one for one in _blocks(message) if etree.QName(one).localname != _HASH]
    if not blocks:
        return b""
    names = [etree.QName(block).localname for block in blocks]
    if len(set(names)) != len(names) or not set(_NEEDED) <= set(names):
        raise XRoadRefused("expected each header of X-Road once", reason="headers")
    found = dict(zip(names, blocks, strict=True))
    if (found["protocolVersion"].text or "").strip() != PROTOCOL_VERSION:
        raise XRoadRefused(f"expected protocol {PROTOCOL_VERSION}", reason="version")
    code = found["service"].findtext(f"{{{IDENTIFIERS}}}serviceCode")
    if code is not None and code.strip() != operation:
        raise XRoadRefused("expected the operation in the Body as the service", reason="service")
    written = b"".join(
        etree.tostring(block, method="c14n", exclusive=True, with_comments=False)
        for block in blocks
    )
    if len(written) > _HEADER_BYTES:
        raise XRoadRefused("expected shorter headers", reason="size")
    return written + _request_hash(request)


def write_headers(route: Route) -> list[etree._Element]:
    """Return the header blocks of a request."""
    blocks = [
        _identifier("client", route.client),
        _identifier("service", route.service),
        _text("id", route.message_id),
    ]
    if route.user_id:
        blocks.append(_text("userId", route.user_id))
    if route.issue:
        blocks.append(_text("issue", route.issue))
    blocks.append(_text("protocolVersion", PROTOCOL_VERSION))
    return blocks


def check_reply(message: SoapMessage, route: Route) -> None:
    """Raise `XRoadRefused` unless a reply repeats the headers of the request.

    `requestHash` and what else is added are passed over: the security server of the client has
    compared the hash with what it sent on, which this side does not see.
    """
    sent = {_canonical(block) for block in write_headers(route)}
    if not sent <= {_canonical(block) for block in _blocks(message)}:
        raise XRoadRefused("expected the reply to repeat the headers", reason="reply")


def _request_hash(request: bytes) -> bytes:
    block = _text(_HASH, base64.b64encode(hashlib.sha512(request).digest()).decode())
    block.set("algorithmId", _HASH_ALGORITHM)
    return etree.tostring(block)


def _blocks(message: SoapMessage) -> Sequence[etree._Element]:
    if len(message.root) == 1:
        return ()
    return [block for block in message.root[0] if etree.QName(block).namespace == NAMESPACE]


def _identifier(name: str, identifier: XRoadId) -> etree._Element:
    kind = (
        "SERVICE" if identifier.service_code else "SUBSYSTEM" if identifier.subsystem else "MEMBER"
    )
    block = etree.Element(
        f"{{{NAMESPACE}}}{name}",
        {f"{{{IDENTIFIERS}}}objectType": kind},
        nsmap={"xro": NAMESPACE, "id": IDENTIFIERS},
    )
    parts = {
        "xRoadInstance": identifier.instance,
        "memberClass": identifier.member_class,
        "memberCode": identifier.member_code,
        "subsystemCode": identifier.subsystem,
        "serviceCode": identifier.service_code,
    }
    for part, value in parts.items():
        if value:
            etree.SubElement(block, f"{{{IDENTIFIERS}}}{part}").text = value
    return block


def _text(name: str, value: str) -> etree._Element:
    block = etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={"xro": NAMESPACE})
    block.text = value
    return block


def _canonical(block: etree._Element) -> tuple[str, ...]:
    """Return name, attributes and texts, which are the same whatever the prefixes are."""
    return tuple(
        part
        for node in block.iter()
        for part in (
            str(node.tag),
            *sorted(f"{key!s}={value!s}" for key, value in node.items()),
            (node.text or "").strip(),
        )
    )
