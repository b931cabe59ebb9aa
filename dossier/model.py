"""The words of the domain as frozen types: people, dossiers, documents, tasks, and what pages read.

Storage returns them, use cases pass them, pages and commands show them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from dossier.canonical import Json
from dossier.consultation import Consultation
from dossier.decision import DecisionTaken
from dossier.form import Field
from dossier.ids import AgencyCode, ConversationId, MessageId, Sha256
from dossier.shown import ShownValue
from dossier.texts import Bilingual

# --- People ------------------------------------------------------------------------------------


class Role(Enum):
    """What a person may be at an agency (domain.md §3)."""

    ASSISTANT = "assistant"
    INTAKE = "intake"
    SPECIALIST = "specialist"
    LEADER = "leader"
    CLERK = "clerk"  # văn thư
    FINANCE = "finance"
    DELIVERY = "delivery"
    BUSINESS_ADMIN = "business_admin"
    TECHNICAL_ADMIN = "technical_admin"
    INSPECTOR = "inspector"


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleBinding:
    """A role held at one agency, maybe in one unit, for one procedure, during a period."""

    agency: AgencyCode
    role: Role
    unit: str = ""  # empty: the whole agency
    procedure: str = ""  # empty: every procedure
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """The person on whose behalf a use case runs."""

    user_id: int
    username: str
    display_name: str
    language: str  # vi or en
    bindings: tuple[RoleBinding, ...]


# --- Dossiers ----------------------------------------------------------------------------------


class Business(Enum):
    """The ten national statuses (domain.md §5.1)."""

    SUBMITTED = 1
    ACCEPTED = 2
    REFUSED_AT_INTAKE = 3
    IN_PROCESS = 4
    SUPPLEMENT_REQUESTED = 5
    FINANCIAL_OBLIGATION = 6
    WITHDRAWAL_REQUESTED = 7
    STOPPED = 8
    PROCESSED = 9
    DELIVERED = 10


class Money(Enum):
    """Whether everything due is paid."""

    NONE_DUE = "none_due"
    DUE = "due"
    PAID = "paid"
    CONFIRMED = "confirmed"
    REFUNDED = "refunded"


class Delivery(Enum):
    """Whether the person has the result."""

    NOT_READY = "not_ready"
    SIGNED = "signed"
    ISSUED = "issued"
    AT_DESK = "at_desk"
    IN_STORE = "in_store"
    HANDED_OVER = "handed_over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dossier:
    """One dossier as one agency holds it; the other agency holds its own."""

    id: UUID
    agency: AgencyCode
    code: str
    conversation_id: ConversationId
    procedure: str
    procedure_version: str
    contract_sha256: Sha256
    role: str  # the pool that this agency plays
    subject: str
    business: Business
    money: Money
    delivery: Delivery
    is_open: bool
    opened: datetime
    closed: datetime | None
    due: datetime | None
    bindings: Mapping[str, str]  # pool role → agency code
    rule_pack: str  # version of calendar and rules pinned at opening
    directory_number: int


class DocumentOrigin(Enum):
    """How a document came into the dossier."""

    UPLOADED = "uploaded"
    GENERATED = "generated"
    RECEIVED = "received"


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One file of a dossier; its bytes are found by digest."""

    id: UUID
    dossier: UUID
    name: str  # as shown and as it travels, NFC
    media_type: str
    kind: str  # as `procedure.toml` names it
    sha256: Sha256
    size_bytes: int
    origin: DocumentOrigin
    added: datetime
    added_by: str  # username or agency code
    signatures: tuple[Sha256, ...] = ()  # blobs of persons' signatures over it


# --- Tasks -------------------------------------------------------------------------------------


class TaskState(Enum):
    """Open until somebody completes it or the process withdraws it."""

    OPEN = "open"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Human work that an instance waits for."""

    id: UUID
    dossier: UUID
    instance: UUID
    token: str  # the engine's id of the waiting token
    agency: AgencyCode
    element_id: str
    name: Mapping[str, str]  # language → text
    role: Role
    unit: str
    form: str  # name of the form in the procedure folder; empty: none
    signs: str  # role of the personal signature demanded; empty: none
    register: str  # book whose next number completion takes; empty: none
    documents_in: tuple[str, ...]  # kinds the person reads, or signs
    documents_out: tuple[str, ...]  # kinds that must be there when it is completed
    state: TaskState
    opened: datetime
    due: datetime | None
    due_trail: Json  # the explanation of `due`, see dossier.clock
    claimed_by: str  # username; empty: nobody
    completed_by: str
    completed: datetime | None
    candidates: tuple[str, ...] = ()  # the only people who may do it; empty: whoever has the role
    escalated: bool = False  # the leaders may do it too


# --- Messages ----------------------------------------------------------------------------------


class Direction(Enum):
    """Seen from this node's agency."""

    OUT = "out"
    IN = "in"


