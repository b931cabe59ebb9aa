"""Call operations of a partner's SOAP service: zeep knows the WSDL, the wire is ours.

zeep cannot send MTOM and corrupts what it receives by it (interchange.md §8), so it builds the
envelopes and maps the replies, while `connectors.mtom` and `connectors.multipart` carry the bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import zeep
import zeep.exceptions
from lxml import etree

from connectors import contract, soap_envelope, xop
from connectors.errors import (
    HttpRefused,
    PartnerAnswerRefused,
    PartnerRefused,
    PartnerUnavailable,
    SoapRefused,
)
from connectors.http import HttpReply
from connectors.media import MULTIPART, MediaType, check_charset, parse_media_type
from connectors.multipart import Multipart, MultipartCaps, Source, bare_id, joined
from connectors.soap_envelope import SoapMessage, Version
from dossier.errors import XmlRefused
from dossier.safexml import Caps

_BINDING: Final = f"{{{contract.NAMESPACE}}}ExchangeSoap11"
_PLAIN: Final = re.compile("[0-9A-Za-z][0-9A-Za-z ./:_-]*")  # written as it is
_FIRST_MARK: Final = 4_170_000_001  # fits xs:unsignedInt and stands in no envelope
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BUSY: Final = frozenset({404, 408, 425, 429, 503})  # what may pass


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCaps:
    """What a reply may cost, a fetched container excepted."""

    reply_bytes: int = 10_000_000
    elements: int = 2_000
    depth: int = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What zeep wants to see of a reply."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    encoding: str = "utf-8"


def write_call(operation: str, *, blocks: Sequence[etree._Element] = (), **values: object) -> bytes:
    """Return the SOAP 1.1 envelope that calls `operation`, with these header blocks."""
    spelled = {name: _spelled(value) for name, value in values.items()}
    if blocks or None in spelled.values():
        return _written(operation, blocks, values)
    pieces, order = _form(operation, tuple((name, type(one)) for name, one in values.items()))
    filled = [pieces[0]]
    for name, piece in zip(order, pieces[1:], strict=True):
        filled += (spelled[name] or b"", piece)
    return b"".join(filled)


def _written(
    operation: str, blocks: Sequence[etree._Element], values: Mapping[str, object]
) -> bytes:
    model = _model()
    headers = {"_soapheaders": list(blocks)} if blocks else {}
    bound = model.bind(port_name="Soap11")
    envelope = model.create_message(bound, operation, **values, **headers)
    return etree.tostring(envelope, encoding="UTF-8")


def _spelled(value: object) -> bytes | None:
    """Return a value as zeep writes it; None where that takes more than copying it."""
    if isinstance(value, bytes):
        return base64.b64encode(value)
    if isinstance(value, str | int) and _PLAIN.fullmatch(text := str(value)):
        return text.encode()
    return None


@cache
def _form(
    operation: str, kinds: tuple[tuple[str, type], ...]
) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Return what zeep writes around the values of a call, and the values' order.

    zeep writes each call anew in a tenth of what sending it costs; what changes is copied in.
    """
    marks: dict[str, object] = {}
    for number, (name, kind) in enumerate(kinds, start=_FIRST_MARK):
        text = str(number)
        marks[name] = number if kind is int else text.encode() if kind is bytes else text
    written = _written(operation, (), marks)
    spelled = {_spelled(mark) or b"": name for name, mark in marks.items()}
    found = re.split(b"(" + b"|".join(map(re.escape, spelled)) + b")", written)
    return tuple(found[::2]), tuple(spelled[mark] for mark in found[1::2])


def call_headers(operation: str, content_type: str = "text/xml; charset=utf-8") -> dict[str, str]:
    """Return the HTTP headers of a call; MTOM replies are welcome."""
    return {
        "Content-Type": content_type,
        "SOAPAction": f'"{contract.action(operation)}"',
        "Accept": "multipart/related, text/xml",
    }


