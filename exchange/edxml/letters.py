"""Our messages as edXML letters, and edXML letters as messages of a contract.

A letter proves nothing about who sent it: what came is wrapped in a container that its *receiver*
seals, with the assurance *channel* (protocol §10), so that it can be exported and verified as
what was received.
"""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from connectors.edxml.model import (
    Attachment,
    Business,
    BusinessKind,
    Code,
    DocumentUpdate,
    EdxmlFile,
    MessageHeader,
    Organ,
    Promulgation,
    Replacement,
    ResponseFor,
    TraceHeader,
    TraceHeaderList,
)
from dossier import canonical, xmltext
from dossier.canonical import Json
from dossier.directory import DirectoryAgency
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
from dossier.ids import AgencyCode, ConversationId, MessageId, Sha256, parse_message_id
from signing.asic import DataFile

ARCHIVED: Final = "received-edxml"  # kind of the file as it travelled, among the documents
EXPIRY: Final = timedelta(days=30)
_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_NAMES: Final = uuid.UUID("2b54b1d3-68b4-5d35-9c86-0fb0a0a3c3b5")
_DOSSIER: Final = "MCDT_DT"  # ApplicationType of a one-stop dossier
_SUBJECT: Final = 500
# The fields of a letter that may become case values.
_FIELDS: Final = (
    "number", "notation", "code", "subject", "content", "due_date", "issued", "signer", "sender",
    "document_id",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a letter belongs: the contract and the conversation that it is a message of."""

    contract: Contract
    message_type: str
    documents: tuple[str, ...]  # kinds, as the message type declares them
    values: frozenset[str]  # names that the message type lets travel
    conversation_id: ConversationId
    dossier_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapped:
    """A letter as the files of a container, envelope first."""

    envelope: Envelope
    files: tuple[DataFile, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What an outgoing letter says."""

    sender: DirectoryAgency
    to: DirectoryAgency
    message_id: MessageId
    dossier_code: str
    document_number: str  # number/notation; empty: none was taken
    subject: str
    answers: str = ""  # DocumentId of the letter that this one answers
    kind: BusinessKind = BusinessKind.NEW
    about: str = ""  # DocumentId of the letter that this one revokes, changes or replaces


def write_letter(
    sent: Sent, files: Iterable[tuple[str, bytes]], *, at: datetime
) -> tuple[str, EdxmlFile]:
    """Return the DocumentId and the letter; `files` are names and contents."""
    day = f"{at.astimezone(_HERE):%Y/%m/%d}"
    number, _, notation = sent.document_number.partition("/")
    # What is said about an earlier letter bears its number; the DocumentId is its own all the same.
    own = sent.message_id if sent.about else sent.document_number or sent.message_id
    document_id = f"{sent.sender.code},{day},{own}"
    code = Code(number=number, notation=notation)
    if not sent.document_number:
        code = Code(notation=sent.dossier_code)
    header = MessageHeader(
        sender=_organ(sent.sender),
        to=(_organ(sent.to),),
        document_id=document_id,
        code=code,
        promulgation=Promulgation(date=day),
        subject=sent.subject[:_SUBJECT],
        response_for=(ResponseFor(organ_id=sent.to.code, document_id=sent.answers),)
        if sent.answers
        else (),
        application_type="" if sent.document_number else _DOSSIER,
    )
    trace = TraceHeaderList(
        business=_business(sent, document_id),
        traces=(TraceHeader(organ_id=sent.sender.code, timestamp=edxml_time(at)),),
    )
    attachments = tuple(Attachment(name=name, content=content) for name, content in files)
    return document_id, EdxmlFile(header=header, trace=trace, attachments=attachments)


def _business(sent: Sent, document_id: str) -> Business:
    match sent.kind:
        case BusinessKind.NEW:
            return Business(document_id=document_id, kind=sent.kind.value)
        case BusinessKind.REPLACE:
            replaced = Replacement(document_id=sent.about, organ_ids=(sent.to.code,))
            return Business(document_id=document_id, kind=sent.kind.value, replacements=(replaced,))
        case BusinessKind.REVOKE:
            return Business(document_id=sent.about, kind=sent.kind.value, reason=sent.subject)
        case BusinessKind.UPDATE:
            changed = DocumentUpdate(document_info="1", document_receiver="0")
            return Business(document_id=sent.about, kind=sent.kind.value, update=changed)
        case _:
            assert_never(sent.kind)


def wrap_letter(
    file: EdxmlFile,
    header: MessageHeader,
    place: Place,
    *,
    sender: AgencyCode,
    to: AgencyCode,
    archived: DataFile,
    identity: Sha256,
    values: Mapping[str, str],
    at: datetime,
) -> Wrapped:
    """Return a received letter as a message to `to`; `archived` is the file as it travelled.

    `identity` is the digest of what it says: the same letter gets the same message id.

    `values` says which field of the letter each case value is taken from.
    """
    named = _named(file, archived)
    files = [
        DataFile(name=name, media_type="application/octet-stream", content=content)
        for name, content in named
    ]
    payload = _payload(header, place, values)
    if payload:
        files.insert(
            0,
            DataFile(
                name=PAYLOAD_NAME, media_type="application/json", content=canonical.dump(payload)
            ),
        )
    kinds = dict(zip((name for name, _ in named), place.documents, strict=False))
    kinds[archived.name] = ARCHIVED
    entries = [_entry(one, kinds) for one in (*files, archived)]
    name = uuid.uuid5(_NAMES, f"{sender.casefold()} {header.document_id} {identity}")
    envelope = Envelope(
        message_id=parse_message_id(f"edxmlletter-{name.hex}-1-{to}"),
        from_agency=sender,
        to_agency=to,
        conversation_id=place.conversation_id,
        dossier_code=place.dossier_code,
        contract=place.contract,
        message_type=place.message_type,
        subject=header.subject[:_SUBJECT] or header.document_id[:_SUBJECT],
        urgency=_urgency(header),
        issued=xmltext.truncated(at),
        expires=xmltext.truncated(at + EXPIRY),
        assurance=Assurance.CHANNEL,
        manifest=tuple(entries),
        document_number=_number(header),
    )
    first = DataFile(name=FILE_NAME, media_type=MEDIA_TYPE, content=write_envelope(envelope))
    return Wrapped(envelope=envelope, files=(first, *files, archived))


def edxml_time(at: datetime) -> str:
    """Return yyyy/MM/dd HH:mm:ss in Vietnamese time."""
    return f"{at.astimezone(_HERE):%Y/%m/%d %H:%M:%S}"


def field_names() -> tuple[str, ...]:
    """Return the fields of a letter that a configuration may name."""
    return _FIELDS


def dossier_of(header: MessageHeader) -> str:
    """Return the dossier number of a one-stop dossier that travels as a letter, else nothing."""
    return header.code.notation or header.code.number if header.application_type == _DOSSIER else ""


def _organ(agency: DirectoryAgency) -> Organ:
    return Organ(organ_id=agency.code, name=agency.name_vi[:200])


def _payload(header: MessageHeader, place: Place, values: Mapping[str, str]) -> Mapping[str, Json]:
    fields = {
        "number": header.code.number,
        "notation": header.code.notation,
        "code": _number(header),
        "subject": header.subject,
        "content": header.content,
        "due_date": header.due_date.replace("/", "-"),
        "issued": header.promulgation.date.replace("/", "-"),
        "signer": header.signer.full_name,
        "sender": header.sender.name,
        "document_id": header.document_id,
    }
    found = {name: fields.get(field, "") for name, field in values.items()}
    return {name: text for name, text in found.items() if text and name in place.values}


def _number(header: MessageHeader) -> str:
    return "/".join(part for part in (header.code.number, header.code.notation) if part)


def _urgency(header: MessageHeader) -> Urgency:
    # Priority 0 to 4: thường, khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ.
    order = (*Urgency, Urgency.IMMEDIATE)
    said = header.other.priority
    return order[int(said)] if said.isdecimal() and int(said) < len(order) else Urgency.NORMAL


def _named(file: EdxmlFile, archived: DataFile) -> list[tuple[str, bytes]]:
    """Return names and contents of the attachments, each name once in a container."""
    taken = {archived.name.casefold(), FILE_NAME, PAYLOAD_NAME, "mimetype"}
    found = []
    for one in file.attachments:
        if one.content is None:
            continue
        stem, dot, suffix = unicodedata.normalize("NFC", one.name).rpartition(".")
        name, number = f"{stem}{dot}{suffix}", 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem} ({number}){dot}{suffix}" if stem else f"{suffix} ({number})"
        taken.add(name.casefold())
        found.append((name, one.content))
    return found


def _entry(file: DataFile, kinds: Mapping[str, str]) -> ManifestEntry:
    content = _octets(file)
    is_payload = file.name == PAYLOAD_NAME
    return ManifestEntry(
        name=file.name,
        media_type=file.media_type,
        size_bytes=len(content),
        sha256=Sha256(hashlib.sha256(content).hexdigest()),
        kind=FileKind.PAYLOAD if is_payload else FileKind.DOCUMENT,
        document_kind="" if is_payload else kinds.get(file.name, "attachment"),
    )


def _octets(file: DataFile) -> bytes:
    return file.content if isinstance(file.content, bytes) else file.content.read_bytes()
