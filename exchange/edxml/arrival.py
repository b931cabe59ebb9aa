"""A file as it came through a channel, and its row before anybody has looked at it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from connectors.edxml.document_server import ReceivedFile
from connectors.edxml.model import BusinessKind, EdxmlFile
from dossier.directory import DirectoryAgency
from dossier.ids import AgencyCode, Sha256
from dossier.model import Direction
from storage.edxml import EdxmlKind, EdxmlState, StoredFile

_KINDS: Final[Mapping[str, EdxmlKind]] = {
    BusinessKind.NEW.value: EdxmlKind.NEW,
    BusinessKind.REVOKE.value: EdxmlKind.REVOKE,
    BusinessKind.UPDATE.value: EdxmlKind.UPDATE,
    BusinessKind.REPLACE.value: EdxmlKind.REPLACE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A file as it came, and how."""

    dialect: str  # a or b
    organ: str  # the sender, as the channel proved it
    peer_ref: str  # what the peer's service calls it
    received: ReceivedFile
    agency: AgencyCode | None = None  # ours, whose account it was fetched with
    called: str = ""  # what that agency is called there


def identity_of(file: EdxmlFile) -> Sha256:
    """Return the digest of what a file says: in MIME the bytes differ at every sending."""
    files = [
        {"name": one.name, "sha256": hashlib.sha256(one.transferred or b"").hexdigest()}
        for one in file.attachments
    ]
    said = {"header": asdict(file.header), "trace": asdict(file.trace), "files": files}
    return Sha256(hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest())


def kind_of(file: EdxmlFile) -> EdxmlKind:
    """Return what a letter does to an earlier one; without a word it is new."""
    return _KINDS.get(file.trace.business.kind, EdxmlKind.NEW)


def row_of(
    arrival: Arrival,
    sender: DirectoryAgency,
    agency: AgencyCode,
    document_id: str,
    raw: Sha256,
    kind: EdxmlKind,
    at: datetime,
) -> StoredFile:
    """Return the row of a file that came to one of our agencies."""
    return StoredFile(
        id=uuid.uuid4(),
        direction=Direction.IN,
        dialect=arrival.dialect,
        agency=agency,
        organ=sender.code,
        document_id=document_id,
        peer_ref=arrival.peer_ref,
        identity=identity_of(arrival.received.file),
        sha256=raw,
        media_type=arrival.received.content_type[:200],
        kind=kind,
        state=EdxmlState.RECEIVED,
        status="",
        message=None,
        dossier=None,
        repairs=tuple(one.value for one in arrival.received.file.repairs),
        at=at,
    )
