"""Read one SOAP request from HTTP: its headers, its envelope, and its parts as they arrive.

The envelope is parsed before any part behind it is read, so the server can refuse in mid-stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connectors import contract, soap_envelope, xop, xroad
from connectors.errors import (
    BodyTooLarge,
    EncodingRefused,
    InlineTooLarge,
    MediaTypeRefused,
    MethodNotAllowed,
    MultipartRefused,
    OperationUnknown,
    SoapActionMismatch,
    WsSecurityRefused,
    XopRefused,
)
from connectors.intake import bytes_of, spool_unannounced
from connectors.media import (
    MULTIPART,
    XOP,
    MediaType,
    check_xml_charset,
    in_utf8,
    parse_media_type,
)
from connectors.multipart import Multipart, MultipartCaps, Part, Source, bare_id, joined
from connectors.soap_envelope import SoapMessage, Version
from connectors.wssecurity import SECURITY, TokenJudge, verify_message
from dossier.clock import Clock
from dossier.ids import AgencyCode
from dossier.safexml import Caps
from dossier.wire import Spool, Spooled, WireRequest

_MOST_INCLUDED: Final = 2  # parts by one call: ConfirmMessage
VERSIONS: Final[Mapping[str, Version]] = {version.media_type: version for version in Version}


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerCaps:
    """What one request may cost."""

    container_bytes: int = 512 * 1024 * 1024
    # A text node of libxml2 holds 10,000,000 bytes: 7.4 MB of file in base64 with its envelope.
    envelope_bytes: int = 10_000_000
    overhead_bytes: int = 256 * 1024  # of a whole body beyond container and envelope
    envelope_depth: int = 32
    envelope_elements: int = 2_000
    parts: int = 64
    part_header_bytes: int = 8 * 1024

    @property
    def body_bytes(self) -> int:
        """The most that a body may hold."""
        return self.container_bytes + self.envelope_bytes + self.overhead_bytes


class Parts:
    """The parts of a message beside its root, each taken once by its Content-ID."""

    def __init__(self, remaining: Iterator[Part], early: dict[str, Spooled]) -> None:
        self._remaining = remaining
        self._early = early  # what came before the root part

    def early(self, content_id: str) -> Spooled | None:
        """Return the part if it came before the root; the caller then owns it."""
        if not self._early:
            return None
        if content_id not in self._early:
            raise XopRefused("expected the part that xop:Include names")
        return self._early.pop(content_id)

    def next(self, content_id: str) -> Iterator[bytes]:
        """Return the content of the next part, which must be the one that is named."""
        part = next(self._remaining, None)
        if part is None or part.content_id != content_id:
            raise XopRefused("expected the part that xop:Include names")
        return part.chunks

    def small(self, content_ids: frozenset[str], *, limit_bytes: int) -> dict[str, bytes]:
        """Return exactly these parts by their ids, each within the limit, and end the body."""
        found: dict[str, bytes] = {}
        for content_id in content_ids & self._early.keys():
            if self._early[content_id].size_bytes > limit_bytes:
                raise BodyTooLarge(f"expected at most {limit_bytes} bytes", limit_bytes=limit_bytes)
            found[content_id] = bytes_of(self._early[content_id])
            self._early.pop(content_id).drop()
        while len(found) < len(content_ids):
            part = next(self._remaining, None)
            if part is None or part.content_id not in content_ids or part.content_id in found:
                raise XopRefused("expected the parts that xop:Include names, each once")
            found[part.content_id] = joined(part.chunks, limit_bytes=limit_bytes)
        self.end()
        return found

    def end(self) -> None:
        """Read to the end of the body and refuse parts that nothing refers to."""
        if self._early or next(self._remaining, None) is not None:
            raise MultipartRefused("expected every part to be included once")

    def drop(self) -> None:
        """Delete what nobody took."""
        while self._early:
            self._early.popitem()[1].drop()


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call of an operation: its element holds placeholders where binary content stood."""

    operation: str
    message: SoapMessage
    binaries: Mapping[str, xop.Binary]  # by placeholder
    parts: Parts
    caller: AgencyCode | None  # who signed the call by WS-Security, where that is used
    repeated: bytes  # header blocks that the reply must repeat
    takes_mtom: bool  # the caller reads MTOM replies: it sent MTOM, or says so

    def envelope(self, content: bytes) -> bytes:
        """Return the reply's envelope around the markup of its Body's child."""
        return soap_envelope.write_reply(self.message.version, content, header=self.repeated)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedCalls:
    """What judges WS-Security signatures, where partners use them."""

    judge: TokenJudge
    clock: Clock


