"""Documents of a dossier: uploaded by people, printed from case values, read again."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.model import Actor, Document, DocumentOrigin, Dossier
from exchange import access
from exchange.errors import DocumentNameRefused, DocumentTooLarge, DocumentUnknown
from exchange.node import Node
from printing.letter import Letter, letter_pdf
from storage import documents, dossiers
from storage.transactions import transaction

_NAME_BYTES: Final = 180
_PLACE_PREFIXES: Final = ("UBND tỉnh ", "UBND thành phố ", "UBND phường ", "UBND xã ")
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_MEDIA_TYPES: Final = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"PK\x03\x04": "application/zip",
}


def upload(
    node: Node, actor: Actor, dossier: UUID, *, name: str, kind: str, content: bytes
) -> Document:
    """Keep an uploaded file and return its document.

    The media type is judged by the content, never by what the browser said. Raises
    `DocumentTooLarge`, `DocumentNameRefused`, `NotAllowed`.
    """
    limit = node.settings.max_document_bytes
    if len(content) > limit:
        raise DocumentTooLarge("expected a smaller file", limit=limit // 1024**2)
    held = dossiers.get(dossier)
    now = node.now()
    access.demand(allowed=access.may_read(actor, held, at=now), what="add documents")
    digest = node.blobs.put(content)
    with transaction():
        document = Document(
            id=uuid.uuid4(),
            dossier=dossier,
            name=free_name(dossier, safe_name(name)),
            media_type=media_type_of(content),
            kind=kind,
            sha256=digest,
            size_bytes=len(content),
            origin=DocumentOrigin.UPLOADED,
            added=now,
            added_by=actor.username,
        )
        documents.add(document)
    return document


def read(node: Node, actor: Actor, document: UUID) -> tuple[Document, bytes]:
    """Return a document and its bytes to a person who may see its dossier."""
    found = documents.get(document)
    allowed = access.may_read(actor, dossiers.get(found.dossier), at=node.now())
    if not allowed:
        raise DocumentUnknown("expected a document that you may see")
    return found, node.blobs.read(found.sha256)


def print_letter(
    node: Node,
    dossier: Dossier,
    *,
    kind: str,
    values: Mapping[str, Json],
    title: str,
    symbol: str,
    actor: str,
    at: datetime,
) -> Document:
    """Print the document of that kind from its case values and return it, not yet stored.

    The values are those of the printing convention of docs/reference/procedure-folder.md:
    `<kind>_subject`, `_body`, `_recipients`, `_signer_title`, `_signer_name`.
    """

    def said(part: str) -> str:
        return str(values.get(f"{kind}_{part}") or "")

    directory = node.directory()
    own = directory.find(dossier.agency)
    partners = [
        found.name_vi
        for role, code in dossier.bindings.items()
        if role != dossier.role and (found := directory.find(code))
    ]
    content = letter_pdf(
        Letter(
            parent_agency="",
            agency=own.name_vi if own else dossier.agency,
            place=place_of(own.name_vi if own else ""),
            issued=local_day(at),
            symbol=symbol,
            title=said("title"),
            subject=said("subject") or dossier.subject,
            addressees=() if said("title") else tuple(partners),
            paragraphs=_lines(said("body")) or (dossier.subject,),
            recipients=_lines(said("recipients")),
            signer_title=said("signer_title"),
            signer_name=said("signer_name"),
        )
    )
    return Document(
        id=uuid.uuid4(),
        dossier=dossier.id,
        name=safe_name(f"{title}.pdf"),
        media_type="application/pdf",
        kind=kind,
        sha256=node.blobs.put(content),
        size_bytes=len(content),
        origin=DocumentOrigin.GENERATED,
        added=at,
        added_by=actor,
    )


def place_of(agency: str) -> str:
    """Return the place that a letter of the agency names before its date."""
    for prefix in _PLACE_PREFIXES:
        if agency.startswith(prefix):
            return agency.removeprefix(prefix).partition(",")[0]
    return agency


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def safe_name(name: str) -> str:
    """Return a file name that is safe everywhere: NFC, one path element, no control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        " " if char in _FORBIDDEN or unicodedata.category(char)[0] == "C" else char for char in last
    )
    cleaned = " ".join(kept.split()).strip(". ")
    stem, dot, extension = cleaned.rpartition(".")
    if not dot:
        stem, extension = cleaned, ""
    while len(f"{stem}{dot}{extension}".encode()) > _NAME_BYTES and stem:
        stem = stem[:-1]
    short = f"{stem}{dot}{extension}"
    if not stem or short.casefold() in ("envelope.xml", "payload.json", "mimetype", "meta-inf"):
        raise DocumentNameRefused("expected a usable file name", name=short[:60])
    return short


def free_name(dossier: UUID, name: str) -> str:
    """Return the name, numbered if the dossier has a document of that name already."""
    taken = {one.name.casefold() for one in documents.of_dossier(dossier)}
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem} ({number}){dot}{extension}"
    return candidate


def media_type_of(content: bytes) -> str:
    """Return the media type that the first bytes show; anything else is just bytes."""
    for start, media_type in _MEDIA_TYPES.items():
        if content.startswith(start):
            return media_type
    return "application/octet-stream"
