"""Let agencies behind firewalls fetch their messages: what waits, and the proof that it arrived.

Implements the protocols of `connectors.mailbox` and `connectors.request` over signing and rows
(protocol §9). A message waits until a receipt by its addressee's own seal verifies.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from connectors.errors import MessageUnknown
from connectors.mailbox import MessageKey, MessageStatus, PendingMessage
from connectors.request import OpenedRequest
from dossier.errors import Rejected
from dossier.ids import AgencyCode, MessageId
from dossier.model import MessageState
from exchange.arrivals import receipt_of
from exchange.deliver import record_answer, verify_receipt
from exchange.errors import DirectoryMissing, RequestSealRefused
from exchange.node import Node
from signing.purpose import Purpose
from signing.verify import open_xml
from storage import directory as editions
from storage import inbox, outbox, pull
from storage.outbox import Outgoing


class NodeMailbox:
    """The messages of one node that wait to be fetched; implements `connectors.mailbox.Mailbox`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def pending(self, addressee: AgencyCode, *, limit: int) -> Sequence[PendingMessage]:
        """Return the oldest messages that wait for it."""
        return [_pending(one) for one in pull.pending_for(addressee, limit=limit)]

    @contextmanager
    def container(self, key: MessageKey) -> Iterator[tuple[PendingMessage, Path]]:
        """Yield a waiting message and a copy of its container, as it was sealed."""
        found = self._find(key)
        pending = _pending(found)
        folder = self._node.settings.spool_dir / "outgoing"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{uuid.uuid4().hex}.asice"
        try:
            self._node.blobs.export(pending.container_sha256, path)
            yield pending, path
        finally:
            path.unlink(missing_ok=True)

    def confirm(self, key: MessageKey, receipt: bytes) -> None:
        """Verify the addressee's receipt and let the message wait no longer; idempotent."""
        found = outbox.find(key.from_agency, key.message_id)
        if found is None or not _is_for(found, key.addressee):
            raise MessageUnknown("expected a message of yours")
        if found.message.state in (MessageState.SENT, MessageState.REFUSED):
            return
        pending = _pending(found)
        answer = verify_receipt(self._node, found, receipt, container=pending.container_sha256)
        token = uuid.uuid4().hex
        taken = pull.take(found.message.id, token=token)
        if taken is not None:
            record_answer(self._node, taken, answer, token=token)

    def receipt(self, sender: AgencyCode, message_id: MessageId) -> bytes:
        """Return the stored receipt of a message that `sender` sent to this node."""
        found = inbox.find(sender, message_id)
        if found is None:
            raise MessageUnknown("expected a message of yours")
        return receipt_of(self._node, found)

    def status(self, sender: AgencyCode, message_id: MessageId) -> MessageStatus:
        """Return how far a message that `sender` sent to this node has come."""
        found = inbox.find(sender, message_id)
        return MessageStatus.UNKNOWN if found is None else MessageStatus.ACCEPTED

    def directory(self) -> bytes:
        """Return the sealed directory in force."""
        edition = editions.current()
        if edition is None:
            raise DirectoryMissing("expected an imported directory")
        return edition.content

    def _find(self, key: MessageKey) -> Outgoing:
        found = outbox.find(key.from_agency, key.message_id)
        if found is None or not _is_for(found, key.addressee):
            raise MessageUnknown("expected a message of yours")
        if found.message.container_sha256 is None:
            raise MessageUnknown("expected a message of yours")
        return found


class SealOpener:
    """Opens sealed requests; implements `connectors.request.RequestOpener`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def open(self, sealed: bytes) -> OpenedRequest:
        """Return what the seal covers and whose seal it is; raise `RequestSealRefused`."""
        at = self._node.now()
        try:
            opened = open_xml(
                sealed,
                trust=self._node.trust(),
                at=at,
                purposes=frozenset({Purpose.SEAL}),
            )
        except Rejected as exc:
            raise RequestSealRefused("expected a request under an agency's seal") from exc
        owner = self._node.directory().seal_owner(opened.signature.certificate or b"", at=at)
        if owner is None:
            raise RequestSealRefused("expected a seal that the directory binds")
        return OpenedRequest(content=opened.content, sealed_by=owner.code)


class NodeNonces:
    """Remembers nonces in the database; implements `connectors.request.Nonces`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def remember(self, agency: AgencyCode, nonce: str, *, until: datetime) -> bool:
        """Return False when the agency has used the nonce before."""
        return pull.remember_nonce(agency, nonce, until=until, at=self._node.now())


def _is_for(outgoing: Outgoing, addressee: str) -> bool:
    return outgoing.message.partner.casefold() == addressee.casefold()


def _pending(outgoing: Outgoing) -> PendingMessage:
    message = outgoing.message
    if message.container_sha256 is None:
        raise MessageUnknown("expected a sealed message")
    return PendingMessage(
        from_agency=message.agency,
        message_id=message.message_id,
        container_sha256=message.container_sha256,
        size_bytes=outgoing.container_size,
    )
