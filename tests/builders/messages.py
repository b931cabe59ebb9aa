"""Sealed messages for the receiving side: a sound one, and one broken in exactly one respect."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from dossier import canonical
from dossier.envelope import (
    FILE_NAME,
    MEDIA_TYPE,
    PAYLOAD_NAME,
    Assurance,
    Contract,
    Envelope,
    FileKind,
    ManifestEntry,
    Urgency,
    write_envelope,
)
from dossier.ids import (
    AgencyCode,
    ConversationId,
    MessageOrigin,
    Sha256,
    message_id,
)
from dossier.wire import SendHints, Spooled
from exchange.node import Node
from signing.asic import DataFile, seal_container
from signing.keys import Signer
from signing.tsa import Timestamper

HOA_BINH = AgencyCode("000.00.00.H28")
BINH_DINH = AgencyCode("000.00.00.H08")
LETTER = DataFile(name="Công văn.pdf", media_type="application/pdf", content=b"%PDF-1.4\n%%EOF\n")


@dataclass(kw_only=True)
class Draft:
    """A mutable message to be sealed; change what is to be wrong."""

    node: Node
    at: datetime
    sender: AgencyCode = HOA_BINH
    receiver: AgencyCode = BINH_DINH
    message_type: str = "letter"
    values: dict[str, canonical.Json] = field(
        default_factory=lambda: {
            "letter_number": "1/UBND-NC",
            "letter_subject": "V/v học tập kinh nghiệm",
        }
    )
    contract: Contract | None = None
    issued: datetime | None = None
    expires: datetime | None = None
    instance: uuid.UUID = field(default_factory=uuid.uuid4)
    conversation: uuid.UUID = field(default_factory=uuid.uuid4)
    signer: Signer | None = None  # None: the sender's own seal
    timestamper: Timestamper | None = None
    is_stamped: bool = True
    unlisted: tuple[DataFile, ...] = ()  # in the container, not in the manifest
    dossier_code: str = "000.00.00.H28-261123-9001"
    document_kind: str = "letter"
    letter: DataFile = LETTER

    def envelope(self) -> Envelope:
        """Return the envelope with a manifest of payload and letter."""
        files = [self._payload(), self.letter]
        return Envelope(
            message_id=message_id(
                MessageOrigin(
                    epoch="abcdef012345", instance=self.instance, sequence=1, to=self.receiver
                )
            ),
            from_agency=self.sender,
            to_agency=self.receiver,
            conversation_id=ConversationId(str(self.conversation)),
            dossier_code=self.dossier_code,
            contract=self.contract or self.known_contract(),
            message_type=self.message_type,
            subject="V/v học tập kinh nghiệm",
            urgency=Urgency.NORMAL,
            issued=self.issued or self._truncated(),
            expires=self.expires or self._truncated() + timedelta(days=3),
            assurance=Assurance.SEALED,
            manifest=tuple(_entry(one, self.document_kind) for one in files),
        )

    def known_contract(self) -> Contract:
        """Return the contract of the official letter, as this node has published it."""
        day = self.at.date()
        procedure = self.node.contracts().effective("official-letter", day=day)
        return Contract(
            procedure=procedure.code,
            version=procedure.version,
            sha256=Sha256(procedure.digest),
        )

    def container(self) -> bytes:
        """Return the sealed container."""
        written = DataFile(
            name=FILE_NAME, media_type=MEDIA_TYPE, content=write_envelope(self.envelope())
        )
        stamper = self.timestamper or self.node.timestamper
        return seal_container(
            [written, self._payload(), self.letter, *self.unlisted],
            signer=self.signer or self.node.seal(self.sender),
            timestamper=stamper if self.is_stamped else None,
            at=self.at,
        )

    def _payload(self) -> DataFile:
        return DataFile(
            name=PAYLOAD_NAME,
            media_type="application/json",
            content=canonical.dump(self.values),
        )

    def _truncated(self) -> datetime:
        return self.at.replace(microsecond=0)


def _entry(file: DataFile, document_kind: str) -> ManifestEntry:
    content = file.content
    assert isinstance(content, bytes)
    is_payload = file.name == PAYLOAD_NAME
    return ManifestEntry(
        name=file.name,
        media_type=file.media_type,
        size_bytes=len(content),
        sha256=Sha256(hashlib.sha256(content).hexdigest()),
        kind=FileKind.PAYLOAD if is_payload else FileKind.DOCUMENT,
        document_kind="" if is_payload else document_kind,
    )


@dataclass(frozen=True, kw_only=True)
class OnDisk:
    """A container as the spool hands it over."""

    path: Path
    sha256: Sha256
    size_bytes: int

    @property
    def content(self) -> bytes | Path:
        """Where it lies."""
        return self.path

    def drop(self) -> None:
        """Delete it."""
        self.path.unlink(missing_ok=True)


def spooled(folder: Path, content: bytes) -> OnDisk:
    """Return the bytes as a spooled container."""
    path = folder / f"{uuid.uuid4()}.asice"
    path.write_bytes(content)
    return OnDisk(
        path=path, sha256=Sha256(hashlib.sha256(content).hexdigest()), size_bytes=len(content)
    )


def hints_for(draft: Draft, container: Spooled) -> SendHints:
    """Return the truthful hints of a draft."""
    envelope = draft.envelope()
    return SendHints(
        from_agency=envelope.from_agency,
        to_agency=envelope.to_agency,
        message_id=envelope.message_id,
        container_sha256=container.sha256,
        size_bytes=container.size_bytes,
    )


def lying(hints: SendHints, **changes: object) -> SendHints:
    """Return hints that say something else."""
    return replace(hints, **changes)  # type: ignore[arg-type]  # a test names the fields
