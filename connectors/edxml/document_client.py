"""Call a document service of dialect A: send letters, poll, fetch, confirm, report."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from lxml import etree

from connectors.edxml import dialect_a, document_calls
from connectors.edxml.document_calls import DocumentOperation
from connectors.edxml.mime import MimeBody, MimeMessage, read_mime, write_mime
from connectors.edxml.model import EdxmlFile, MessageHeader, Organ, StatusHeader
from connectors.edxml.reader import EdxmlCaps
from connectors.errors import (
    EdxmlCallRefused,
    EdxmlRefused,
    HttpRefused,
    PartnerAnswerRefused,
)
from connectors.http import HttpClient
from connectors.multipart import Source

_REPLY_BYTES: Final = 80 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentAccount:
    """Where a document service answers, and as which organ we call it."""

    address: str
    organ_id: str
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedDocument:
    """A document as it travelled, to be archived bit for bit."""

    content_type: str
    content: bytes

    @property
    def file(self) -> EdxmlFile:
        """What is read in it; raises `EdxmlRefused`."""
        return read_document(self.content_type, self.content)


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedTraces:
    """Statuses as they travelled together, and what was read in them."""

    content_type: str
    content: bytes
    statuses: tuple[StatusHeader, ...]


class DocumentClient:
    """One document service; the order is: pending, fetch, store durably, confirm.

    Every call raises `EdxmlCallRefused` with the peer's code, `PartnerUnavailable`, or
    `PartnerAnswerRefused` for a reply that is none.
    """

    def __init__(self, account: DocumentAccount, *, http: HttpClient) -> None:
        self._account = account
        self._http = http

    def send(self, file: EdxmlFile) -> str:
        """Hand over a letter; return the peer's id of it, "" where it names none.

        Raises `EdxmlIncomplete` and `EdxmlFieldTooLong` before anything is sent.
        """
        if not isinstance(file.header, MessageHeader):
            raise EdxmlRefused("expected a letter", reason="shape")
        body = dialect_a.write_letter(file, token=self._account.token)
        found = document_calls.read_document_ids(self._call(DocumentOperation.SEND, body))
        return found[0] if found else ""

    def pending(self) -> tuple[str, ...]:
        """Return the ids of the documents that wait for us."""
        return document_calls.read_document_ids(self._ask(DocumentOperation.PENDING))

    def fetch(self, document_id: str) -> FetchedDocument:
        """Return a document; it stays pending until it is confirmed."""
        body = self._body(DocumentOperation.FETCH, document_id)
        media, content = self._post(DocumentOperation.FETCH, body)
        message = _message(media, content)
        envelope = _envelope(message)
        _check(envelope)
        return FetchedDocument(content_type=media, content=content)

    def confirm(self, document_id: str) -> None:
        """Take a document off the list; only after it is durably stored."""
        self._ask(DocumentOperation.CONFIRM, document_id)

    def traces(self) -> FetchedTraces:
        """Return what became of documents that we sent; some servers tell each once."""
        media, content = self._post(DocumentOperation.TRACES, self._body(DocumentOperation.TRACES))
        root = _envelope(_message(media, content))
        _check(root)
        statuses = document_calls.read_traces(root)
        return FetchedTraces(content_type=media, content=content, statuses=statuses)

    def update(self, status: StatusHeader) -> None:
        """Report what became of a document that we received."""
        body = dialect_a.write_letter(EdxmlFile(header=status), token=self._account.token)
        self._call(DocumentOperation.UPDATE, body)

    def check_permission(self) -> None:
        """Raise `EdxmlCallRefused` unless the peer lets us in."""
        self._ask(DocumentOperation.PERMISSION)

    def organizations(self) -> tuple[Organ, ...]:
        """Return the organs that the peer knows."""
        return document_calls.read_organizations(self._ask(DocumentOperation.ORGANS))

    def _ask(self, operation: DocumentOperation, document_id: str = "") -> etree._Element:
        return self._call(operation, self._body(operation, document_id))

    def _body(self, operation: DocumentOperation, document_id: str = "") -> MimeBody:
        account = self._account
        envelope = document_calls.write_request(
            operation, token=account.token, organ_id=account.organ_id, document_id=document_id
        )
        return write_mime(envelope)

    def _call(self, operation: DocumentOperation, body: MimeBody) -> etree._Element:
        media, content = self._post(operation, body)
        root = _envelope(_message(media, content))
        _check(root)
        return root

    def _post(self, operation: DocumentOperation, body: MimeBody) -> tuple[str, bytes]:
        headers = {"Content-Type": body.content_type, "SOAPAction": operation.value}
        with self._http.post(self._account.address, body=body.content, headers=headers) as reply:
            if reply.status not in (200, 500):
                raise PartnerAnswerRefused(
                    f"expected a reply, got HTTP {reply.status}", status=reply.status
                )
            try:
                content = Source(reply).all(_REPLY_BYTES)
            except HttpRefused as exc:
                raise PartnerAnswerRefused("expected the whole reply", status=200) from exc
            return reply.headers.get("content-type", ""), content


def read_document(content_type: str, content: bytes) -> EdxmlFile:
    """Return the letter in a body of HTTP; raise `EdxmlRefused` or `HttpRefused`."""
    source = Source(BytesIO(content))
    return dialect_a.read_file(read_mime(content_type, source, limit_bytes=_REPLY_BYTES))


def _message(media: str, content: bytes) -> MimeMessage:
    try:
        return read_mime(media, Source(BytesIO(content)), limit_bytes=_REPLY_BYTES)
    except (EdxmlRefused, HttpRefused) as exc:
        raise PartnerAnswerRefused("expected a SOAP reply", status=200) from exc


def _envelope(message: MimeMessage) -> etree._Element:
    try:
        envelope = dialect_a.read_envelope(message.envelope, caps=EdxmlCaps())
    except EdxmlRefused as exc:
        raise PartnerAnswerRefused("expected a SOAP reply", status=200) from exc
    content = envelope.content
    return content if content is not None else etree.Element("Body")


def _check(content: etree._Element) -> None:
    errors = document_calls.read_errors(content)
    if errors:
        raise EdxmlCallRefused("expected success", peer_code=errors[0].code[:80])
    if etree.QName(content).localname == "Fault":
        raise PartnerAnswerRefused("expected a reply, got a fault", status=500)
