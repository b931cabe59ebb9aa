"""What this node's own document service (dialect A) does for the organs that call it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from connectors.edxml import dialect_a
from connectors.edxml.document_server import ReceivedFile
from connectors.edxml.mime import read_mime
from connectors.edxml.model import EdxmlFile, Organ, ResponseFor, StatusHeader
from connectors.multipart import Source
from dossier.model import Direction
from exchange.edxml.accounts import EdxmlConfiguration
from exchange.edxml.arrival import Arrival
from exchange.edxml.errors import LetterUnplaced
from exchange.edxml.fates import fate_of
from exchange.edxml.letters import edxml_time
from exchange.edxml.post import mark_fetched
from exchange.edxml.take import Intake
from exchange.node import Node
from storage import edxml
from storage.edxml import EdxmlState, StoredFile

_LISTED: Final = 200
_BYTES: Final = 128 * 1024 * 1024


class NodeOffice:
    """One node's letters for one organ; a `connectors.edxml.document_server.DocumentOffice`."""

    def __init__(self, node: Node, configuration: EdxmlConfiguration) -> None:
        self._node = node
        self._configuration = configuration

    def knows(self, organ_id: str, token: str) -> bool:
        """Tell whether the token is that organ's, in constant time."""
        return self._configuration.knows(organ_id, token)

    def send(self, organ_id: str, received: ReceivedFile) -> str:
        """Take a letter and return our id of it."""
        intake = Intake(self._node, self._configuration)
        return str(
            intake.take(Arrival(dialect="a", organ=organ_id, peer_ref="", received=received))
        )

    def pending(self, organ_id: str) -> Sequence[str]:
        """Return the ids of the letters that wait for an organ."""
        return [str(one.id) for one in edxml.waiting_for(organ_id, limit=_LISTED)]

    def document(self, organ_id: str, document_id: str) -> EdxmlFile:
        """Return a letter to that organ, fetched before or not; raise `LetterUnplaced`."""
        stored = self._own(organ_id, document_id)
        content = self._node.blobs.open(stored.sha256)
        with content as stream:
            message = read_mime(stored.media_type, Source(stream), limit_bytes=_BYTES)
        return dialect_a.read_file(message)

    def confirm(self, organ_id: str, document_id: str) -> None:
        """Take a letter off the list, and mark its message as sent."""
        mark_fetched(self._node, self._own(organ_id, document_id))

    def traces(self, organ_id: str) -> Sequence[StatusHeader]:
        """Return where the letters of an organ stand here."""
        at = self._node.now()
        return [
            StatusHeader(
                sender=Organ(organ_id=one.agency),
                response_for=ResponseFor(organ_id=organ_id, document_id=one.document_id),
                status_code=fate_of(one).value,
                timestamp=edxml_time(at),
            )
            for one in edxml.letters_from(organ_id, limit=_LISTED)
        ]

    def update(self, organ_id: str, received: ReceivedFile) -> None:
        """Note what became of a letter of ours."""
        intake = Intake(self._node, self._configuration)
        intake.take(Arrival(dialect="a", organ=organ_id, peer_ref="", received=received))

    def organizations(self) -> Sequence[Organ]:
        """Return the agencies of the directory."""
        return [
            Organ(organ_id=one.code, name=one.name_vi[:200])
            for one in self._node.directory().agencies
        ]

    def _own(self, organ_id: str, document_id: str) -> StoredFile:
        try:
            stored = edxml.get(uuid.UUID(document_id))
        except ValueError:
            stored = None
        if (
            stored is None
            or stored.direction is not Direction.OUT
            or stored.organ != organ_id.casefold()
            or stored.state not in (EdxmlState.WAITING, EdxmlState.SENT)
        ):
            raise LetterUnplaced("expected a letter to the organ that calls")
        return stored
