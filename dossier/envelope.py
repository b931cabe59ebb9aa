"""The envelope: who sends what to whom under which contract, and the digest of every file.

It is the first file of every container; `docs/formats/envelope.md` specifies its bytes.
Nothing in it may be used before the container's seal has been verified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
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
# The elements before the manifest in their order: name, attributes, and whether it may be missing.
_PARTS: Final[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
    ("MessageId", (), False),
    ("From", (), False),
    ("To", (), False),
    ("ConversationId", (), False),
    ("DossierCode", (), False),
    ("Contract", ("procedure", "sha256", "version"), False),
    ("MessageType", (), False),
    ("Subject", (), False),
    ("Urgency", (), False),
    ("DocumentNumber", (), True),
    ("InReplyTo", ("message-id", "sha256"), True),
    ("Supersedes", (), True),
    ("Action", (), True),
    ("Issued", (), False),
    ("Expires", (), False),
    ("Assurance", (), False),
    ("TraceParent", (), True),
)
_FILE_PARTS: Final = ("kind", "media-type", "name", "sha256", "size")
_PLAIN_BYTES: Final = 16 * 1024
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
    # Nearly every one, for a third of the time; whatever it is not sure of goes the other way.
    plain = _read_plain(content)
    if plain is not None:
        return plain
    top = safexml.parse(content, caps=_CAPS)
    reader = xmltext.Reader(top, namespace=NAMESPACE, refused=EnvelopeRefused)
    if top.tag != f"{{{NAMESPACE}}}Envelope":
        raise reader.refuse("expected root Envelope")
    try:
        envelope = _envelope(*_read(reader))
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


def _pattern(name: str, attributes: Sequence[str], *, is_optional: bool) -> str:
    """Return the pattern of one element whose values need no escapes, one group for each."""
    if not attributes:
        pattern = f"<{name}>([^<>&{_UNPRINTED}]*)</{name}>"
    else:
        pairs = "".join(f' {one}="([^<"&{_UNPRINTED}]*)"' for one in attributes)
        pattern = f"<{name}{pairs}></{name}>"
    return f"(?:{pattern})?" if is_optional else pattern


# No XML, or not read as it is written: control characters, and the two that are none.
_UNPRINTED: Final = r"\x00-\x1f\ufffe\uffff"
_PLAIN: Final = re.compile(
    f'<Envelope xmlns="{NAMESPACE}">'
    + "".join(_pattern(name, names, is_optional=maybe) for name, names, maybe in _PARTS)
    + "<Manifest>((?:<File [^<>&]*></File>)*)</Manifest></Envelope>"
)
_PLAIN_NAMES: Final = (
    *(f"{name} {one}".strip() for name, names, _ in _PARTS for one in names or ("",)),
    "Manifest",
)
_PLAIN_FILE_NAMES: Final = ("document-kind", *_FILE_PARTS)
_PLAIN_FILE: Final = re.compile(
    f'<File(?: document-kind="([^<"&{_UNPRINTED}]*)")?'
    + _pattern("File", _FILE_PARTS, is_optional=False).removeprefix("<File")
)


_Values = Mapping[str, str]  # by the names of elements, or `Element attribute`; no empty optional


def _read(reader: xmltext.Reader) -> tuple[_Values, list[_Values]]:
    """Return the values of an envelope and of each of its files."""
    values: dict[str, str] = {}
    for name, attributes, is_optional in _PARTS:
        if is_optional and not reader.has(name):
            continue
        if not attributes:
            values[name] = reader.text(name)
            continue
        part = reader.child(name)
        part.end()
        values |= {f"{name} {one}": part.attribute(one) for one in attributes}
    manifest = reader.child("Manifest")
    files = [_read_entry(one) for one in manifest.children("File")]
    manifest.end()
    reader.end()
    return values, files


def _read_entry(reader: xmltext.Reader) -> _Values:
    reader.end()
    values = {name: reader.attribute(name) for name in _FILE_PARTS}
    return {**values, "document-kind": reader.attributes.get("document-kind", "")}


def _read_plain(content: bytes) -> Envelope | None:
    """Return an envelope without escaped characters, found by its one pattern; None for others."""
    if len(content) > _PLAIN_BYTES:
        return None
    try:
        found = _PLAIN.fullmatch(content.decode())
        if found is None:
            return None
        values = {
            name: value
            for name, value in zip(_PLAIN_NAMES, found.groups(), strict=True)
            if value is not None
        }
        files = [
            dict(zip(_PLAIN_FILE_NAMES, one.groups(""), strict=True))
            for one in _PLAIN_FILE.finditer(values.pop("Manifest"))
        ]
        envelope = _envelope(values, files)
        _check(envelope)
    except (IdentifierRefused, EnvelopeRefused, ValueError):
        return None
    return envelope if write_envelope(envelope) == content else None


def _envelope(values: _Values, files: Sequence[_Values]) -> Envelope:
    """Return the envelope of these values; raise `IdentifierRefused` or `ValueError`."""
    superseded = values.get("Supersedes", "")
    answered = None
    if "InReplyTo message-id" in values:
        answered = InReplyTo(
            message_id=parse_message_id(values["InReplyTo message-id"]),
            container_sha256=parse_sha256(values["InReplyTo sha256"]),
        )
    return Envelope(
        message_id=parse_message_id(values["MessageId"]),
        from_agency=parse_agency_code(values["From"]),
        to_agency=parse_agency_code(values["To"]),
        conversation_id=parse_conversation_id(values["ConversationId"]),
        dossier_code=values["DossierCode"],
        contract=Contract(
            procedure=parse_name(values["Contract procedure"]),
            version=values["Contract version"],
            sha256=parse_sha256(values["Contract sha256"]),
        ),
        message_type=parse_name(values["MessageType"]),
        subject=values["Subject"],
        urgency=Urgency(values["Urgency"]),
        document_number=values.get("DocumentNumber", ""),
        in_reply_to=answered,
        supersedes=parse_message_id(superseded) if superseded else None,
        action=Action(values.get("Action") or Action.NEW.value),
        issued=xmltext.parse_instant(values["Issued"]),
        expires=xmltext.parse_instant(values["Expires"]),
        assurance=Assurance(values["Assurance"]),
        traceparent=values.get("TraceParent", ""),
        manifest=tuple(_entry(one) for one in files),
    )


def _entry(values: _Values) -> ManifestEntry:
    return ManifestEntry(
        name=values["name"],
        media_type=values["media-type"],
        size_bytes=int(values["size"]),
        sha256=parse_sha256(values["sha256"]),
        kind=FileKind(values["kind"]),
        document_kind=values["document-kind"],
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
