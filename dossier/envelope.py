"""The envelope: who sends what to whom under which contract, and the digest of every file.

It is the first file of every container; `docs/formats/envelope.md` specifies its bytes.
Nothing in it may be used before the container's seal has been verified.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from dossier import safexml, xmltext
from dossier.errors import EnvelopeRefused, IdentifierRefused
from dossier.ids import (
    AgencyCode,
    ConversationId,
    MessageId,
    Sha256,
    parse_agency_code,
    parse_conversation_id,
    parse_message_id,
    parse_name,
    parse_sha256,
)

NAMESPACE: Final = "urn:lienthong:envelope:1"
FILE_NAME: Final = "envelope.xml"
MEDIA_TYPE: Final = "application/vnd.lienthong.envelope+xml"
PAYLOAD_NAME: Final = "payload.json"
_CAPS: Final = safexml.Caps(size_bytes=512 * 1024, depth=6, elements=4_000)


class Assurance(Enum):
    """How a message is proved (protocol §10), weakest first in `strength`."""

    NONE = "none"
    CHANNEL = "channel"
    SEALED = "sealed"

    @property
    def strength(self) -> int:
        """0 none, 1 channel, 2 sealed."""
        return list(Assurance).index(self)


class Action(Enum):
    """What a message does about the one that it supersedes."""

    NEW = "new"  # nothing, or it is a reissue: the other one was never accepted
    RECALL = "recall"  # takes it back
    REPLACE = "replace"  # stands in its place
    UPDATE = "update"  # adds to it or corrects it


class Urgency(Enum):
    """Thường, khẩn, thượng khẩn, hỏa tốc (domain.md §8)."""

    NORMAL = "normal"
    URGENT = "urgent"
    VERY_URGENT = "very_urgent"
    IMMEDIATE = "immediate"


class FileKind(Enum):
    """What a file of the container is."""

    PAYLOAD = "payload"  # the case values that travel, canonical JSON
    DOCUMENT = "document"
    SIGNATURE = "signature"  # a person's signature under META-INF/


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestEntry:
    """One file of the container, the envelope itself and the seal excepted."""

    name: str  # path in the container, NFC
    media_type: str
    size_bytes: int
    sha256: Sha256
    kind: FileKind
    document_kind: str = ""  # as `procedure.toml` names it, for kind DOCUMENT


@dataclass(frozen=True, kw_only=True, slots=True)
class InReplyTo:
    """The message that this one answers, bound by the digest of its container."""

    message_id: MessageId
    container_sha256: Sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """The procedure both nodes run, proved by the digest of its `process.bpmn`."""

    procedure: str
    version: str
    sha256: Sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The header and the manifest of one message (protocol §2)."""

    message_id: MessageId
    from_agency: AgencyCode
    to_agency: AgencyCode
    conversation_id: ConversationId
    dossier_code: str
    contract: Contract
    message_type: str
    subject: str
    urgency: Urgency
    issued: datetime  # UTC, milliseconds
    expires: datetime
    assurance: Assurance  # the assurance the sender wants
    manifest: tuple[ManifestEntry, ...]
    in_reply_to: InReplyTo | None = None
    supersedes: MessageId | None = None
    action: Action = Action.NEW
    document_number: str = ""  # from the sender's register of outgoing letters
    traceparent: str = ""  # W3C trace context


def write_envelope(envelope: Envelope) -> bytes:
    """Return the one spelling of `envelope`."""
    e = xmltext.element
    t = xmltext.text
    parts = [
        t("MessageId", envelope.message_id),
        t("From", envelope.from_agency),
        t("To", envelope.to_agency),
        t("ConversationId", envelope.conversation_id),
        t("DossierCode", envelope.dossier_code),
        e(
            "Contract",
            procedure=envelope.contract.procedure,
            version=envelope.contract.version,
            sha256=envelope.contract.sha256,
        ),
        t("MessageType", envelope.message_type),
        t("Subject", envelope.subject),
        t("Urgency", envelope.urgency.value),
    ]
    if envelope.document_number:
        parts.append(t("DocumentNumber", envelope.document_number))
    if envelope.in_reply_to:
        answered = envelope.in_reply_to
        parts.append(
            e("InReplyTo", message_id=answered.message_id, sha256=answered.container_sha256)
        )
    if envelope.supersedes:
        parts.append(t("Supersedes", envelope.supersedes))
    if envelope.action is not Action.NEW:
        parts.append(t("Action", envelope.action.value))
    parts += [
        t("Issued", xmltext.instant(envelope.issued)),
        t("Expires", xmltext.instant(envelope.expires)),
        t("Assurance", envelope.assurance.value),
    ]
    if envelope.traceparent:
        parts.append(t("TraceParent", envelope.traceparent))
    parts.append(e("Manifest", *(_write_entry(entry) for entry in envelope.manifest)))
    return xmltext.root("Envelope", NAMESPACE, parts)