def read_result(
    reply: HttpReply,
    operation: str,
    *,
    caps: ClientCaps,
    check: Callable[[SoapMessage], None] = lambda message: None,
) -> Any:  # noqa: ANN401 - zeep states no types
    """Return what zeep makes of the reply: the one child's value, or an object with all of them.

    `check` may refuse more of the envelope by `SoapRefused`.

    Raises `PartnerRefused`, `PartnerUnavailable`, or `PartnerAnswerRefused` for what is no reply
    of this operation.
    """
    try:
        message = _read_message(reply, caps)
        if message.content.tag != f"{{{Version.SOAP11.value}}}Fault":
            contract.service().check(message.content)
            check(message)
    except (HttpRefused, SoapRefused, XmlRefused) as exc:
        raise no_answer(reply.status) from exc
    held = message.content
    # A sound reply that is one file alone takes no mapping.
    is_file = len(held) == 1 and held[0].tag in contract.service().binary_elements
    if is_file and held.tag == contract.qname(f"{operation}Response"):
        return base64.b64decode(held[0].text or "")
    answer = _Answer(
        status_code=reply.status,
        content=etree.tostring(message.root),
        headers={"Content-Type": "text/xml; charset=utf-8"},
    )
    binding = _model().wsdl.bindings[_BINDING]
    try:
        return binding.process_reply(_model(), binding.get(operation), answer)
    except zeep.exceptions.Fault as exc:
        raise _fault(exc, reply.status) from exc
    except (zeep.exceptions.Error, ValueError) as exc:
        raise no_answer(reply.status) from exc


def media_of(reply: HttpReply) -> MediaType:
    """Return the reply's type; raise `HttpRefused` for a compressed reply or a foreign charset."""
    if reply.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpRefused("expected no Content-Encoding")
    media = parse_media_type(reply.headers.get("content-type", ""))
    check_charset(media)
    return media


def parse_reply(content: bytes, caps: ClientCaps) -> SoapMessage:
    """Return the envelope of a reply."""
    limits = Caps(size_bytes=caps.reply_bytes, depth=caps.depth, elements=caps.elements)
    return soap_envelope.parse_envelope(content, expected=Version.SOAP11, caps=limits)


def no_answer(status: int) -> PartnerAnswerRefused:
    """Return the error for a reply that is none: the call may have worked, so repeat it."""
    return PartnerAnswerRefused(
        f"expected the reply of the operation, got HTTP {status} without it", status=status
    )


@cache
def _model() -> Any:  # noqa: ANN401 - zeep states no types
    """Return zeep's model of the vendored WSDL, parsed once per process."""
    settings = zeep.Settings(
        strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    path = str(contract.wsdl_path())
    return zeep.Client(path, settings=settings)  # type: ignore[no-untyped-call]  # zeep's


def _read_message(reply: HttpReply, caps: ClientCaps) -> SoapMessage:
    """Return the reply as one plain envelope, its included parts put back into it."""
    media = media_of(reply)
    source = Source(reply)
    if media.name == Version.SOAP11.media_type:
        return parse_reply(source.all(caps.reply_bytes), caps)
    if media.name != MULTIPART:
        raise HttpRefused("expected text/xml or multipart/related")
    parts = _small_parts(source, media, caps)
    root_id = bare_id(media.parameters.get("start", "")) or next(iter(parts), "")
    if root_id not in parts:
        raise HttpRefused("expected the root part that start names")
    message = parse_reply(parts.pop(root_id), caps)
    _put_back(message, parts)
    return message


def _small_parts(source: Source, media: MediaType, caps: ClientCaps) -> dict[str, bytes]:
    body = Multipart(source, boundary=media.boundary(), caps=MultipartCaps())
    parts: dict[str, bytes] = {}
    budget = caps.reply_bytes
    for part in body.parts():
        if part.content_id in parts:
            raise HttpRefused("expected distinct Content-IDs")
        parts[part.content_id] = joined(part.chunks, limit_bytes=budget)
        budget -= len(parts[part.content_id])
    return parts


def _put_back(message: SoapMessage, parts: Mapping[str, bytes]) -> None:
    binary = contract.service().binary_elements
    held = xop.detach(message.root, message.content, binary=binary, attachments=True)
    for node in message.content.iter(*binary):
        found = held[node.text or ""]
        if isinstance(found, xop.Inline):
            node.text = found.text
        elif found.content_id in parts:
            node.text = base64.b64encode(parts[found.content_id]).decode()
        else:
            raise HttpRefused("expected the part that xop:Include names")


def _fault(fault: Any, status: int) -> PartnerRefused | PartnerUnavailable:  # noqa: ANN401 - zeep
    """Return the fault as our error: its code and blame are the partner's claims."""
    detail = getattr(fault, "detail", None)
    found = detail.find(f".//{contract.qname('ErrorCode')}") if detail is not None else None
    text = (found.text or "") if found is not None else ""
    partner_code = text if _CODE.fullmatch(text) else "unknown"
    blame = str(fault.code or "").rpartition(":")[2]
    message = f"expected an answer, got fault {partner_code}"
    if blame == "Server" or status in _BUSY:
        return PartnerUnavailable(message, partner_code=partner_code)
    return PartnerRefused(message, partner_code=partner_code)
