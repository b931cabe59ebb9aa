"""Keep files that a service handed over and nothing was made of, so that a person can look."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

from connectors.edxml.model import StatusCode
from dossier.errors import LienThongError
from dossier.ids import AgencyCode, Sha256
from dossier.model import Direction
from exchange.edxml.accounts import EdxmlAccount
from exchange.node import Node
from storage import edxml, incidents
from storage.edxml import EdxmlKind, EdxmlState, StoredFile
from storage.transactions import transaction

_UNKNOWN: Final = "?"  # the sender, where neither list nor file say one


def keep_unread(
    node: Node,
    refusal: LienThongError,
    *,
    account: EdxmlAccount,
    organ: str,
    reference: str,
    content_type: str,
    content: bytes,
) -> None:
    """Archive a refused file bit for bit and open its incident; one that is kept stays as it is."""
    at = node.now()
    sender = organ[:35] or _UNKNOWN
    if any(one.peer_ref == reference for one in edxml.find(Direction.IN, sender, reference)):
        return
    raw = node.blobs.put(content)
    stored = StoredFile(
        id=uuid.uuid4(),
        direction=Direction.IN,
        dialect=account.dialect,
        agency=account.agency,
        organ=AgencyCode(sender),
        document_id=reference,
        peer_ref=reference,
        identity=Sha256(hashlib.sha256(content).hexdigest()),
        sha256=raw,
        media_type=content_type[:200],
        kind=EdxmlKind.NEW,
        state=EdxmlState.REFUSED,
        status=StatusCode.REFUSED.value,
        message=None,
        dossier=None,
        repairs=(),
        at=at,
    )
    told = {name: str(value) for name, value in refusal.parameters.items()}
    parameters = {"from": sender, "document_id": reference[:200], **told}
    with transaction():
        if edxml.add(stored):
            incidents.open_incident(
                incidents.NewIncident(code=refusal.code, parameters=parameters, opened=at)
            )
