"""Call a partner's SOAP service: zeep knows the WSDL, the wire is ours.

zeep cannot send MTOM and corrupts what it receives by it (interchange.md §8), so it builds the
envelope and maps the reply, while `connectors.mtom` and `connectors.multipart` carry the bytes.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
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
from connectors.http import HttpClient, HttpReply
from connectors.media import MULTIPART, MediaType, check_charset, parse_media_type
from connectors.mtom import MtomBody, Progress
from connectors.multipart import Multipart, MultipartCaps, Source, bare_id, joined
from connectors.soap_envelope import SoapMessage, Version
from dossier.errors import XmlRefused
from dossier.safexml import Caps
from dossier.wire import SendHints

_BINDING: Final = f"{{{contract.NAMESPACE}}}ExchangeSoap11"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BUSY: Final = frozenset({404, 408, 425, 429})  # of the 4xx, those that may pass


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCaps:
    """What a reply may cost."""

    reply_bytes: int = 1024 * 1024
    elements: int = 500
    depth: int = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What zeep wants to see of a reply."""

    status_code: int
    content: bytes
    headers: dict[str, str]
    encoding: str = "utf-8"


class SoapClient:
    """A `Sending` over SOAP 1.1 with MTOM; one per process."""

    def __init__(
        self,
        *,
        http: HttpClient,
        caps: ClientCaps | None = None,
        progress: Progress = lambda read, total: None,
    ) -> None:
        self._http = http
        self._caps = caps or ClientCaps()
        self._progress = progress

    def send(self, endpoint: str, hints: SendHints, container: Path) -> bytes:
        """Return the receipt's bytes as received, unverified.

        Raises `EndpointForbidden` and `PartnerRefused` where no retry helps, else
        `PartnerUnavailable`: the same bytes are to be sent again.
        """
        placeholder = base64.b64encode(secrets.token_bytes(24))
        model = _model()
        envelope = model.create_message(
            model.bind(port_name="Soap11"),
            "SendMessage",
            From=hints.from_agency,
            To=hints.to_agency,
            MessageId=hints.message_id,
            ContainerSha256=hints.container_sha256,
            Size=hints.size_bytes,
            Container=base64.b64decode(placeholder),
        )
        try:
            body = MtomBody(
                envelope, placeholder=placeholder, container=container, progress=self._progress
            )
        except OSError as exc:
            raise PartnerUnavailable("expected a readable container") from exc
        with body:
            headers = {
                "Content-Type": body.content_type,
                "SOAPAction": f'"{contract.action("SendMessage")}"',
            }
            with self._http.post(endpoint, body=body, headers=headers) as reply:
                return self._receipt(reply)

    def _receipt(self, reply: HttpReply) -> bytes:
        try:
            answer = self._answer(reply)
        except (HttpRefused, SoapRefused, XmlRefused) as exc:
            raise _no_answer(reply.status) from exc
        binding = _model().wsdl.bindings[_BINDING]
        try:
            receipt = binding.process_reply(_model(), binding.get("SendMessage"), answer)
        except zeep.exceptions.Fault as exc:
            raise _fault(exc, reply.status) from exc
        except (zeep.exceptions.Error, ValueError) as exc:
            raise _no_answer(reply.status) from exc
        if not isinstance(receipt, bytes) or not receipt:
            raise _no_answer(reply.status)
        return receipt

    def _answer(self, reply: HttpReply) -> _Answer:
        """Return the reply as one plain envelope that has passed our own checks."""
        if reply.headers.get("content-encoding", "identity").lower() != "identity":
            raise HttpRefused("expected no Content-Encoding")
        media = parse_media_type(reply.headers.get("content-type", ""))
        check_charset(media)
        source = Source(reply)
        if media.name == MULTIPART:
            message = self._multipart(source, media)
        elif media.name == Version.SOAP11.media_type:
            message = self._parse(source.all(self._caps.reply_bytes))
        else:
            raise HttpRefused("expected text/xml or multipart/related")
        if message.content.tag != f"{{{Version.SOAP11.value}}}Fault":
            contract.service().check(message.content)
        return _Answer(
            status_code=reply.status,
            content=etree.tostring(message.root),
            headers={"Content-Type": "text/xml; charset=utf-8"},
        )

    def _multipart(self, source: Source, media: MediaType) -> SoapMessage:
        """Read all parts of a small reply and put the included ones back into the envelope."""
        body = Multipart(source, boundary=media.boundary(), caps=MultipartCaps())
        parts: dict[str, bytes] = {}
        budget = self._caps.reply_bytes
        for part in body.parts():
            if part.content_id in parts:
                raise HttpRefused("expected distinct Content-IDs")
            parts[part.content_id] = joined(part.chunks, limit_bytes=budget)
            budget -= len(parts[part.content_id])
        root_id = bare_id(media.parameters.get("start", "")) or next(iter(parts), "")
        if root_id not in parts:
            raise HttpRefused("expected the root part that start names")
        message = self._parse(parts.pop(root_id))
        _put_back(message, parts)
        return message

    def _parse(self, content: bytes) -> SoapMessage:
        caps = Caps(
            size_bytes=self._caps.reply_bytes,
            depth=self._caps.depth,
            elements=self._caps.elements,
        )
        return soap_envelope.parse_envelope(content, expected=Version.SOAP11, caps=caps)


@cache
def _model() -> Any:  # noqa: ANN401 - zeep states no types
    """Return zeep's model of the vendored WSDL, parsed once per process."""
    settings = zeep.Settings(
        strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    return zeep.Client(str(contract.wsdl_path()), settings=settings)  # type: ignore[no-untyped-call]  # zeep states no types


def _put_back(message: SoapMessage, parts: dict[str, bytes]) -> None:
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
    if blame == "Server" or status in _BUSY or status == 503:
        return PartnerUnavailable(
            f"expected a receipt, got fault {partner_code}", partner_code=partner_code
        )
    return PartnerRefused(
        f"expected a receipt, got fault {partner_code}", partner_code=partner_code
    )


def _no_answer(status: int) -> PartnerAnswerRefused:
    """Return the error for a reply that is none: the message may have arrived, so send again."""
    return PartnerAnswerRefused(
        f"expected the reply of the operation, got HTTP {status} without it", status=status
    )
