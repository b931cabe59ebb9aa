"""Call a partner for the next messages while what it answered to this one is written down.

Threads only speak HTTP: what needs the database is decided before, and receipts are verified and
recorded by the drain itself, one message after the other. A partner is called ahead only when it
has answered within the same drain, so a dead one costs one call as before. Whatever becomes of an
answer that nobody took, the message is sent again and gets the same receipt.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Final, TypeAlias
from uuid import UUID

from dossier.directory import Directory, DirectoryAgency
from dossier.errors import LienThongError
from dossier.ids import Sha256
from dossier.wire import SendHints, Sending
from exchange import tracing
from exchange.directory import demand_in_time
from exchange.errors import AttemptsExhausted, MessageExpired, PartnerUnknown
from exchange.node import Node
from storage.outbox import Outgoing

Called: TypeAlias = Future[bytes]
_AT_ONCE: Final = 4
_SMALL_BYTES: Final = 256 * 1024  # what takes longer goes alone, under a lease of its own


class CallsAhead:
    """The calls of one drain that are under way; for one thread, which owns the messages."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="deliver")
        self._called: dict[UUID, Called] = {}
        self._there: set[str] = set()

    def __enter__(self) -> CallsAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __contains__(self, message: object) -> bool:
        return message in self._called

    def note(self, partner: str, *, is_there: bool) -> None:
        """Remember whether the partner answered its last call."""
        if is_there:
            self._there.add(partner)
        else:
            self._there.discard(partner)

    def start(self, coming: Sequence[Outgoing]) -> None:
        """Call for the next messages, as far as that is sure to be what their attempt would do."""
        if tracing.is_on():
            return  # a call belongs to what is recorded of its own message
        for outgoing in coming[:_AT_ONCE]:
            message = outgoing.message
            if message.id in self._called or message.partner not in self._there:
                continue
            if not message.container_sha256 or outgoing.container_size > _SMALL_BYTES:
                continue
            self._start(outgoing, message.container_sha256)

    def take(self, message: UUID) -> Called | None:
        """Return the call for a message, once."""
        return self._called.pop(message, None)

    def _start(self, outgoing: Outgoing, container: Sha256) -> None:
        node, message = self._node, outgoing.message
        at = node.now()
        try:
            demand_time(node, outgoing, at=at)
            partner = partner_of(node, outgoing, at=at)
        except LienThongError:
            return  # its own attempt will say so
        # A neighbour on this node is a use case with transactions of its own.
        if not partner.endpoint or node.hosted(message.partner) is not None:
            return
        self._called[message.id] = self._pool.submit(
            _call_apart,
            node,
            node.directory(),
            node.sending(message.partner),
            partner.endpoint,
            hints_of(outgoing, container, outgoing.container_size),
        )


def call(node: Node, sending: Sending, endpoint: str, hints: SendHints) -> bytes:
    """Send the stored bytes and return what came back, unverified; asks no database."""
    # One folder for all: making and removing folders costs a journal more than files do.
    folder = node.settings.spool_dir / "outgoing"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.asice"
    try:
        node.blobs.export(hints.container_sha256, path)
        return sending.send(endpoint, hints, path)
    finally:
        path.unlink(missing_ok=True)


def hints_of(outgoing: Outgoing, container: Sha256, size: int) -> SendHints:
    """Return what is announced of a message."""
    message = outgoing.message
    return SendHints(
        from_agency=message.agency,
        to_agency=message.partner,
        message_id=message.message_id,
        container_sha256=container,
        size_bytes=size,
    )


def demand_time(node: Node, outgoing: Outgoing, *, at: datetime) -> None:
    """Raise `AttemptsExhausted` or `MessageExpired` for a message that is not to be tried."""
    # Attempts are counted when a message is claimed: one that kills its worker ends here too.
    if outgoing.message.attempts > node.settings.delivery_attempts:
        raise AttemptsExhausted("expected a message that does not end its worker")
    if at >= outgoing.expires:
        raise MessageExpired("expected a message within its expiry")


def partner_of(node: Node, outgoing: Outgoing, *, at: datetime) -> DirectoryAgency:
    """Return who takes the message now; raise `PartnerUnknown` where there is no way to it."""
    directory = node.directory()
    demand_in_time(directory, at=at)
    partner = directory.successor_of(outgoing.message.partner, at=at)
    if partner is None or not partner.is_reachable:
        raise PartnerUnknown("expected a partner with an address", agency=outgoing.message.partner)
    return partner


def _call_apart(
    node: Node, directory: Directory, sending: Sending, endpoint: str, hints: SendHints
) -> bytes:
    with node.given_directory(directory):
        return call(node, sending, endpoint, hints)
