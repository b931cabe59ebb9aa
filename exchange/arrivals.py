"""Move what has just arrived from the rows of its commit to the blob store, files and all.

The answer to SendMessage waits for one commit only, with a large message for its container beside
it; this is done before an instance gets the message (docs/decisions/0018). Moving may be repeated:
the store is addressed by content, and a row goes when everything of it is stored.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from dossier.errors import LienThongError
from exchange.node import Node
from signing import zipfile
from signing.errors import ContentChanged, FileNameRefused, ZipRefused
from signing.verify import VerifiedFile, mapped
from storage import arrivals, inbox, incidents
from storage.arrivals import Arrival
from storage.blobs import Content, corrupt
from storage.errors import BlobCorrupt, BlobMissing
from storage.inbox import InboxMessage
from storage.transactions import transaction

SMALL_BYTES: Final = 256 * 1024  # larger containers go to the blob store at once
_LEASE: Final = timedelta(seconds=3)  # a mover that takes longer only shares its work
_LARGE_LEASE: Final = timedelta(minutes=1)
_BATCH: Final = 20


def receipt_of(node: Node, message: InboxMessage) -> bytes:
    """Return the receipt that a message was answered with, byte for byte."""
    waiting = arrivals.receipt_of(message.id)
    if waiting is None:
        return node.blobs.read(message.receipt_sha256)
    return _checked(waiting, message.receipt_sha256)


def move_arrivals(node: Node) -> int:
    """Move one batch and return how many messages it was."""
    return _move_small(node) + _move_large(node)


def _move_small(node: Node) -> int:
    claimed = arrivals.claim(in_blobs=False, lease=_LEASE, limit=_BATCH, at=node.now())
    whole: list[tuple[Arrival, Sequence[bytes]]] = []
    for one in claimed:
        try:
            whole.append((one, _contents(one)))
        except BlobCorrupt as error:
            _set_aside(node, one, error)
    if whole:
        node.blobs.put_all(content for _, contents in whole for content in contents)
        with transaction():
            arrivals.forget([one.message for one, _ in whole])
    return len(claimed)


def _move_large(node: Node) -> int:
    """Take the files out of one container that is in the blob store."""
    claimed = arrivals.claim(in_blobs=True, lease=_LARGE_LEASE, limit=1, at=node.now())
    for one in claimed:
        folder = node.settings.spool_dir / "moving"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{uuid.uuid4().hex}.asice"
        try:
            node.blobs.export(one.container_sha256, path)
            node.blobs.put_all(_files(one, path))
        except (BlobCorrupt, BlobMissing, ContentChanged) as error:
            _set_aside(node, one, error)
            continue
        finally:
            path.unlink(missing_ok=True)
        with transaction():
            arrivals.forget([one.message])
    return len(claimed)


def _files(arrival: Arrival, container: Path) -> Iterator[Content]:
    """Yield the files of the manifest, each compared with its digest while it is read."""
    found = {entry.name: entry.content for entry in _archive(mapped(container), arrival).entries}
    for one in arrival.envelope.manifest:
        view = memoryview(found.get(one.name, b""))
        file = VerifiedFile(
            name=one.name,
            media_type=one.media_type,
            sha256=one.sha256,
            size=len(view),
            view=view,
            mapped=True,
        )
        yield file.content if file.size <= SMALL_BYTES else file.open


def _archive(container: bytes | memoryview, arrival: Arrival) -> zipfile.Archive:
    try:
        return zipfile.read(container)
    except (ZipRefused, FileNameRefused) as exc:
        raise corrupt(arrival.container_sha256) from exc


def _contents(arrival: Arrival) -> list[bytes]:
    """Return what is stored: the files of the manifest, the container, the receipt.

    They were verified when they came; here each is compared with the digest that was.
    """
    waiting = arrival.waiting
    container = _checked(waiting.container, arrival.container_sha256)
    archive = _archive(container, arrival)
    files = {entry.name: bytes(entry.content) for entry in archive.entries}
    stored = [_checked(files.get(one.name, b""), one.sha256) for one in arrival.envelope.manifest]
    return [*stored, container, _checked(waiting.receipt, arrival.receipt_sha256)]


def _checked(content: bytes, sha256: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise corrupt(sha256)
    return content


def _set_aside(node: Node, arrival: Arrival, error: LienThongError) -> None:
    """Keep what is damaged, visible, with an incident: it must not hold up the others."""
    with transaction():
        arrivals.refuse(arrival.message, error=error.code)
        inbox.buffer(arrival.message, dossier=None)
        incidents.open_incident(
            incidents.NewIncident(
                code=error.code,
                parameters={
                    "sha256": str(error.parameters.get("sha256", arrival.container_sha256))
                },
                opened=node.now(),
                message=arrival.message,
            )
        )
