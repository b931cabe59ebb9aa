"""Fetch what waits at a node that holds an agency's messages (protocol §9).

For an agency behind a firewall: it lists, fetches, verifies and stores, and confirms with its
own sealed receipt. Fetching removes nothing, so a crash between any two steps loses nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from connectors import contract, xop
from connectors.errors import HttpRefused, SchemaRefused, SoapRefused
from connectors.http import HttpClient, HttpReply
from connectors.intake import spool_container
from connectors.mailbox import MessageStatus, PendingMessage
from connectors.media import MULTIPART, MediaType
from connectors.multipart import Multipart, MultipartCaps, Source, bare_id, joined
from connectors.request import Operation, Request, RequestSealer, write_request
from connectors.soap_calls import (
    ClientCaps,
    call_headers,
    media_of,
    no_answer,
    parse_reply,
    read_result,
    write_call,
)
from connectors.soap_envelope import SoapMessage
from dossier.clock import Clock
from dossier.errors import IdentifierRefused, XmlRefused
from dossier.ids import (
    AgencyCode,
    MessageId,
    parse_agency_code,
    parse_message_id,
    parse_sha256,
    same_agency,
)
from dossier.wire import SendHints, Spool, Spooled

_LIFE: Final = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingPage:
    """The oldest messages that wait, and whether others wait behind them."""

    messages: tuple[PendingMessage, ...]
    has_more: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """Where an agency's messages wait: the node's endpoint and the agency that it is asked as."""

    endpoint: str
    node_agency: AgencyCode  # an agency that the node serves, which the requests are sealed for


class PullClient:
    """Call the pull operations for one agency."""

    def __init__(
        self,
        *,
        agency: AgencyCode,
        sealer: RequestSealer,
        http: HttpClient,
        spool: Spool,
        clock: Clock,
        caps: ClientCaps | None = None,
    ) -> None:
        self._agency = agency
        self._sealer = sealer
        self._http = http
        self._spool = spool
        self._clock = clock
        self._caps = caps or ClientCaps()

    def pending(self, post: Post) -> PendingPage:
        """Return what waits."""
        result = self._result(post, Operation.LIST_PENDING)
        try:
            messages = tuple(_pending(one) for one in result.Message)
        except IdentifierRefused as exc:
            raise no_answer(200) from exc
        return PendingPage(messages=messages, has_more=bool(result.More))

    def fetch(self, post: Post, message: PendingMessage) -> Spooled:
        """Return the message's container, of the listed size and digest; the caller drops it.

        Raises `SizeMismatch` or `DigestMismatch` when other bytes come.
        """
        with self._call(
            post,
            Operation.FETCH_MESSAGE,
            message_id=message.message_id,
            from_agency=message.from_agency,
        ) as reply:
            try:
                media = media_of(reply)
                if media.name == MULTIPART and reply.status == 200:
                    return self._stream(reply, media, message)
            except (HttpRefused, SoapRefused, XmlRefused) as exc:
                raise no_answer(reply.status) from exc
            result = read_result(reply, Operation.FETCH_MESSAGE.value, caps=self._caps)
            return self._spooled(iter((_content(result.Container),)), message)

    def confirm(self, post: Post, message: PendingMessage, receipt: bytes) -> None:
        """Hand over the agency's sealed receipt; repeating it is harmless."""
        with self._call(
            post,
            Operation.CONFIRM_MESSAGE,
            message_id=message.message_id,
            from_agency=message.from_agency,
            receipt=receipt,
        ) as reply:
            confirmed = read_result(reply, Operation.CONFIRM_MESSAGE.value, caps=self._caps)
            if confirmed != message.message_id:
                raise no_answer(reply.status)

    def receipt(self, post: Post, message_id: MessageId) -> bytes:
        """Return the stored receipt of a message that this agency sent, unverified."""
        return _content(self._result(post, Operation.GET_RECEIPT, message_id=message_id))

    def status(self, post: Post, message_id: MessageId) -> MessageStatus:
        """Return how far a message that this agency sent has come; nothing proves it."""
        return MessageStatus(self._result(post, Operation.GET_STATUS, message_id=message_id))

    def directory(self, post: Post) -> bytes:
        """Return the node's sealed directory, unverified."""
        return _content(self._result(post, Operation.LIST_AGENCIES))

    def _result(
        self, post: Post, operation: Operation, *, message_id: MessageId | None = None
    ) -> Any:  # noqa: ANN401 - zeep states no types
        with self._call(post, operation, message_id=message_id) as reply:
            return read_result(reply, operation.value, caps=self._caps)

    @contextmanager
    def _call(
        self,
        post: Post,
        operation: Operation,
        *,
        message_id: MessageId | None = None,
        from_agency: AgencyCode | None = None,
        receipt: bytes | None = None,
    ) -> Iterator[HttpReply]:
        now = self._clock.now()
        request = Request(
            operation=operation,
            agency=self._agency,
            to_agency=post.node_agency,
            created=now,
            expires=now + _LIFE,
            nonce=secrets.token_hex(16),
            message_id=message_id,
            from_agency=from_agency,
        )
        further: dict[str, Any] = {"Receipt": receipt} if receipt is not None else {}
        body = write_call(
            operation.value, Request=self._sealer.seal(write_request(request)), **further
        )
        headers = call_headers(operation.value)
        with self._http.post(post.endpoint, body=body, headers=headers) as reply:
            yield reply

    def _stream(self, reply: HttpReply, media: MediaType, message: PendingMessage) -> Spooled:
        """Spool the one part beside the root part, which may come behind it or before it."""
        body = Multipart(Source(reply), boundary=media.boundary(), caps=MultipartCaps())
        start = bare_id(media.parameters.get("start", ""))
        named = found = ""
        spooled: Spooled | None = None
        try:
            for part in body.parts():
                if not named and start in ("", part.content_id):
                    root = joined(part.chunks, limit_bytes=self._caps.reply_bytes)
                    named = _fetched(parse_reply(root, self._caps), message)
                elif spooled is None:
                    found, spooled = part.content_id, self._spooled(part.chunks, message)
                else:
                    raise HttpRefused("expected one part beside the root part")
            if spooled is None or found != named:
                raise HttpRefused("expected the part that xop:Include names")
        except BaseException:
            if spooled is not None:
                spooled.drop()
            raise
        return spooled

    def _spooled(self, chunks: Iterator[bytes], message: PendingMessage) -> Spooled:
        hints = SendHints(
            from_agency=message.from_agency,
            to_agency=self._agency,
            message_id=message.message_id,
            container_sha256=message.container_sha256,
            size_bytes=message.size_bytes,
        )
        return spool_container(chunks, hints, spool=self._spool, peer=message.from_agency)


def _fetched(envelope: SoapMessage, message: PendingMessage) -> str:
    """Check that the reply is about `message`; return the id of its part."""
    service = contract.service()
    held = xop.detach(
        envelope.root, envelope.content, binary=service.binary_elements, attachments=True
    )
    if envelope.content.tag != contract.qname("FetchMessageResponse"):
        raise SoapRefused("expected FetchMessageResponse")
    service.check(envelope.content)
    sender, message_id, _, _, container = (node.text or "" for node in envelope.content)
    binary = held[container]
    if not same_agency(sender, message.from_agency) or message_id != message.message_id:
        raise SchemaRefused("expected the message that was asked for", element="MessageId")
    if not isinstance(binary, xop.Attached):
        raise SoapRefused("expected the container as a part")
    return binary.content_id


def _content(found: object) -> bytes:
    if not isinstance(found, bytes) or not found:
        raise no_answer(200)
    return found


def _pending(found: Any) -> PendingMessage:  # noqa: ANN401 - zeep states no types
    return PendingMessage(
        from_agency=parse_agency_code(found.From),
        message_id=parse_message_id(found.MessageId),
        container_sha256=parse_sha256(found.ContainerSha256),
        size_bytes=int(found.Size),
    )
