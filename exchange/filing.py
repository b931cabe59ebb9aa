"""Add what came with a message to its dossier."""

from __future__ import annotations

import uuid
from datetime import datetime

from dossier.envelope import FileKind
from dossier.model import Document, DocumentOrigin, Dossier
from exchange.node import Node
from storage import documents
from storage.inbox import InboxMessage


def keep_documents(node: Node, message: InboxMessage, dossier: Dossier, *, at: datetime) -> None:
    """Add the documents of a message to the dossier, with the persons' signatures over them."""
    envelope = message.envelope
    signatures = tuple(
        entry.sha256 for entry in envelope.manifest if entry.kind is FileKind.SIGNATURE
    )
    for entry in envelope.manifest:
        if entry.kind is not FileKind.DOCUMENT:
            continue
        received = Document(
            id=uuid.uuid5(message.id, entry.name),
            dossier=dossier.id,
            name=entry.name,
            media_type=entry.media_type,
            kind=entry.document_kind,
            sha256=entry.sha256,
            size_bytes=entry.size_bytes,
            origin=DocumentOrigin.RECEIVED,
            added=at,
            added_by=envelope.from_agency,
        )
        documents.add(received)
        for signature in signatures:
            documents.add_signature(
                received.id,
                signature,
                signer=envelope.from_agency,
                role="received",
                at=at,
            )