def parse_envelope(content: bytes) -> Envelope:
    """Return the envelope of its one spelling; raise `EnvelopeRefused` or `XmlRefused`."""
    top = safexml.parse(content, caps=_CAPS)
    reader = xmltext.Reader(top, namespace=NAMESPACE, refused=EnvelopeRefused)
    if top.tag != f"{{{NAMESPACE}}}Envelope":
        raise reader.refuse("expected root Envelope")
    try:
        envelope = _read(reader)
    except (IdentifierRefused, ValueError) as exc:
        raise EnvelopeRefused(f"expected a well-formed value: {exc}") from exc
    _check(envelope)
    if write_envelope(envelope) != content:
        raise EnvelopeRefused("expected the canonical spelling of the envelope")
    return envelope


def _write_entry(entry: ManifestEntry) -> str:
    optional = {"document_kind": entry.document_kind} if entry.document_kind else {}
    return xmltext.element(
        "File",
        name=entry.name,
        media_type=entry.media_type,
        size=str(entry.size_bytes),
        sha256=entry.sha256,
        kind=entry.kind.value,
        **optional,
    )


def _read(reader: xmltext.Reader) -> Envelope:
    message_id = parse_message_id(reader.text("MessageId"))
    from_agency = parse_agency_code(reader.text("From"))
    to_agency = parse_agency_code(reader.text("To"))
    conversation_id = parse_conversation_id(reader.text("ConversationId"))
    dossier_code = reader.text("DossierCode")
    contract = _read_contract(reader.child("Contract"))
    message_type = parse_name(reader.text("MessageType"))
    subject = reader.text("Subject")
    urgency = Urgency(reader.text("Urgency"))
    document_number = reader.optional_text("DocumentNumber") or ""
    in_reply_to = _read_answered(reader.child("InReplyTo")) if reader.has("InReplyTo") else None
    superseded = reader.optional_text("Supersedes")
    action = Action(reader.optional_text("Action") or Action.NEW.value)
    issued = xmltext.parse_instant(reader.text("Issued"))
    expires = xmltext.parse_instant(reader.text("Expires"))
    assurance = Assurance(reader.text("Assurance"))
    traceparent = reader.optional_text("TraceParent") or ""
    manifest = reader.child("Manifest")
    entries = tuple(_read_entry(one) for one in manifest.children("File"))
    manifest.end()
    reader.end()
    return Envelope(
        message_id=message_id,
        from_agency=from_agency,
        to_agency=to_agency,
        conversation_id=conversation_id,
        dossier_code=dossier_code,
        contract=contract,
        message_type=message_type,
        subject=subject,
        urgency=urgency,
        document_number=document_number,
        in_reply_to=in_reply_to,
        supersedes=parse_message_id(superseded) if superseded else None,
        action=action,
        issued=issued,
        expires=expires,
        assurance=assurance,
        traceparent=traceparent,
        manifest=entries,
    )


def _read_contract(reader: xmltext.Reader) -> Contract:
    reader.end()
    return Contract(
        procedure=parse_name(reader.attribute("procedure")),
        version=reader.attribute("version"),
        sha256=parse_sha256(reader.attribute("sha256")),
    )


def _read_answered(reader: xmltext.Reader) -> InReplyTo:
    reader.end()
    return InReplyTo(
        message_id=parse_message_id(reader.attribute("message-id")),
        container_sha256=parse_sha256(reader.attribute("sha256")),
    )


def _read_entry(reader: xmltext.Reader) -> ManifestEntry:
    reader.end()
    return ManifestEntry(
        name=reader.attribute("name"),
        media_type=reader.attribute("media-type"),
        size_bytes=int(reader.attribute("size")),
        sha256=parse_sha256(reader.attribute("sha256")),
        kind=FileKind(reader.attribute("kind")),
        document_kind=reader.attributes.get("document-kind", ""),
    )


def _check(envelope: Envelope) -> None:
    names = [unicodedata.normalize("NFC", entry.name).casefold() for entry in envelope.manifest]
    if len(set(names)) != len(names):
        raise EnvelopeRefused("expected distinct file names in the manifest")
    if FILE_NAME in names:
        raise EnvelopeRefused("expected a manifest without the envelope itself")
    if len(envelope.subject) > 500 or not envelope.dossier_code or len(envelope.dossier_code) > 64:
        raise EnvelopeRefused("expected a subject and a dossier code within their lengths")
    _check_action(envelope)
    if envelope.expires <= envelope.issued:
        raise EnvelopeRefused("expected an expiry after the time of issue")
    for entry in envelope.manifest:
        in_meta = entry.name.startswith("META-INF/")
        if in_meta != (entry.kind is FileKind.SIGNATURE):
            raise EnvelopeRefused("expected signatures, and only those, under META-INF/")


def _check_action(envelope: Envelope) -> None:
    if envelope.action is not Action.NEW and envelope.supersedes is None:
        raise EnvelopeRefused("expected the message that the action is about")
    if envelope.action is Action.RECALL and envelope.manifest:
        raise EnvelopeRefused("expected a recall without files")
