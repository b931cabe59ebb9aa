"""Seal and send the next messages while a partner works on those that it has.

One thread does it all: a call is sent, and its answer is read when the message's turn comes, so the
partner works while we do. Threads of our own would only hand the interpreter to and fro. A partner
is called ahead only when it has answered within the same drain, so a dead one costs one call as
before. Whatever becomes of an answer that nobody took, the message is sent again and gets the same
receipt.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Final
from uuid import UUID

from dossier.directory import DirectoryAgency
from dossier.errors import LienThongError
from dossier.ids import Sha256
from dossier.wire import Called, SendHints, Sending, SendingAhead
from exchange import tracing
from exchange.directory import demand_in_time
from exchange.errors import AttemptsExhausted, MessageExpired, PartnerUnknown
from exchange.node import Node
from exchange.seal import sealed_once
from storage.outbox import Outgoing

_AT_ONCE: Final = 4
_SMALL_BYTES: Final = 64 * 1024  # what a connection takes at once; the rest goes alone
_SLOW_SECONDS: Final = 1.0  # a partner that takes longer to be sent so much is not called ahead


class CallsAhead:
    """The calls of one drain that are under way; for one thread, which owns the messages."""

    def __init__(self, node: Node, *, token: str) -> None:
        """Take the token of the drain's claims."""
        self._node = node
        self._token = token
        self._sealed: dict[UUID, tuple[Sha256, int]] = {}
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
        for called in self._called.values():
            called.drop()
        self._called.clear()

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
            if message.id in self._sealed or message.partner not in self._there:
                continue
            if outgoing.container_size <= _SMALL_BYTES:
                self._start(outgoing)

    def take(self, message: UUID) -> Called | None:
        """Return the call for a message, once."""
        return self._called.pop(message, None)

    def take_sealed(self, outgoing: Outgoing) -> tuple[Sha256, int]:
        """Return digest and size of a message's container; raises what `sealed_once` raises."""
        return self._sealed.pop(outgoing.message.id, None) or self._seal(outgoing)

    def _seal(self, outgoing: Outgoing) -> tuple[Sha256, int]:
        return sealed_once(self._node, outgoing, token=self._token, at=self._node.now())

    def _start(self, outgoing: Outgoing) -> None:
        partner, began = outgoing.message.partner, time.monotonic()
        sending = self._node.sending(partner)
        # A neighbour on this node is a use case with transactions of its own.
        if not isinstance(sending, SendingAhead):
            return
        try:
            self._seal_and_call(sending, outgoing)
        except LienThongError:
            self._there.discard(partner)  # the message's own attempt will say so
        if time.monotonic() - began > _SLOW_SECONDS:
            self._there.discard(partner)

    def _seal_and_call(self, sending: SendingAhead, outgoing: Outgoing) -> None:
        node, message = self._node, outgoing.message.id
        demand_time(node, outgoing, at=node.now())
        endpoint = partner_of(node, outgoing, at=node.now()).endpoint
        if not endpoint:
            return
        container, size = self._sealed[message] = self._seal(outgoing)
        if size > _SMALL_BYTES:
            return
        content, hints = node.blobs.read(container), hints_of(outgoing, container, size)
        try:
            self._called[message] = sending.call(endpoint, hints, content)
        except LienThongError as exc:
            self._called[message] = _Failed(exc)
            raise


class _Failed:
    """A call that could not be made, for the attempt to which that belongs."""

    def __init__(self, error: LienThongError) -> None:
        self._error = error

    def receipt(self) -> bytes:
        raise self._error

    def drop(self) -> None:
        """Nothing is on its way."""


def call(node: Node, sending: Sending, endpoint: str, hints: SendHints) -> bytes:
    """Send the stored bytes and return what came back, unverified; asks no database."""
    if hints.size_bytes <= _SMALL_BYTES:
        return sending.send(endpoint, hints, node.blobs.read(hints.container_sha256))
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
