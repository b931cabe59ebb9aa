"""EdXML files in the hand of a person: read one, write a letter or a status; no node is needed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.edxml import dialect_a
from connectors.edxml.mime import read_mime
from connectors.edxml.mime_file import mime_file
from connectors.edxml.model import (
    Attachment,
    Business,
    BusinessKind,
    Code,
    DocumentType,
    EdxmlFile,
    LetterDetails,
    MessageHeader,
    Organ,
    Promulgation,
    Replacement,
    ResponseFor,
    Signer,
    StatusCode,
    StatusHeader,
    TraceHeader,
    TraceHeaderList,
)
from connectors.edxml.reader import read_edxml
from connectors.edxml.writer import write_edxml
from connectors.errors import EdxmlIncomplete
from connectors.multipart import Source
from exchange.edxml.letters import edxml_time

_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_BYTES: Final = 128 * 1024 * 1024
_XML_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What was read in a file."""

    file: EdxmlFile

    @property
    def repairs(self) -> tuple[str, ...]:
        """Codes of the deviations that were put up with."""
        return tuple(one.value for one in self.file.repairs)

    @property
    def files(self) -> list[tuple[str, bytes]]:
        """Names and contents of the attachments, each name once."""
        found: dict[str, bytes] = {}
        for number, one in enumerate(self.file.attachments, 1):
            content = one.content if one.content is not None else one.raw_text.encode()
            found[one.name if one.name not in found else f"{number}-{one.name}"] = content
        return list(found.items())

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The filled fields as path and text."""
        said = {"header": asdict(self.file.header), "trace": asdict(self.file.trace)}
        lines = list(_flat("", said))
        return lines + [("attachment", name) for name, _ in self.files]

    def as_json(self) -> Mapping[str, Any]:
        """Return everything that was read; contents in base64."""
        kind = "status" if isinstance(self.file.header, StatusHeader) else "letter"
        return {
            "kind": kind,
            "header": asdict(self.file.header),
            "trace": asdict(self.file.trace),
            "attachments": [
                {
                    "name": one.name,
                    "description": one.description,
                    "content_type": one.content_type,
                    "size": len(one.content) if one.content is not None else None,
                    "content": _base64(one.content),
                    "raw_text": one.raw_text or None,
                }
                for one in self.file.attachments
            ],
            "has_signature": self.file.has_signature,
            "assurance": "channel",
            "repairs": list(self.repairs),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterDraft:
    """What a person says of a letter to be written."""

    sender: str
    to: tuple[str, ...]
    number: str  # number/notation
    subject: str
    sender_name: str = ""
    content: str = ""
    place: str = ""
    type_name: str = ""
    signer: str = ""
    signer_position: str = ""
    due: datetime | None = None
    priority: str = ""
    to_place: tuple[str, ...] = ()
    date: datetime | None = None
    answers: str = ""
    business: str = "new"
    about: str = ""
    reason: str = ""
    dialect: str = "b"
    files: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any], *, files: Sequence[tuple[str, bytes]]) -> LetterDraft:
        """Return the draft of a command's options."""
        return cls(**given, files=tuple(files))


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusDraft:
    """What a person says of a status to be written."""

    sender: str
    to: str
    about: str
    code: str
    description: str = ""
    dialect: str = "b"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A file, and the Content-Type that it is to travel with."""

    document_id: str
    content_type: str
    content: bytes


def status_codes() -> list[str]:
    """Return the codes of status files."""
    return [code.value for code in StatusCode]


def describe(content: bytes, *, content_type: str = "") -> Described:
    """Read a file of any dialect; raise `EdxmlRefused` for what is none."""
    found = mime_file(content)
    media, body, repairs = (content_type, content, []) if content_type else found
    if not media:
        return Described(file=read_edxml(content))
    message = read_mime(media, Source(BytesIO(body)), limit_bytes=_BYTES)
    file = dialect_a.read_file(message)
    return Described(file=replace(file, repairs=(*repairs, *file.repairs)))


def write_letter_file(draft: LetterDraft, *, at: datetime) -> Written:
    """Return the letter; raise `EdxmlIncomplete` and `EdxmlFieldTooLong`."""
    day = f"{draft.date or at.astimezone(_HERE):%Y/%m/%d}"
    number, _, notation = draft.number.partition("/")
    document_id = f"{draft.sender},{day},{draft.number}"
    header = MessageHeader(
        sender=Organ(organ_id=draft.sender, name=draft.sender_name),
        to=tuple(Organ(organ_id=one) for one in draft.to),
        document_id=document_id,
        code=Code(number=number, notation=notation),
        promulgation=Promulgation(place=draft.place, date=day),
        document_type=DocumentType(name=draft.type_name),
        subject=draft.subject,
        content=draft.content,
        signer=Signer(position=draft.signer_position, full_name=draft.signer),
        due_date=f"{draft.due:%Y/%m/%d}" if draft.due else "",
        other=LetterDetails(priority=draft.priority),
        to_places=draft.to_place,
        response_for=(ResponseFor(document_id=draft.answers),) if draft.answers else (),
    )
    kind = BusinessKind[draft.business.upper()]
    if kind is not BusinessKind.NEW and not draft.about:
        raise EdxmlIncomplete("expected the letter that is meant", element="Bussiness/DocumentId")
    about = draft.about or document_id
    business = Business(
        document_id=document_id if kind in (BusinessKind.NEW, BusinessKind.REPLACE) else about,
        kind=kind.value,
        reason=draft.reason,
        replacements=(Replacement(document_id=about, organ_ids=draft.to),)
        if kind is BusinessKind.REPLACE
        else (),
    )
    trace = TraceHeader(organ_id=draft.sender, timestamp=edxml_time(at))
    file = EdxmlFile(
        header=header,
        trace=TraceHeaderList(business=business, traces=(trace,)),
        attachments=tuple(Attachment(name=name, content=content) for name, content in draft.files),
    )
    return _written(document_id, file, draft.dialect)


def write_status_file(draft: StatusDraft, *, at: datetime) -> Written:
    """Return the status; raise `EdxmlIncomplete`."""
    header = StatusHeader(
        sender=Organ(organ_id=draft.sender),
        response_for=ResponseFor(organ_id=draft.to, document_id=draft.about),
        status_code=draft.code,
        description=draft.description,
        timestamp=edxml_time(at),
    )
    return _written(draft.about, EdxmlFile(header=header), draft.dialect)


def _written(document_id: str, file: EdxmlFile, dialect: str) -> Written:
    if dialect == "a":
        body = dialect_a.write_letter(file)
        return Written(
            document_id=document_id, content_type=body.content_type, content=body.content
        )
    return Written(document_id=document_id, content_type=_XML_TYPE, content=write_edxml(file))


def _flat(path: str, said: object) -> list[tuple[str, str]]:
    if isinstance(said, Mapping):
        return [
            line
            for name, value in said.items()
            for line in _flat(f"{path}.{name}" if path else str(name), value)
        ]
    if isinstance(said, list | tuple):
        return [line for one in said for line in _flat(path, one)]
    return [(path, str(said))] if said else []


def _base64(content: bytes | None) -> str | None:
    return base64.b64encode(content).decode() if content is not None else None