class MessageState(Enum):
    """Where a message stands; the words people see are the same everywhere."""

    NEW = "new"  # waiting to be sealed or sent
    SENT = "sent"  # receipt verified: accepted
    REFUSED = "refused"  # receipt verified: refused
    PARKED = "parked"  # last attempt failed: an incident is open
    RECEIVED = "received"  # in: accepted, not yet handed to an instance
    CORRELATED = "correlated"  # in: an instance took it
    BUFFERED = "buffered"  # in: nobody waits for it (yet)
    WITHDRAWN = "withdrawn"  # taken back by its sender before anybody acted on it


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message as one agency's side of the exchange sees it."""

    id: UUID
    direction: Direction
    agency: AgencyCode  # ours
    partner: AgencyCode
    message_id: MessageId
    dossier: UUID | None
    dossier_code: str
    message_type: str
    state: MessageState
    created: datetime
    attempts: int
    next_attempt: datetime | None
    container_sha256: Sha256 | None
    receipt_outcome: str  # accepted, refused, or empty while there is none
    receipt_code: str
    receipt_time: datetime | None
    assurance: str
    last_error: str  # code of the last failed attempt


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Something a person must look at: it never loses the instance or the message."""

    id: UUID
    code: str
    parameters: Mapping[str, str]
    dossier: UUID | None
    instance: UUID | None
    message: UUID | None
    element_id: str
    opened: datetime
    resolved: datetime | None
    resolved_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One line of what happened to a dossier, in order, without gaps."""

    sequence: int  # within the dossier, from 1
    at: datetime
    kind: str  # opened, task_completed, message_sent, message_received, timer_fired, …
    element_id: str
    actor: str  # username, agency code, or `system`
    on_behalf_of: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


# --- What pages read ---------------------------------------------------------------------------


class DeskGroup(Enum):
    """The four groups of a desk, in the order they are shown (portal.md)."""

    OVERDUE = "overdue"
    DUE_TODAY = "due_today"
    MINE = "mine"
    WAITING = "waiting"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskRow:
    """One line of a desk: a task to do, or a dossier that waits for others."""

    dossier: UUID
    task: UUID | None
    code: str
    subject: str
    procedure: Mapping[str, str]
    agency: AgencyCode
    step: Mapping[str, str]
    element_id: str
    holder: str  # person, unit or agency that has to act
    due: datetime | None
    light: str  # green, amber, red, none
    business: Business
    others: int  # how many more agencies have to act


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What one person should see first."""

    counts: Mapping[DeskGroup, int]
    rows: Mapping[DeskGroup, Sequence[DeskRow]]


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlineStep:
    """One step of the process as text, beside the diagram."""

    element_id: str
    name: Mapping[str, str]
    lane: str
    level: int
    state: str  # done, active, incident, open


@dataclass(frozen=True, kw_only=True, slots=True)
class DossierPage:
    """Everything the dossier page shows."""

    dossier: Dossier
    procedure_name: Mapping[str, str]
    agency_names: Mapping[str, Mapping[str, str]]  # agency code → language → name
    values: Mapping[str, Json]
    documents: Sequence[Document]
    document_names: Mapping[str, Mapping[str, str]]  # kind → language → name
    element_names: Mapping[str, Mapping[str, str]]  # element id → language → name
    tasks: Sequence[Task]
    messages: Sequence[Message]
    message_names: Mapping[str, Mapping[str, str]]  # type → language → name
    timeline: Sequence[HistoryEntry]
    decisions: Sequence[DecisionTaken]
    incidents: Sequence[Incident]
    diagram_svg: str
    outline: Sequence[OutlineStep]
    due_trail: Json
    can_export: bool
    can_resolve: bool  # whether this person may resend messages and retry incidents
    consultations: Sequence[Consultation] = ()
    shown: Sequence[ShownValue] = ()  # the values as people read them
    substatus: Bilingual | None = None  # beside the status, by what it waits for


@dataclass(frozen=True, kw_only=True, slots=True)
class StartableProcedure:
    """A procedure that an actor may open for an agency."""

    procedure: str
    version: str
    name: Mapping[str, str]
    agency: AgencyCode
    agency_name: Mapping[str, str]
    asks_addressee: bool  # whether the person must name the agency it is addressed to
    addressees: tuple[tuple[AgencyCode, Mapping[str, str]], ...]  # code and names, to choose from


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskPage:
    """Everything the page of one task shows."""

    task: Task
    dossier: Dossier
    procedure_name: Mapping[str, str]
    fields: Sequence[Field]
    values: Mapping[str, Json]  # what is known already, to show and to prefill
    documents: Sequence[Document]  # those of the dossier
    document_names: Mapping[str, Mapping[str, str]]  # kind → language → name
    asks_pin: bool
    next_number: str  # what completion will take from the register, for a look ahead; or empty
    may_complete: bool  # whether this person may complete it now
    may_claim: bool
    may_hand: bool = False  # whether this person may delegate or escalate it
    colleagues: Sequence[tuple[str, str]] = ()  # username and name of who may do it too
    shown: Sequence[ShownValue] = ()  # what the dossier says and the form does not ask for


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentRow:
    """One incident with what it is about, for lists."""

    incident: Incident
    dossier_code: str
    procedure: str
    can_resend: bool  # the message is parked: the same id and bytes again
    can_reissue: bool  # the message was refused or parked: a new id and a new seal
    can_retry: bool
    can_repair: bool = False
    element_name: Mapping[str, str] = field(default_factory=dict)  # of the step that stopped
    names_read: tuple[str, ...] = ()  # the values that the step reads, never what they hold
