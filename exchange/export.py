"""Export the evidence bundle of one dossier (protocol §11): complete, or not at all."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

from dossier.envelope import FILE_NAME, Assurance, Envelope, parse_envelope
from dossier.ids import Sha256
from dossier.model import Actor, Dossier
from exchange import access, sequence
from exchange.errors import DirectoryMissing, DossierUnknown, ExportRefused
from exchange.node import Node
from signing import zipfile
from signing.evidence import (
    BundleDocument,
    BundleEvent,
    BundleMessage,
    BundleParts,
    BundleTrust,
    build_bundle,
)
from storage import directory as editions
from storage import documents, dossiers, history, inbox, outbox


def find(node: Node, code: str) -> Dossier:
    """Return the dossier of that code at one of this node's agencies; raise `DossierUnknown`."""
    found = dossiers.find_code(code.strip(), agencies=node.hosted_agencies())
    if found is None:
        raise DossierUnknown("expected a dossier of this node", code=code[:64])
    return found


def export_for(node: Node, actor: Actor, dossier: UUID) -> tuple[str, bytes]:
    """Return a file name and the bundle to a person who may export it."""
    held = dossiers.get(dossier)
    now = node.now()
    access.demand(allowed=access.may_export(actor, held, at=now), what="export evidence")
    return f"{held.code}.asice", export(node, held, at=now)


def export_to(node: Node, dossier: Dossier, target: Path) -> int:
    """Write the bundle to a file and return its size in bytes."""
    content = export(node, dossier, at=node.now())
    temporary = target.with_name(target.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(target)
    return len(content)


def export(node: Node, dossier: Dossier, *, at: datetime) -> bytes:
    """Return the sealed bundle; raise `ExportRefused` while the log has not caught up."""
    edition = editions.current()
    if edition is None:
        raise DirectoryMissing("expected an imported directory")
    trust = node.trust()
    parts = BundleParts(
        dossier=dossier.code,
        agency=dossier.agency,
        documents=_documents(node, dossier),
        messages=_messages(node, dossier),
        events=_events(node, dossier),
        trust=BundleTrust(
            directory=edition.content,
            certificates=trust.certificates,
            crls=trust.crls,
            log_keys=sequence.verifier_keys(node),
        ),
    )
    return build_bundle(
        parts, signer=node.seal(dossier.agency), timestamper=node.timestamper, at=at
    )


def _documents(node: Node, dossier: Dossier) -> list[BundleDocument]:
    return [
        BundleDocument(
            name=one.name, media_type=one.media_type, content=node.blobs.read(one.sha256)
        )
        for one in documents.of_dossier(dossier.id)
    ]


def _messages(node: Node, dossier: Dossier) -> list[BundleMessage]:
    """Return the messages of both directions in the order of their time, answers after letters."""
    timed: list[tuple[datetime, BundleMessage]] = []
    for sent in outbox.of_dossier(dossier.id):
        if sent.message.container_sha256 is None:
            raise ExportRefused("expected every message to be sealed", reason="message_unsealed")
        message = _message(node, sent.message.container_sha256, sent.receipt_sha256)
        timed.append((sent.message.created, message))
    for received in inbox.of_dossier(dossier.id):
        message = _message(
            node, received.container_sha256, received.receipt_sha256, received.assurance
        )
        timed.append((received.received, message))
    timed.sort(key=lambda one: one[0])
    return _answers_last([message for _time, message in timed])


def _answers_last(messages: list[BundleMessage]) -> list[BundleMessage]:
    """Return the messages in their order, but none before the one it answers (equal instants)."""
    envelopes = [_envelope(one) for one in messages]
    known = {envelope.message_id for envelope in envelopes}
    ordered: list[BundleMessage] = []
    told: set[str] = set()
    waiting = list(zip(envelopes, messages, strict=True))
    while waiting:
        ready = next(
            (
                place
                for place, (envelope, _message_of) in enumerate(waiting)
                if envelope.in_reply_to is None
                or envelope.in_reply_to.message_id in told
                or envelope.in_reply_to.message_id not in known
            ),
            0,
        )
        envelope, message = waiting.pop(ready)
        told.add(envelope.message_id)
        ordered.append(message)
    return ordered


def _envelope(message: BundleMessage) -> Envelope:
    content = message.container
    octets = content if isinstance(content, bytes) else content.read_bytes()
    entries = {entry.name: entry.content for entry in zipfile.read(octets).entries}
    return parse_envelope(bytes(entries[FILE_NAME]))


def _message(
    node: Node,
    container: Sha256,
    receipt: Sha256 | None,
    assurance: Assurance = Assurance.SEALED,
) -> BundleMessage:
    return BundleMessage(
        container=node.blobs.read(container),
        receipt=node.blobs.read(receipt) if receipt else None,
        assurance=assurance,
    )


def _events(node: Node, dossier: Dossier) -> list[BundleEvent]:
    rows = history.rows(dossier.id)
    proofs = sequence.proofs(node, [row.leaf for row in rows])
    return [
        BundleEvent(opening=row.opening, proof=proof)
        for row, proof in zip(rows, proofs, strict=True)
    ]
