"""Serve dialect A: what deployed document systems send to and fetch from this node.

A reply is always HTTP 200 with a report: deployed clients read nothing else. Only what is not
HTTP as agreed, or is our own trouble, is answered as a SOAP fault.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Protocol

from connectors.edxml import dialect_a, document_calls, structures
from connectors.edxml.dialect_a import Envelope
from connectors.edxml.document_calls import DocumentOperation
from connectors.edxml.mime import MimeBody, MimeMessage, read_mime, write_mime
from connectors.edxml.model import EdxmlFile, MessageHeader, Organ, StatusHeader
from connectors.errors import (
    EdxmlRefused,
    EdxmlTokenRefused,
    HttpRefused,
    InternalFault,
    MethodNotAllowed,
)
from connectors.multipart import Source
from connectors.soap_envelope import Version
from connectors.soap_faults import fault_reply
from dossier.errors import LienThongError, Unavailable
from dossier.texts import Language, render_error
from dossier.wire import WireReply, WireRequest

_LOG: Final = logging.getLogger(__name__)
_BODY_BYTES: Final = 80 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedFile:
    """A letter or status as it came, to be archived bit for bit."""

    content_type: str
    content: bytes
    file: EdxmlFile


class DocumentOffice(Protocol):
    """The use cases behind the eight operations; `organ_id` is who calls, already known."""

    def knows(self, organ_id: str, token: str) -> bool:
        """Tell whether the token is that organ's, in constant time."""

    def send(self, organ_id: str, received: ReceivedFile) -> str:
        """Store a letter and return our id of it; the same letter again gives the same id."""

    def pending(self, organ_id: str) -> Sequence[str]:
        """Return the ids of the documents that wait for an organ."""

    def document(self, organ_id: str, document_id: str) -> EdxmlFile:
        """Return a document that waits for an organ or was fetched by it before."""

    def confirm(self, organ_id: str, document_id: str) -> None:
        """Take a document off the list; again is harmless."""

    def traces(self, organ_id: str) -> Sequence[StatusHeader]:
        """Return what became of the documents that an organ sent."""

    def update(self, organ_id: str, received: ReceivedFile) -> None:
        """Note what became of a document that an organ received."""

    def organizations(self) -> Sequence[Organ]:
        """Return the organs of the directory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """One request, its caller known."""

    operation: DocumentOperation
    organ_id: str
    document_id: str
    envelope: Envelope
    message: MimeMessage
    content_type: str
    content: bytes

    def received(self) -> ReceivedFile:
        """Return the letter or status that it carries."""
        file = dialect_a.read_letter(self.envelope, self.message.parts)
        return ReceivedFile(content_type=self.content_type, content=self.content, file=file)


class DocumentServer:
    """A `WireEndpoint`, safe to call from several threads."""

    def __init__(self, office: DocumentOffice) -> None:
        self._office = office
        self._answers: Mapping[DocumentOperation, Callable[[_Call], str]] = {
            DocumentOperation.SEND: self._send,
            DocumentOperation.PENDING: self._pending,
            DocumentOperation.CONFIRM: self._confirm,
            DocumentOperation.TRACES: self._traces,
            DocumentOperation.UPDATE: self._update,
            DocumentOperation.PERMISSION: lambda _call: document_calls.report(),
            DocumentOperation.ORGANS: self._organs,
        }

    def __call__(self, request: WireRequest) -> WireReply:
        """Answer one call; never raises."""
        try:
            return _reply(self._answered(request))
        except (HttpRefused, Unavailable) as error:
            refused: LienThongError = error
        except Exception:  # noqa: BLE001 - the edge to HTTP: nothing of ours may leak
            _LOG.exception("document service broke", extra={"peer": request.peer})
            refused = InternalFault("expected an answer, got an error of ours")
        language = request.headers.get("accept-language", "")
        return fault_reply(refused, version=Version.SOAP11, accept_language=language)

    def _answered(self, request: WireRequest) -> MimeBody:
        if request.method != "POST":
            raise MethodNotAllowed("expected POST")
        content_type = request.headers.get("content-type", "")
        content = Source(request.stream).all(_BODY_BYTES)
        operation: DocumentOperation | None = None
        try:
            message = read_mime(content_type, Source(BytesIO(content)), limit_bytes=_BODY_BYTES)
            envelope = dialect_a.read_envelope(message.envelope)
            operation = document_calls.operation_of(
                envelope.content, action=request.headers.get("soapaction", "")
            )
            call = _Call(
                operation=operation,
                organ_id=self._caller(operation, envelope),
                document_id=_asked(envelope, "DocumentId"),
                envelope=envelope,
                message=message,
                content_type=content_type,
                content=content,
            )
            if operation is DocumentOperation.FETCH:
                return dialect_a.write_letter(
                    self._office.document(call.organ_id, call.document_id)
                )
            return write_mime(document_calls.write_reply(operation, self._answers[operation](call)))
        except (HttpRefused, Unavailable):
            raise
        except LienThongError as error:
            _LOG.info("document call refused", extra={"code": error.code, "peer": request.peer})
            return _refusal(operation, error)

    def _caller(self, operation: DocumentOperation, envelope: Envelope) -> str:
        """Return the organ that calls: it knows its token, and speaks in its own name."""
        organ_id = _asked(envelope, "OrganId")
        sender = _sender(envelope)
        if operation in (DocumentOperation.SEND, DocumentOperation.UPDATE):
            organ_id = organ_id or sender
            if sender.casefold() != organ_id.casefold():
                raise EdxmlTokenRefused("expected From to be the caller")
        if not organ_id or not self._office.knows(organ_id, envelope.token):
            raise EdxmlTokenRefused("expected the token of the organ that calls")
        return organ_id

    def _send(self, call: _Call) -> str:
        received = call.received()
        if not isinstance(received.file.header, MessageHeader):
            raise EdxmlRefused("expected a letter", reason="shape")
        document_id = self._office.send(call.organ_id, received)
        return document_calls.report() + document_calls.document_ids([document_id])

    def _pending(self, call: _Call) -> str:
        return document_calls.document_ids(self._office.pending(call.organ_id))

    def _confirm(self, call: _Call) -> str:
        self._office.confirm(call.organ_id, call.document_id)
        return document_calls.report()

    def _traces(self, call: _Call) -> str:
        return document_calls.traces(self._office.traces(call.organ_id))

    def _update(self, call: _Call) -> str:
        received = call.received()
        if not isinstance(received.file.header, StatusHeader):
            raise EdxmlRefused("expected a status", reason="shape")
        self._office.update(call.organ_id, received)
        return document_calls.report()

    def _organs(self, _call: _Call) -> str:
        return document_calls.organizations(self._office.organizations())


def _asked(envelope: Envelope, name: str) -> str:
    if envelope.content is None:
        return ""
    return structures.text_of(structures.child(envelope.content, name))


def _sender(envelope: Envelope) -> str:
    message = structures.child(envelope.header, "MessageHeader")
    sender = structures.child(message, "From") if message is not None else None
    return structures.text_of(structures.child(sender, "OrganId")) if sender is not None else ""


def _refusal(operation: DocumentOperation | None, error: LienThongError) -> MimeBody:
    asked = operation or DocumentOperation.PERMISSION
    reported = document_calls.reported(
        error,
        operation=operation.value if operation else "Envelope",
        description=render_error(error, Language.VI)[0],
    )
    return write_mime(document_calls.write_reply(asked, document_calls.report([reported])))


def _reply(body: MimeBody) -> WireReply:
    headers = {
        "Content-Type": body.content_type,
        "Content-Length": str(len(body.content)),
        "Cache-Control": "no-store",
    }
    return WireReply(status=200, headers=headers, body=(body.content,))
