"""A person's own signature over documents of a dossier, by their PIN-protected key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dossier.ids import Sha256
from dossier.model import Actor, Document, Dossier, Task
from exchange.chronicle import Event
from exchange.errors import DocumentMissing, SignatureKeyMissing
from exchange.node import Node
from signing.asic import DataFile, sign_files
from signing.keys import load_signer
from signing.xades import SignatureRole
from storage import documents


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A signature that was made and stored, not yet recorded with its documents."""

    sha256: Sha256
    documents: tuple[Document, ...]
    role: str


def sign(node: Node, actor: Actor, task: Task, *, pin: str, at: datetime) -> Signed:
    """Sign the task's documents as `task.signs` demands; the PIN is used here and nowhere kept.

    Raises `PinRefused`, `SignatureKeyMissing`, `DocumentMissing`.
    """
    key, certificates = node.person_key(actor.username)
    if not key.exists():
        raise SignatureKeyMissing("expected a signing key", username=actor.username)
    signer = load_signer(
        key.read_bytes(), certificates=certificates.read_bytes(), password=pin.encode()
    )
    chosen = []
    for kind in task.documents_in:
        document = documents.latest(task.dossier, kind)
        if document is None:
            raise DocumentMissing("expected the document in the dossier", kind=kind)
        chosen.append(document)
    files = [
        DataFile(name=one.name, media_type=one.media_type, content=node.blobs.read(one.sha256))
        for one in chosen
    ]
    signature = sign_files(
        files,
        signer=signer,
        timestamper=node.timestamper,
        at=at,
        role=SignatureRole(task.signs),
    )
    return Signed(sha256=node.blobs.put(signature), documents=tuple(chosen), role=task.signs)


def record(
    signed: Signed, *, task: Task, dossier: Dossier, actor: Actor, at: datetime
) -> list[Event]:
    """Bind the signature to its documents, in this transaction; return the events to write."""
    for document in signed.documents:
        documents.add_signature(
            document.id, signed.sha256, signer=actor.username, role=signed.role, at=at
        )
    return [
        Event(
            dossier=dossier.id,
            at=at,
            kind="document_signed",
            instance=task.instance,
            element_id=task.element_id,
            actor=actor.username,
            parameters={
                "signature": signed.sha256,
                "role": signed.role,
                "documents": [one.sha256 for one in signed.documents],
            },
        )
    ]
