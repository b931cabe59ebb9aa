"""Make the container of one outgoing message: envelope, documents, persons' signatures, the seal.

Sealed once, stored, and sent as the same bytes for ever after (protocol §3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from dossier import canonical, xmltext
from dossier.canonical import Json
from dossier.envelope import (
    FILE_NAME,
    MEDIA_TYPE,
    PAYLOAD_NAME,
    Action,
    Assurance,
    Contract,
    Envelope,
    FileKind,
    InReplyTo,
    ManifestEntry,
    Urgency,
    write_envelope,
)
from dossier.ids import Sha256, parse_sha256
from dossier.model import Document
from exchange import tracing
from exchange.errors import DocumentMissing, ReceiptInvalid
from exchange.node import Node
from signing.asic import DataFile, seal_container, signature_name
from storage import documents, inbox, outbox
from storage.outbox import Outgoing
from storage.transactions import transaction


def seal_message(node: Node, outgoing: Outgoing, *, at: datetime) -> bytes:
    """Return the sealed container; raise `SealMissing` or what the time-stamper raises."""
    request = outgoing.request
    if not isinstance(request, Mapping):
        request = {}
    attached = [documents.get(UUID(str(one))) for one in _listed(request, "documents")]
    attached += [_found(outgoing, str(kind)) for kind in _listed(request, "missing")]
    files = [_payload(request)] if request.get("values") else []
    files += [
        DataFile(name=one.name, media_type=one.media_type, content=node.blobs.read(one.sha256))
        for one in attached
    ]
    signatures = _signatures(node, attached)
    envelope = _envelope(outgoing, request, _manifest(attached, files, signatures), at=at)
    written = DataFile(name=FILE_NAME, media_type=MEDIA_TYPE, content=write_envelope(envelope))
    return seal_container(
        [written, *files],
        signatures=signatures,
        signer=node.seal(outgoing.message.agency),
        timestamper=node.timestamper,
        at=at,
    )


def sealed_once(node: Node, outgoing: Outgoing, *, token: str, at: datetime) -> tuple[Sha256, int]:
    """Return digest and size of the stored container, sealing it if nobody has.

    Raises what `seal_message` raises, and `ReceiptInvalid` when the claim was lost.
    """
    stored = outgoing.message.container_sha256
    if stored:
        return stored, outgoing.container_size
    content = seal_message(node, outgoing, at=at)
    digest = node.blobs.put(content)
    with transaction():
        if outbox.keep_container(
            outgoing.message.id, token=token, sha256=digest, size_bytes=len(content)
        ):
            return digest, len(content)
    # Another holder of the lease sealed first: its bytes are the message, ours are thrown away.
    winner = outbox.get(outgoing.message.id)
    if winner.message.container_sha256 is None:
        raise ReceiptInvalid("expected to hold the lease of the message")
    return winner.message.container_sha256, winner.container_size


def contract_of(outgoing: Outgoing) -> Contract:
    """Return the contract that a message is sent under, as its transition decided."""
    request = outgoing.request if isinstance(outgoing.request, Mapping) else {}
    procedure, version, digest = (str(one) for one in _listed(request, "contract"))
    return Contract(procedure=procedure, version=version, sha256=parse_sha256(digest))


def _found(outgoing: Outgoing, kind: str) -> Document:
    dossier = outgoing.message.dossier
    document = documents.latest(dossier, kind) if dossier else None
    if document is None:
        raise DocumentMissing("expected the document in the dossier", kind=kind)
    return document


def _payload(request: Mapping[str, Json]) -> DataFile:
    return DataFile(
        name=PAYLOAD_NAME,
        media_type="application/json",
        content=canonical.dump(request.get("values") or {}),
    )


def _signatures(node: Node, attached: Sequence[Document]) -> list[tuple[str, bytes]]:
    digests = list(dict.fromkeys(digest for one in attached for digest in one.signatures))
    return [
        (signature_name(place), node.blobs.read(digest))
        for place, digest in enumerate(digests, start=1)
    ]


def _manifest(
    attached: Sequence[Document],
    files: Sequence[DataFile],
    signatures: Sequence[tuple[str, bytes]],
) -> tuple[ManifestEntry, ...]:
    kinds = {one.name: one.kind for one in attached}
    entries = [
        _entry(
            file.name,
            file.media_type,
            file.content if isinstance(file.content, bytes) else file.content.read_bytes(),
            kind=FileKind.DOCUMENT if file.name in kinds else FileKind.PAYLOAD,
            document_kind=kinds.get(file.name, ""),
        )
        for file in files
    ]
    entries += [
        _entry(name, "application/xml", content, kind=FileKind.SIGNATURE)
        for name, content in signatures
    ]
    return tuple(entries)


def _entry(
    name: str, media_type: str, content: bytes, *, kind: FileKind, document_kind: str = ""
) -> ManifestEntry:
    return ManifestEntry(
        name=name,
        media_type=media_type,
        size_bytes=len(content),
        sha256=Sha256(hashlib.sha256(content).hexdigest()),
        kind=kind,
        document_kind=document_kind,
    )


def _envelope(
    outgoing: Outgoing,
    request: Mapping[str, Json],
    manifest: tuple[ManifestEntry, ...],
    *,
    at: datetime,
) -> Envelope:
    message = outgoing.message
    return Envelope(
        message_id=message.message_id,
        from_agency=message.agency,
        to_agency=message.partner,
        conversation_id=outgoing.conversation_id,
        dossier_code=message.dossier_code,
        contract=contract_of(outgoing),
        message_type=message.message_type,
        subject=str(request.get("subject") or "")[:500],
        urgency=Urgency(str(request.get("urgency") or "normal")),
        issued=xmltext.truncated(at),
        expires=xmltext.truncated(outgoing.expires),
        assurance=Assurance.SEALED,
        manifest=manifest,
        in_reply_to=_answered(outgoing),
        supersedes=outgoing.supersedes,
        action=Action(str(request.get("action") or Action.NEW.value)),
        document_number=str(request.get("document_number") or ""),
        traceparent=tracing.traceparent() if tracing.is_on() else "",
    )


def _answered(outgoing: Outgoing) -> InReplyTo | None:
    """Return the newest message of this partner in the dossier, which this one answers."""
    if outgoing.message.dossier is None:
        return None
    received = [
        one
        for one in inbox.of_dossier(outgoing.message.dossier)
        if one.envelope.from_agency == outgoing.message.partner
    ]
    if not received:
        return None
    newest = max(received, key=lambda one: one.received)
    return InReplyTo(
        message_id=newest.envelope.message_id, container_sha256=newest.container_sha256
    )


def _listed(request: Mapping[str, Json], key: str) -> list[Json]:
    found = request.get(key)
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str) else []
