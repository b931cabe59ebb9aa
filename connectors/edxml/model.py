"""The neutral model of edXML files, in the order in which dialect B is written (QCVN 102:2016).

Every field is text as received: absent, empty and null are the same empty text, and no default
is invented. The metadata of a field names its element; reader and writer share this one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

NAMESPACE: Final = "http://www.mic.gov.vn/TBT/QCVN_102_2016"


def _text(name: str, *, limit: int = 0) -> Any:  # noqa: ANN401 - as `dataclasses.field`
    """Declare a field of text; `limit` is the most characters that peers accept."""
    return field(default="", metadata={"element": name, "limit": limit})


def _texts(name: str, *, within: str = "", limit: int = 0) -> Any:  # noqa: ANN401 - as above
    """Declare repeated text, `within` an element around all of them."""
    return field(default=(), metadata={"element": name, "within": within, "limit": limit})


def _named(name: str, kind: type) -> dict[str, Any]:
    """Return the metadata of a structure that is always there, maybe empty."""
    return {"element": name, "kind": kind}


def _many(name: str, kind: type, *, within: str = "") -> Any:  # noqa: ANN401 - as above
    """Declare a repeated structure."""
    return field(default=(), metadata={"element": name, "kind": kind, "within": within})


@dataclass(frozen=True, kw_only=True, slots=True)
class Organ:
    """A sender or an addressee."""

    organ_id: str = _text("OrganId", limit=35)
    in_charge: str = _text("OrganizationInCharge", limit=200)
    name: str = _text("OrganName", limit=200)
    address: str = _text("OrganAdd", limit=250)
    email: str = _text("Email", limit=100)
    telephone: str = _text("Telephone", limit=20)
    fax: str = _text("Fax", limit=20)
    website: str = _text("Website", limit=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """Number and notation of an official letter."""

    number: str = _text("CodeNumber", limit=11)
    notation: str = _text("CodeNotation", limit=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Promulgation:
    """Where and when a letter was issued."""

    place: str = _text("Place", limit=50)
    date: str = _text("PromulgationDate")  # yyyy/MM/dd


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentType:
    """The kind of letter; the codes of peers differ."""

    type: str = _text("Type")
    detail: str = _text("TypeDetail")
    name: str = _text("TypeName", limit=100)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """Who signed the letter, as its issuer says."""

    competence: str = _text("Competence", limit=100)
    position: str = _text("Position", limit=100)
    full_name: str = _text("FullName", limit=50)


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterDetails:
    """The rest of what a letter's head says."""

    priority: str = _text("Priority")  # 0 to 4
    sphere: str = _text("SphereOfPromulgation", limit=100)
    typist: str = _text("TyperNotation", limit=10)
    copies: str = _text("PromulgationAmount")
    pages: str = _text("PageAmount")
    direction: str = _text("Direction")
    appendixes: tuple[str, ...] = _texts("Appendix", within="Appendixes", limit=250)


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponseFor:
    """A letter that this one answers, or that a status is about; `code` is number/notation."""

    organ_id: str = _text("OrganId", limit=35)
    code: str = _text("Code")
    document_id: str = _text("DocumentId")
    promulgation_date: str = _text("PromulgationDate")


