"""Stand-ins for what the pull operations are handed: seals, nonces, a mailbox, a client."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors.errors import MessageUnknown
from connectors.http import HttpClient, only_hosts
from connectors.intake import bytes_of
from connectors.mailbox import MessageKey, MessageStatus, PendingMessage, PullOperations
from connectors.pull_client import PullClient
from connectors.request import Doorkeeper, OpenedRequest
from dossier.clock import Clock, SystemClock
from dossier.errors import Denied
from dossier.ids import AgencyCode, MessageId
from dossier.wire import SendHints, Spooled
from tests.builders.connectors import BINH_DINH, HOA_BINH, DiskSpool, FakeReceiving

_SEAL: Final = b"seal of "


class FakeSealer:
    """Writes the agency's name before what it seals."""

    def __init__(self, agency: AgencyCode) -> None:
        self._agency = agency

    def seal(self, unsigned: bytes) -> bytes:
        """Seal."""
        return _SEAL + self._agency.encode() + b"\n" + unsigned


class FakeOpener:
    """Believes the name that `FakeSealer` writes."""

    def open(self, sealed: bytes) -> OpenedRequest:
        """Take the seal off."""
        name, line, content = sealed.partition(b"\n")
        if not line or not name.startswith(_SEAL):
            raise Denied("expected a seal")
        agency = AgencyCode(name.removeprefix(_SEAL).decode())
        return OpenedRequest(content=content, sealed_by=agency)


class SetOfNonces:
    """Remembers in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[tuple[AgencyCode, str]] = set()

    def remember(self, agency: AgencyCode, nonce: str, *, until: datetime) -> bool:
        """Tell whether it is new."""
        with self._lock:
            new = (agency, nonce) not in self._known
            self._known.add((agency, nonce))
            return new


class KeepingReceiving(FakeReceiving):
    """Keeps every accepted container for its addressee's mailbox."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.waiting: dict[MessageKey, tuple[PendingMessage, Path]] = {}

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        """Answer as the fake does, and keep the bytes."""
        receipt = super().receive(hints, container)
        kept = self._folder / hints.message_id
        kept.write_bytes(bytes_of(container))
        pending = PendingMessage(
            from_agency=hints.from_agency,
            message_id=hints.message_id,
            container_sha256=hints.container_sha256,
            size_bytes=hints.size_bytes,
        )
        key = MessageKey(
            addressee=hints.to_agency,
            from_agency=hints.from_agency,
            message_id=hints.message_id,
        )
        self.waiting[key] = (pending, kept)
        return receipt


class FakeMailbox:
    """A `Mailbox` over `KeepingReceiving`; a receipt verifies if it says so."""

    def __init__(self, kept: KeepingReceiving) -> None:
        self._kept = kept
        self._receipts: dict[MessageKey, bytes] = {}

    def pending(self, addressee: AgencyCode, *, limit: int) -> Sequence[PendingMessage]:
        """List."""
        waiting = [
            pending
            for key, (pending, _) in self._kept.waiting.items()
            if key.addressee == addressee and key not in self._receipts
        ]
        return waiting[:limit]

    @contextmanager
    def container(self, key: MessageKey) -> Iterator[tuple[PendingMessage, Path]]:
        """Find."""
        if key not in self._kept.waiting:
            raise MessageUnknown("expected a message of this agency")
        yield self._kept.waiting[key]

    def confirm(self, key: MessageKey, receipt: bytes) -> None:
        """Keep the receipt."""
        if key not in self._kept.waiting:
            raise MessageUnknown("expected a message of this agency")
        if b"valid" not in receipt:
            raise Denied("expected a receipt that verifies")
        self._receipts.setdefault(key, receipt)

    def receipt(self, sender: AgencyCode, message_id: MessageId) -> bytes:
        """Find the receipt."""
        for key, receipt in self._receipts.items():
            if (key.from_agency, key.message_id) == (sender, message_id):
                return receipt
        raise MessageUnknown("expected a receipt for this agency")

    def status(self, sender: AgencyCode, message_id: MessageId) -> MessageStatus:
        """Tell."""
        for key in self._kept.waiting:
            if (key.from_agency, key.message_id) == (sender, message_id):
                confirmed = key in self._receipts
                return MessageStatus.ACCEPTED if confirmed else MessageStatus.PENDING
        return MessageStatus.UNKNOWN

    def directory(self) -> bytes:
        """Return something."""
        return b"<Directory/>"


def pull_operations(kept: KeepingReceiving, *, clock: Clock | None = None) -> PullOperations:
    """Return the operations as a node that serves the two provinces offers them."""
    return PullOperations(
        mailbox=FakeMailbox(kept),
        doorkeeper=Doorkeeper(
            opener=FakeOpener(),
            nonces=SetOfNonces(),
            is_hosted=lambda agency: agency in (HOA_BINH, BINH_DINH),
        ),
        clock=clock or SystemClock(),
    )


def pull_client(agency: AgencyCode, folder: Path, *, clock: Clock | None = None) -> PullClient:
    """Return a client for one agency."""
    return PullClient(
        agency=agency,
        sealer=FakeSealer(agency),
        http=HttpClient(may_call=only_hosts("127.0.0.1")),
        spool=DiskSpool(folder),
        clock=clock or SystemClock(),
    )
