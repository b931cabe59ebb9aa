"""What waits for an agency that fetches its messages, and the operations that answer about it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Protocol
from xml.sax.saxutils import escape

from connectors import contract, xop
from connectors.errors import InlineTooLarge, RequestMalformed
from connectors.incoming import Call
from connectors.mtom import MtomBody
from connectors.request import Doorkeeper, Operation, Request
from connectors.soap_faults import xml_reply
from dossier.clock import Clock
from dossier.ids import AgencyCode, MessageId, Sha256
from dossier.wire import WireReply

PAGE_MESSAGES: Final = 100
_DOCUMENT_BYTES: Final = 256 * 1024  # of a sealed request or receipt
_INLINE_BYTES: Final = 7_000_000  # of a container in a reply without MTOM


class MessageStatus(Enum):
    """How far a message that an agency sent has come."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingMessage:
    """A message that waits."""

    from_agency: AgencyCode
    message_id: MessageId
    container_sha256: Sha256
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageKey:
    """Which message an addressee means; it may see its own only."""

    addressee: AgencyCode
    from_agency: AgencyCode
    message_id: MessageId


class Mailbox(Protocol):
    """The use cases behind the pull operations; the agency that asks has been verified.

    A message of somebody else is `MessageUnknown`, exactly as one that never was.
    """

    def pending(self, addressee: AgencyCode, *, limit: int) -> Sequence[PendingMessage]:
        """Return the oldest messages that wait for it."""

    def container(self, key: MessageKey) -> AbstractContextManager[tuple[PendingMessage, Path]]:
        """Give a waiting message, and its container in a file that is then to be opened at once."""

    def confirm(self, key: MessageKey, receipt: bytes) -> None:
        """Verify the addressee's sealed receipt, store it, and let the message wait no longer.

        Raises where the receipt does not verify: the message then stays pending (protocol §9).
        """

    def receipt(self, sender: AgencyCode, message_id: MessageId) -> bytes:
        """Return the stored receipt of a message that `sender` sent."""

    def status(self, sender: AgencyCode, message_id: MessageId) -> MessageStatus:
        """Return how far a message that `sender` sent has come."""

    def directory(self) -> bytes:
        """Return the sealed directory that this node works by."""


class PullOperations:
    """Answer the operations that carry a sealed request (protocol §9)."""

    def __init__(self, *, mailbox: Mailbox, doorkeeper: Doorkeeper, clock: Clock) -> None:
        self._mailbox = mailbox
        self._doorkeeper = doorkeeper
        self._clock = clock
        self._answers: Mapping[Operation, Callable[[Call, Request, Sequence[bytes]], WireReply]] = {
            Operation.LIST_PENDING: self._list_pending,
            Operation.FETCH_MESSAGE: self._fetch_message,
            Operation.CONFIRM_MESSAGE: self._confirm_message,
            Operation.GET_RECEIPT: self._get_receipt,
            Operation.GET_STATUS: self._get_status,
            Operation.LIST_AGENCIES: self._list_agencies,
        }

    def answer(self, call: Call) -> WireReply:
        """Return the reply to one call; its first document is the sealed request."""
        operation = Operation(call.operation)
        sealed, *further = _documents(call)
        request = self._doorkeeper.admit(sealed, operation, at=self._clock.now())
        return self._answers[operation](call, request, further)

    def _list_pending(self, call: Call, request: Request, further: Sequence[bytes]) -> WireReply:
        waiting = self._mailbox.pending(request.agency, limit=PAGE_MESSAGES + 1)
        listed = "".join(
            f"<lt:Message>{_fields(one)}</lt:Message>" for one in waiting[:PAGE_MESSAGES]
        )
        more = "true" if len(waiting) > PAGE_MESSAGES else "false"
        return _reply(call, f"{listed}<lt:More>{more}</lt:More>")

    def _fetch_message(self, call: Call, request: Request, further: Sequence[bytes]) -> WireReply:
        with self._mailbox.container(_key(request)) as (message, path):
            if call.takes_mtom:
                return _streamed(call, message, path)
            if message.size_bytes > _INLINE_BYTES:
                raise InlineTooLarge("expected a caller that takes MTOM", limit_bytes=_INLINE_BYTES)
            content = base64.b64encode(path.read_bytes()).decode()
        return _reply(call, f"{_fields(message)}<lt:Container>{content}</lt:Container>")

    def _confirm_message(self, call: Call, request: Request, further: Sequence[bytes]) -> WireReply:
        key = _key(request)
        self._mailbox.confirm(key, further[0])
        return _reply(call, f"<lt:MessageId>{escape(key.message_id)}</lt:MessageId>")

    def _get_receipt(self, call: Call, request: Request, further: Sequence[bytes]) -> WireReply:
        receipt = self._mailbox.receipt(request.agency, _message_id(request))
        return _reply(call, f"<lt:Receipt>{base64.b64encode(receipt).decode()}</lt:Receipt>")

    def _get_status(self, call: Call, request: Request, further: Sequence[bytes]) -> WireReply:
        status = self._mailbox.status(request.agency, _message_id(request))
        return _reply(call, f"<lt:Status>{status.value}</lt:Status>")

    def _list_agencies(self, call: Call, request: Request, further: Sequence[bytes]) -> WireReply:
        directory = base64.b64encode(self._mailbox.directory()).decode()
        return _reply(call, f"<lt:Directory>{directory}</lt:Directory>")


def _documents(call: Call) -> list[bytes]:
    """Return the binary elements of the call in their order, however they travelled."""
    held = [call.binaries[node.text or ""] for node in call.message.content]
    ids = frozenset(one.content_id for one in held if isinstance(one, xop.Attached))
    parts = call.parts.small(ids, limit_bytes=_DOCUMENT_BYTES)
    return [
        parts[one.content_id] if isinstance(one, xop.Attached) else one.decoded() for one in held
    ]


def _message_id(request: Request) -> MessageId:
    if request.message_id is None:
        raise RequestMalformed("expected a request that names a message")
    return request.message_id


def _key(request: Request) -> MessageKey:
    if request.from_agency is None:
        raise RequestMalformed("expected a request that names the message's sender")
    return MessageKey(
        addressee=request.agency,
        from_agency=request.from_agency,
        message_id=_message_id(request),
    )


def _fields(message: PendingMessage) -> str:
    return (
        f"<lt:From>{escape(message.from_agency)}</lt:From>"
        f"<lt:MessageId>{escape(message.message_id)}</lt:MessageId>"
        f"<lt:ContainerSha256>{message.container_sha256}</lt:ContainerSha256>"
        f"<lt:Size>{message.size_bytes}</lt:Size>"
    )


def _envelope(call: Call, content: str) -> bytes:
    name = f"{call.operation}Response"
    element = f'<lt:{name} xmlns:lt="{contract.NAMESPACE}">{content}</lt:{name}>'
    return call.envelope(element.encode())


def _reply(call: Call, content: str) -> WireReply:
    media_type = call.message.version.media_type
    return xml_reply(_envelope(call, content), status=200, media_type=media_type)


def _streamed(call: Call, message: PendingMessage, path: Path) -> WireReply:
    placeholder = secrets.token_hex(16)
    envelope = _envelope(call, f"{_fields(message)}<lt:Container>{placeholder}</lt:Container>")
    body = MtomBody(
        envelope,
        placeholder=placeholder.encode(),
        content=path,
        soap_type=call.message.version.media_type,
    )
    headers = {"Content-Type": body.content_type, "Content-Length": str(len(body))}
    return WireReply(status=200, headers=headers, body=body)