@dataclass(frozen=True, kw_only=True, slots=True)
class Staff:
    """Who works on it."""

    department: str = _text("Department")
    department_id: str = _text("DepartmentId")
    staff: str = _text("Staff")
    staff_id: str = _text("StaffId")
    email: str = _text("Email", limit=100)
    mobile: str = _text("Mobile", limit=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageHeader:
    """The head of a letter."""

    sender: Organ = field(default_factory=Organ, metadata=_named("From", Organ))
    to: tuple[Organ, ...] = _many("To", Organ)
    document_id: str = _text("DocumentId")
    code: Code = field(default_factory=Code, metadata=_named("Code", Code))
    promulgation: Promulgation = field(
        default_factory=Promulgation, metadata=_named("PromulgationInfo", Promulgation)
    )
    document_type: DocumentType = field(
        default_factory=DocumentType, metadata=_named("DocumentType", DocumentType)
    )
    subject: str = _text("Subject", limit=500)
    content: str = _text("Content", limit=500)
    signer: Signer = field(default_factory=Signer, metadata=_named("SignerInfo", Signer))
    due_date: str = _text("DueDate")  # yyyy/MM/dd
    other: LetterDetails = field(
        default_factory=LetterDetails, metadata=_named("OtherInfo", LetterDetails)
    )
    response_for: tuple[ResponseFor, ...] = _many("ResponseFor", ResponseFor)
    steering_type: str = _text("SteeringType")  # 1 not steering, 2 steering, 3 report; 0 occurs
    to_places: tuple[str, ...] = _texts("Place", within="ToPlaces", limit=150)
    task_codes: tuple[str, ...] = _texts("TaskCode", within="ResponseForTask")
    application_type: str = _text("ApplicationType")  # MCDT_DT: a dossier, its code in `code`


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusHeader:
    """The head of a status file."""

    sender: Organ = field(default_factory=Organ, metadata=_named("From", Organ))
    response_for: ResponseFor = field(
        default_factory=ResponseFor, metadata=_named("ResponseFor", ResponseFor)
    )
    staff: Staff = field(default_factory=Staff, metadata=_named("StaffInfo", Staff))
    status_code: str = _text("StatusCode")
    description: str = _text("Description", limit=500)
    timestamp: str = _text("Timestamp")  # yyyy/MM/dd HH:mm:ss


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """An addressee that was added or removed."""

    organ_id: str = _text("OrganId", limit=35)
    receiver_type: str = _text("ReceiverType")  # 0 removed, 1 added


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentUpdate:
    """What an update changes."""

    document_info: str = _text("DocumentInfo")
    document_receiver: str = _text("DocumentReceiver")
    receivers: tuple[Receiver, ...] = _many("Receiver", Receiver, within="ReceiverList")


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """A letter that is replaced, at the organs named."""

    document_id: str = _text("DocumentId")
    organ_ids: tuple[str, ...] = _texts("OrganId", within="OrganIdList", limit=35)


@dataclass(frozen=True, kw_only=True, slots=True)
class Business:
    """What is to be done with the letter; peers spell the element `Bussiness`."""

    document_id: str = _text("DocumentId")
    kind: str = _text("BussinessDocType")  # a code of `BusinessKind`
    reason: str = _text("BussinessDocReason")
    paper: str = _text("Paper")
    update: DocumentUpdate = field(
        default_factory=DocumentUpdate, metadata=_named("BussinessDocumentInfo", DocumentUpdate)
    )
    replacements: tuple[Replacement, ...] = _many(
        "ReplacementInfo", Replacement, within="ReplacementInfoList"
    )
    staff: Staff = field(default_factory=Staff, metadata=_named("StaffInfo", Staff))


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceHeader:
    """An organ that the file passed, and when: yyyy/MM/dd HH:mm:ss."""

    organ_id: str = _text("OrganId", limit=35)
    timestamp: str = _text("Timestamp")


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceHeaderList:
    """Where the file has been, and what it is for."""

    business: Business = field(default_factory=Business, metadata=_named("Bussiness", Business))
    traces: tuple[TraceHeader, ...] = _many("TraceHeader", TraceHeader)


class BusinessKind(Enum):
    """What a letter does to an earlier one."""

    NEW = "0"
    REVOKE = "1"
    UPDATE = "2"
    REPLACE = "3"


class StatusCode(Enum):
    """What became of a letter at its addressee."""

    ARRIVED = "01"
    REFUSED = "02"
    ACCEPTED = "03"
    ASSIGNED = "04"
    PROCESSING = "05"
    FINISHED = "06"
    TAKE_BACK_REQUESTED = "13"
    TAKE_BACK_AGREED = "15"
    TAKE_BACK_REFUSED = "16"


class Repair(Enum):
    """What the reader put up with; the sentences are in `dossier/texts`, table `repair`."""

    JUNK_REMOVED = "junk_removed"
    PREFIX_DECLARED = "prefix_declared"
    COMMENTS_REMOVED = "comments_removed"
    CONTENT_UNREADABLE = "content_unreadable"
    CONTENT_MISSING = "content_missing"
    NAME_REPLACED = "name_replaced"
    ARCHIVE_REFUSED = "archive_refused"
    OLD_NAMES = "old_names"
    NAMES_RESPELT = "names_respelt"
    ENCODING_CONVERTED = "encoding_converted"
    TEXT_COMPOSED = "text_composed"
    DATE_REWRITTEN = "date_rewritten"
    CODE_COMPLETED = "code_completed"
    CONTENT_ID_REPEATED = "content_id_repeated"
    CONTENT_MATCHED = "content_matched"
    DOCUMENTS_JOINED = "documents_joined"
    LINE_ENDS_CONVERTED = "line_ends_converted"
    STRUCTURE_UNUSUAL = "structure_unusual"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file that travels with a letter."""

    name: str  # safe to show and to store under; never a path
    description: str = ""
    content_type: str = ""  # as declared: peers lie both ways
    transferred: bytes | None = None  # what stood in base64; None when it could not be decoded
    content: bytes | None = None  # the file itself, one ZIP layer taken off
    raw_text: str = ""  # what stood there, when it could not be decoded


@dataclass(frozen=True, kw_only=True, slots=True)
class EdxmlFile:
    """A letter with its attachments, a status, or (dialect C) a report that is only read."""

    header: MessageHeader | StatusHeader
    trace: TraceHeaderList = field(default_factory=TraceHeaderList)
    attachments: Sequence[Attachment] = ()
    report: bytes = b""  # the XML of a report in the body, as dialect C has it
    has_signature: bool = False  # one stood there; it proves nothing
    repairs: tuple[Repair, ...] = ()
