"""The commands: everything an instance can ask of the world, a closed set of frozen values.

Ids are `"<instance id>:<number>"`: unique over all instances, and the same when a step is repeated.
A row that a command opens stays open until the command that closes it, also when a fact used it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique
from typing import TypeAlias

from workflows.expressions import Value
from workflows.graph import Assign, Silence


@unique
class CloseReason(Enum):
    """Why a task is no longer open."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"  # an incident stopped it


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTask:
    """Human work begins."""

    task_id: str
    element_id: str
    name: str
    lane: str | None
    assign: Assign
    form: str | None
    due: str | None  # text: `1wd`, `PT8H`, or an ISO instant; the host computes working time
    sign: str | None  # role of the personal signature that completing demands
    sign_documents: tuple[str, ...]
    register: str | None  # book whose next number completing takes
    documents_in: tuple[str, ...]
    documents_out: tuple[str, ...]
    locals: Mapping[str, Value] = field(default_factory=dict)  # lt:input and loop variables


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseTask:
    """Human work ends, whether done or withdrawn."""

    task_id: str
    reason: CloseReason


@unique
class SubscriptionKind(Enum):
    """What a subscription waits for."""

    MESSAGE = "message"
    SIGNAL = "signal"
    TIMER = "timer"
    CONDITION = "condition"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSubscription:
    """The instance waits for something from outside.

    Conditions are evaluated by `apply` itself after every transition; their row is for people.
    """

    subscription_id: str
    kind: SubscriptionKind
    element_id: str
    name: str  # label of the element, for people
    message_type: str | None = None  # message type or signal name: what is matched
    from_role: str | None = None  # message: the one pool role that may send it
    due_at: datetime | None = None  # timer: when, aware UTC
    due_text: str | None = None  # timer in working time (`3wd`): the host computes the instant
    # A rule of silence: the host alone knows what was delivered, so it alone lets it fall. Its time
    # is `due_at` or `due_text`; a duration is in both, to be counted from the delivery.
    silence: Silence | None = None
    awaits: tuple[str, ...] = ()  # silence: the elements whose messages are waited for
    documents_in: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseSubscription:
    """The instance no longer waits for it."""

    subscription_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SendMessage:
    """A message leaves for the pool of another agency."""

    send_id: str  # unique over all instances: repeat of the same step, same id
    element_id: str
    flow_id: str | None  # the message flow; None in a model without collaboration
    message_type: str
    to_role: str | None
    documents: tuple[str, ...]  # kinds named by lt:documents out; empty: the procedure's
    values: Mapping[str, Value] | None  # lt:input mappings; None: the procedure's `values`
    # What the token sees over the case values; the procedure's `values` look here first.
    locals: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastSignal:
    """A signal for every other instance; those of this one have already caught it."""

    signal_id: str
    element_id: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallService:
    """A connector operation is wanted; answer with ServiceAnswered or ServiceFailed."""

    call_id: str
    element_id: str
    operation: str
    inputs: Mapping[str, Value] | None  # lt:input mappings; None: none declared


@dataclass(frozen=True, kw_only=True, slots=True)
class CallDecision:
    """A decision is wanted; answer with ServiceAnswered or ServiceFailed."""

    call_id: str
    element_id: str
    decision: str
    inputs: Mapping[str, Value] | None
    result: str | None  # case value that takes the result; None: each output by its own name


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelCall:
    """The answer of a service or decision call is not wanted any more."""

    call_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RaiseIncident:
    """One token stopped; `Retry(token_id)` tries again. Parameters hold no case values."""

    token_id: str
    element_id: str
    name: str
    code: str
    parameters: Mapping[str, str | int | float]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolveIncident:
    """The token goes on or is gone; its incident is over."""

    token_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetStatus:
    """The dossier's national status (1–10) changes."""

    element_id: str
    value: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseClock:
    """The dossier's clock stops on this basis until ResumeClock of the same token."""

    token_id: str
    element_id: str
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeClock:
    """The pause of this token is over."""

    token_id: str


@unique
class Outcome(Enum):
    """How an instance ended."""

    COMPLETED = "completed"
    TERMINATED = "terminated"  # by a terminate end event
    CANCELLED = "cancelled"  # from outside


@dataclass(frozen=True, kw_only=True, slots=True)
class Finish:
    """The instance is over; no fact can revive it."""

    outcome: Outcome


Command: TypeAlias = (
    OpenTask
    | CloseTask
    | OpenSubscription
    | CloseSubscription
    | SendMessage
    | BroadcastSignal
    | CallService
    | CallDecision
    | CancelCall
    | RaiseIncident
    | ResolveIncident
    | SetStatus
    | PauseClock
    | ResumeClock
    | Finish
)


@unique
class HistoryEvent(Enum):
    """What happened to a token at an element."""

    ENTERED = "entered"
    LEFT = "left"
    CANCELLED = "cancelled"
    FAILED = "failed"
    RETRIED = "retried"
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One line of the instance's history, in the order of events."""

    token_id: str
    element_id: str
    kind: str  # BPMN local name of the element
    name: str
    event: HistoryEvent
