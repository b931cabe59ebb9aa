"""A document office in memory, as the server of dialect A is handed one."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.edxml.document_server import ReceivedFile
from connectors.edxml.model import EdxmlFile, MessageHeader, Organ, StatusHeader
from connectors.errors import EdxmlRefused


@dataclass(kw_only=True)
class MemoryOffice:
    """Keeps letters until their addressees confirm them, and statuses for the senders."""

    tokens: dict[str, str]
    received: list[ReceivedFile] = field(default_factory=list)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    statuses: list[StatusHeader] = field(default_factory=list)

    def knows(self, organ_id: str, token: str) -> bool:
        return self.tokens.get(organ_id) == token

    def send(self, organ_id: str, received: ReceivedFile) -> str:
        assert isinstance(received.file.header, MessageHeader)
        self.received.append(received)
        document_id = str(len(self.received))
        for organ in received.file.header.to:
            self.waiting.setdefault(organ.organ_id, []).append(document_id)
        return document_id

    def pending(self, organ_id: str) -> list[str]:
        return self.waiting.get(organ_id, [])

    def document(self, organ_id: str, document_id: str) -> EdxmlFile:
        if document_id not in self.waiting.get(organ_id, []):
            raise EdxmlRefused("expected a document of this organ", reason="unknown")
        return self.received[int(document_id) - 1].file

    def confirm(self, organ_id: str, document_id: str) -> None:
        waiting = self.waiting.get(organ_id, [])
        if document_id in waiting:
            waiting.remove(document_id)

    def traces(self, organ_id: str) -> list[StatusHeader]:
        return [one for one in self.statuses if one.response_for.organ_id == organ_id]

    def update(self, organ_id: str, received: ReceivedFile) -> None:
        assert isinstance(received.file.header, StatusHeader)
        self.statuses.append(received.file.header)

    def organizations(self) -> list[Organ]:
        return [Organ(organ_id=organ_id, name=f"Cơ quan {organ_id}") for organ_id in self.tokens]