class Incoming:
    """One request; `version` is what its answer is to be written in, as far as it is known."""

    def __init__(
        self,
        request: WireRequest,
        *,
        spool: Spool,
        caps: ServerCaps,
        signed: SignedCalls | None = None,
    ) -> None:
        self.version = Version.SOAP11
        self._signed = signed
        self._request = request
        self._spool = spool
        self._caps = caps

    def call(self) -> Call:
        """Return the call that the request makes, its later parts still unread.

        Raises the leaves of `HttpRefused` and `SoapRefused`, and `XmlRefused`.
        """
        # 1. What HTTP says about the body, before any of it is read.
        media = self._check_headers()
        source = Source(self._request.stream)
        # 2. The envelope; 3. its checks.
        if media.name == MULTIPART:
            return self._multipart(media, source)
        self.version = VERSIONS[media.name]
        nothing: Iterator[Part] = iter(())
        return self._parse(
            in_utf8(_inline(iter(source.chunk, b""), self._caps), media),
            actions=(media,),
            attachments=False,
            parts=Parts(nothing, {}),
        )

    def _check_headers(self) -> MediaType:
        headers = self._request.headers
        if self._request.method != "POST":
            raise MethodNotAllowed("expected POST")
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise EncodingRefused("expected no Content-Encoding")
        media = parse_media_type(headers.get("content-type", ""))
        if media.name == Version.SOAP12.media_type:
            self.version = Version.SOAP12
        if media.name != MULTIPART and media.name not in VERSIONS:
            raise MediaTypeRefused("expected text/xml, application/soap+xml or multipart/related")
        check_xml_charset(media)
        announced = headers.get("content-length", "")
        limit = self._caps.body_bytes
        if announced.isdecimal() and int(announced) > limit:
            raise BodyTooLarge(f"expected at most {limit} bytes", limit_bytes=limit)
        return media

    def _multipart(self, media: MediaType, source: Source) -> Call:
        """Find the root part: the first one, or the one after the parts that it includes."""
        caps = MultipartCaps(parts=self._caps.parts, header_bytes=self._caps.part_header_bytes)
        remaining = Multipart(source, boundary=media.boundary(), caps=caps).parts()
        early: dict[str, Spooled] = {}
        parts = Parts(remaining, early)
        try:
            for part in remaining:
                if _is_root(part, media):
                    return self._root(part, media, parts)
                if len(early) == _MOST_INCLUDED or part.content_id in early:
                    break
                early[part.content_id] = self._spool_early(part)
            raise MultipartRefused("expected the root part that start names, behind its parts only")
        except BaseException:
            parts.drop()
            raise

    def _spool_early(self, part: Part) -> Spooled:
        return spool_unannounced(
            part.chunks,
            self._caps.container_bytes,
            spool=self._spool,
            peer=self._request.peer,
        )

    def _root(self, part: Part, media: MediaType, parts: Parts) -> Call:
        inner = parse_media_type(part.headers.get("content-type", "text/xml"))
        check_xml_charset(inner)
        is_xop = inner.name == XOP
        envelope = inner
        if is_xop:
            named = inner.parameters.get("type") or media.parameters.get("start-info")
            envelope = parse_media_type(named or Version.SOAP11.media_type)
        if envelope.name not in VERSIONS:
            raise MediaTypeRefused("expected a SOAP envelope as the root part")
        self.version = VERSIONS[envelope.name]
        return self._parse(
            in_utf8(_inline(part.chunks, self._caps), inner),
            actions=(media, inner, envelope),
            attachments=is_xop,
            parts=parts,
        )

    def _parse(
        self, content: bytes, *, actions: tuple[MediaType, ...], attachments: bool, parts: Parts
    ) -> Call:
        caps = Caps(
            size_bytes=self._caps.envelope_bytes,
            depth=self._caps.envelope_depth,
            elements=self._caps.envelope_elements,
        )
        # The npm package soap announces text/xml for SOAP 1.2 by MTOM, so there 1.1 says nothing.
        said_nothing = attachments and self.version is Version.SOAP11
        expected = None if said_nothing else self.version
        message = soap_envelope.parse_envelope(
            content,
            expected=expected,
            caps=caps,
            understood=frozenset({SECURITY}) if self._signed else frozenset(),
        )
        self.version = message.version
        caller = self._caller(message)
        operation = self._operation(message, actions)
        service = contract.service()
        binaries = xop.detach(
            message.root, message.content, binary=service.binary_elements, attachments=attachments
        )
        service.check(message.content)
        accepted = self._request.headers.get("accept", "").lower()
        return Call(
            operation=operation,
            message=message,
            binaries=binaries,
            parts=parts,
            caller=caller,
            repeated=xroad.reply_headers(message, operation=operation, request=content),
            takes_mtom=attachments or MULTIPART in accepted or XOP in accepted,
        )

    def _caller(self, message: SoapMessage) -> AgencyCode | None:
        """Verify a Security header while the message is still as it was signed."""
        if self._signed is None or next(message.root.iter(SECURITY), None) is None:
            return None
        if next(message.root.iter(xop.INCLUDE), None) is not None:
            # Signed is the message with its parts put in (row 42); the container has its seal.
            raise WsSecurityRefused("expected a signed message without parts", reason="xop")
        signed = self._signed
        return verify_message(message, judge=signed.judge, at=signed.clock.now())

    def _operation(self, message: SoapMessage, actions: tuple[MediaType, ...]) -> str:
        """Return the operation that the Body's child names, unless SOAPAction contradicts."""
        operation = contract.service().by_element.get(str(message.content.tag))
        if operation is None:
            raise OperationUnknown("expected an operation of the WSDL in the Body")
        said = [media.parameters.get("action", "") for media in actions]
        said.append(self._request.headers.get("soapaction", "").strip().strip('"'))
        if any(one and one != contract.action(operation) for one in said):
            raise SoapActionMismatch("expected the SOAPAction of the operation in the Body")
        return operation


def _inline(chunks: Iterator[bytes], caps: ServerCaps) -> bytes:
    try:
        return joined(chunks, limit_bytes=caps.envelope_bytes)
    except BodyTooLarge as exc:
        raise InlineTooLarge(
            "expected a large container by MTOM, got it as text", limit_bytes=caps.envelope_bytes
        ) from exc


def _is_root(part: Part, media: MediaType) -> bool:
    start = bare_id(media.parameters.get("start", ""))
    return not start or part.content_id == start
