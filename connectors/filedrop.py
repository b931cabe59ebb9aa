"""Exchange with an agency through a folder, for those who have no service.

The folders, as the agency sees them: `inbox` (containers for it to take), `receipts` (its sealed
receipts for them), `outbox` (sealed containers it sends), `answers` (our receipts for those),
`done` and `refused` (what was dealt with). Every file appears whole, by renaming; one sweep does
all there is to do, and a sweep that was interrupted is simply repeated.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from connectors.archive import BROKEN, read_entry
from connectors.errors import ContainerUnreadable, DropUnavailable
from connectors.intake import spool_container
from connectors.mailbox import Mailbox, MessageKey
from dossier.canonical import dump
from dossier.clock import Clock
from dossier.envelope import FILE_NAME, parse_envelope
from dossier.errors import Conflict, Denied, LienThongError, Rejected
from dossier.ids import AgencyCode, Sha256, parse_agency_code, parse_message_id, parse_sha256
from dossier.wire import Receiving, SendHints, Spool, Spooled

_CONTAINER: Final = ".asice"
_RECEIPT: Final = ".xml"
_NOTE: Final = ".json"
_CHUNK_BYTES: Final = 256 * 1024
_ENVELOPE_BYTES: Final = 512 * 1024
_RECEIPT_BYTES: Final = 256 * 1024
_SETTLED_SECONDS: Final = 2.0  # a file that changed since may still be being copied


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """What one sweep did, in numbers for the log."""

    offered: int = 0  # containers laid into `inbox`
    confirmed: int = 0  # receipts taken from `receipts`
    received: int = 0  # containers taken from `outbox`
    refused: int = 0  # files that can never be dealt with, moved to `refused`


class FileDrop:
    """The folder of one agency."""

    def __init__(
        self,
        folder: Path,
        *,
        agency: AgencyCode,
        mailbox: Mailbox,
        receiving: Receiving,
        spool: Spool,
        clock: Clock,
        batch: int = 100,
    ) -> None:
        self._clock = clock
        self._folder = folder
        self._agency = agency
        self._mailbox = mailbox
        self._receiving = receiving
        self._spool = spool
        self._batch = batch

    def sweep(self) -> Swept:
        """Offer what waits, take receipts, take containers.

        Raises `DropUnavailable` when the folder cannot be used, and whatever is `Unavailable`
        behind it: the files stay where they are for the next sweep.
        """
        try:
            for name in ("inbox", "receipts", "outbox", "answers", "done", "refused"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            offered = self._offer()
            confirmed, misread = self._each("receipts", _RECEIPT, self._confirm)
            received, misfit = self._each("outbox", _CONTAINER, self._receive)
        except OSError as exc:
            raise DropUnavailable("expected a folder that can be read and written") from exc
        return Swept(
            offered=offered, confirmed=confirmed, received=received, refused=misread + misfit
        )

    def _offer(self) -> int:
        offered = 0
        for message in self._mailbox.pending(self._agency, limit=self._batch):
            target = self._folder / "inbox" / f"{message.message_id}{_CONTAINER}"
            note = target.with_suffix(_NOTE)
            if target.exists() and note.exists():
                continue
            key = MessageKey(
                addressee=self._agency,
                from_agency=message.from_agency,
                message_id=message.message_id,
            )
            known = {"from": message.from_agency, "sha256": message.container_sha256}
            with self._mailbox.container(key) as (_, container):
                _place(note, iter((dump(known),)))
                _place(target, _chunks(container))
            offered += 1
        return offered

    def _each(self, folder: str, suffix: str, deal: Callable[[Path], None]) -> tuple[int, int]:
        """Deal with every settled file; return how many went well and how many never will."""
        well = refused = 0
        now = self._clock.now()
        for path in _settled(self._folder / folder, suffix, now=now)[: self._batch]:
            try:
                deal(path)
            except (Rejected, Denied, Conflict) as error:
                self._refuse(path, error)
                refused += 1
            else:
                path.replace(self._folder / "done" / path.name)
                well += 1
        return well, refused

    def _confirm(self, path: Path) -> None:
        """Hand the agency's receipt to the mailbox and take back what was offered."""
        message_id = parse_message_id(path.stem)
        offered = self._folder / "inbox" / f"{message_id}{_CONTAINER}"
        note = offered.with_suffix(_NOTE)
        if path.stat().st_size > _RECEIPT_BYTES or not note.exists():
            raise ContainerUnreadable("expected the receipt of an offered message")
        sender = parse_agency_code(str(_known(note).get("from", "")))
        key = MessageKey(addressee=self._agency, from_agency=sender, message_id=message_id)
        self._mailbox.confirm(key, path.read_bytes())
        offered.unlink(missing_ok=True)
        note.unlink(missing_ok=True)

    def _receive(self, path: Path) -> None:
        """Bring a container through the same checks as one that came by SOAP."""
        hints = _hints(path)
        receipt = self._receiving.before(hints)
        if receipt is None:
            spooled = spool_container(_chunks(path), hints, spool=self._spool, peer=self._agency)
            receipt = self._received(hints, spooled)
        _place(self._folder / "answers" / f"{hints.message_id}{_RECEIPT}", iter((receipt,)))

    def _received(self, hints: SendHints, spooled: Spooled) -> bytes:
        try:
            return self._receiving.receive(hints, spooled)
        finally:
            spooled.drop()

    def _refuse(self, path: Path, error: LienThongError) -> None:
        target = self._folder / "refused" / path.name
        path.replace(target)
        _place(target.with_name(f"{path.name}{_NOTE}"), iter((dump({"code": error.code}),)))


def _settled(folder: Path, suffix: str, *, now: datetime) -> list[Path]:
    """Return the files that are not being written any more, oldest first; links are no files."""
    found = [
        (entry.stat(follow_symlinks=False).st_mtime, Path(entry.path))
        for entry in os.scandir(folder)
        if entry.is_file(follow_symlinks=False)
        and entry.name.endswith(suffix)
        and not entry.name.startswith(".")
    ]
    return [
        path for changed, path in sorted(found) if now.timestamp() - changed >= _SETTLED_SECONDS
    ]


def _place(target: Path, chunks: Iterator[bytes]) -> None:
    """Write a file so that it appears whole and survives a power cut."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")


def _known(note: Path) -> dict[str, object]:
    try:
        known = json.loads(note.read_bytes())
    except ValueError as exc:
        raise ContainerUnreadable("expected our own note beside the container") from exc
    return known if isinstance(known, dict) else {}


def _hints(path: Path) -> SendHints:
    """Read the announcement from the envelope inside; it proves nothing, as on the wire."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = read_entry(archive, archive.getinfo(FILE_NAME), limit_bytes=_ENVELOPE_BYTES)
    except BROKEN as exc:
        raise ContainerUnreadable("expected a container with an envelope") from exc
    envelope = parse_envelope(content)
    digest, size_bytes = _digest(path)
    return SendHints(
        from_agency=envelope.from_agency,
        to_agency=envelope.to_agency,
        message_id=envelope.message_id,
        container_sha256=digest,
        size_bytes=size_bytes,
    )


def _digest(path: Path) -> tuple[Sha256, int]:
    digest = hashlib.sha256()
    size_bytes = 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size_bytes += len(chunk)
    return parse_sha256(digest.hexdigest()), size_bytes
