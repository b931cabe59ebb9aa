"""Move what has just arrived from the rows of its commit to the blob store, files and all.

The answer to SendMessage waits for one commit only; this is done before an instance gets the
message (docs/decisions/0018). Moving is safe to repeat: the store is addressed by content, and a
row goes when everything of it is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from exchange.node import Node
from signing import zipfile
from signing.errors import FileNameRefused, ZipRefused
from storage import arrivals, inbox, incidents
from storage.arrivals import Arrival
from storage.blobs import corrupt
from storage.errors import BlobCorrupt
from storage.inbox import InboxMessage
from storage.transactions import transaction

SMALL_BYTES: Final = 256 * 1024  # larger containers go to the blob store at once
_LEASE: Final = timedelta(seconds=3)  # a mover that takes longer only shares its work
_BATCH: Final = 20


def receipt_of(node: Node, message: InboxMessage) -> bytes:
    """Return the receipt that a message was answered with, byte for byte."""
    waiting = arrivals.receipt_of(message.id)
    if waiting is None:
        return node.blobs.read(message.receipt_sha256)
    return _checked(waiting, message.receipt_sha256)


def move_arrivals(node: Node) -> int:
    """Move one batch and return how many messages it was."""
    claimed = arrivals.claim(lease=_LEASE, limit=_BATCH, at=node.now())
    whole: list[tuple[Arrival, Sequence[bytes]]] = []
    for one in claimed:
        try:
            whole.append((one, _contents(one)))
        except BlobCorrupt as error:
            _set_aside(node, one, error)
    node.blobs.put_all(content for _, contents in whole for content in contents)
    if whole:
        with transaction():
            arrivals.forget([one.message for one, _ in whole])
    return len(claimed)


def _contents(arrival: Arrival) -> list[bytes]:
    """Return what is stored: the files of the manifest, the container, the receipt.

    They were verified when they came; here each is compared with the digest that was.
    """
    container = _checked(arrival.container, arrival.container_sha256)
    try:
        archive = zipfile.read(container)
    except (ZipRefused, FileNameRefused) as exc:
        raise corrupt(arrival.container_sha256) from exc
    files = {entry.name: bytes(entry.content) for entry in archive.entries}
    stored = [_checked(files.get(one.name, b""), one.sha256) for one in arrival.envelope.manifest]
    return [*stored, container, _checked(arrival.receipt, arrival.receipt_sha256)]


def _checked(content: bytes, sha256: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise corrupt(sha256)
    return content


def _set_aside(node: Node, arrival: Arrival, error: BlobCorrupt) -> None:
    """Keep what is damaged, visible, with an incident: it must not hold up the others."""
    with transaction():
        arrivals.refuse(arrival.message, error=error.code)
        inbox.buffer(arrival.message, dossier=None)
        incidents.open_incident(
            incidents.NewIncident(
                code=error.code,
                parameters={"sha256": str(error.parameters.get("sha256", ""))},
                opened=node.now(),
                message=arrival.message,
            )
        )
