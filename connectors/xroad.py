"""X-Road headers (message protocol 4.0), for nodes that stand behind a security server.

The security servers sign and log; here headers are only read, repeated in the reply, and sent
when the directory routes a message that way. They prove nothing about the container.
"""

from __future__ import annotations

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


def repeated_headers(message: SoapMessage, *, operation: str) -> bytes:
    """Return the X-Road headers of a request as its reply must repeat them; b"" without any.

    Raises `XRoadRefused` for headers of another protocol version, given twice, or meant for
    another operation than the one in the Body.
    """
    blocks = _blocks(message)
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
    return written


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

    `requestHash` and what else the security server adds are passed over.
    """
    sent = {_canonical(block) for block in write_headers(route)}
    if not sent <= {_canonical(block) for block in _blocks(message)}:
        raise XRoadRefused("expected the reply to repeat the headers", reason="reply")


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
