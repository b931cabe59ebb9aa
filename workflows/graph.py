"""The frozen graph of one BPMN file: what the author drew, with ids and lines, ready to be judged.

Types only: `reader` builds them from XML, `normalise` and `lint` judge them, the engine runs
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique


@unique
class Kind(Enum):
    """The kinds of flow nodes; values are the local names of BPMN 2.0, where one exists."""

    TASK = "task"
    USER_TASK = "userTask"
    MANUAL_TASK = "manualTask"
    SCRIPT_TASK = "scriptTask"
    SERVICE_TASK = "serviceTask"
    BUSINESS_RULE_TASK = "businessRuleTask"
    SEND_TASK = "sendTask"
    RECEIVE_TASK = "receiveTask"
    CALL_ACTIVITY = "callActivity"
    SUB_PROCESS = "subProcess"
    TRANSACTION = "transaction"
    AD_HOC = "adHocSubProcess"
    EVENT_SUB_PROCESS = "eventSubProcess"
    START = "startEvent"
    END = "endEvent"
    CATCH = "intermediateCatchEvent"
    THROW = "intermediateThrowEvent"
    BOUNDARY = "boundaryEvent"
    EXCLUSIVE = "exclusiveGateway"
    PARALLEL = "parallelGateway"
    INCLUSIVE = "inclusiveGateway"
    EVENT_BASED = "eventBasedGateway"
    COMPLEX = "complexGateway"


SCOPES = frozenset({Kind.SUB_PROCESS, Kind.TRANSACTION, Kind.AD_HOC, Kind.EVENT_SUB_PROCESS})
ACTIVITIES = frozenset(
    {
        Kind.TASK,
        Kind.USER_TASK,
        Kind.MANUAL_TASK,
        Kind.SCRIPT_TASK,
        Kind.SERVICE_TASK,
        Kind.BUSINESS_RULE_TASK,
        Kind.SEND_TASK,
        Kind.RECEIVE_TASK,
        Kind.CALL_ACTIVITY,
        Kind.SUB_PROCESS,
        Kind.TRANSACTION,
        Kind.AD_HOC,
    }
)
HUMAN = frozenset({Kind.TASK, Kind.USER_TASK, Kind.MANUAL_TASK})
GATEWAYS = frozenset(
    {Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE, Kind.EVENT_BASED, Kind.COMPLEX}
)


@unique
class EventKind(Enum):
    """What an event waits for or throws; values are the prefixes of `…EventDefinition`."""

    MESSAGE = "message"
    SIGNAL = "signal"
    TIMER = "timer"
    CONDITION = "conditional"
    ERROR = "error"
    ESCALATION = "escalation"
    COMPENSATION = "compensate"
    CANCEL = "cancel"
    LINK = "link"
    TERMINATE = "terminate"


# Events that only the outside world (or a changed value) can bring about; the others are thrown
# inside the instance and are looked up when that happens, so they need no subscription.
SUBSCRIBED = frozenset({EventKind.MESSAGE, EventKind.SIGNAL, EventKind.TIMER, EventKind.CONDITION})


@unique
class TimerForm(Enum):
    """Which child of `timerEventDefinition` holds the text."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event definition, its references resolved."""

    kind: EventKind
    line: int
    name: str | None = None  # of the message, signal, error, escalation or link
    code: str | None = None  # of an error or escalation; None catches every code
    reference: str | None = None  # id of the referenced definition, as written
    timer: TimerForm | None = None
    text: str | None = None  # timer text or condition
    activity: str | None = None  # the one activity that a compensation throw names
    waits: bool = True  # whether a compensation throw waits for the handlers


@unique
class LoopKind(Enum):
    """How an activity repeats."""

    STANDARD = "standard"
    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """Loop characteristics of an activity; texts are expressions unless said otherwise."""

    kind: LoopKind
    line: int
    cardinality: str | None = None
    collection: str | None = None  # expression giving a list
    item: str | None = None  # name under which an instance sees its element
    condition: str | None = None  # standard: go on while true; multi: stop when true
    maximum: str | None = None
    test_before: bool = False
    output_collection: str | None = None  # name of the case value that gathers the results
    output_item: str | None = None  # expression giving one instance's result
    behavior: str = "All"
    # What the activity throws when instances finish: each (None), the first (One), or where the
    # condition holds (Complex); with All nothing is thrown.
    throws: tuple[tuple[str | None, Event], ...] = ()  # (condition, event)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assign:
    """Who may claim a task."""

    role: str | None = None
    unit: str | None = None
    users: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """What happens when the awaited agency stays silent; needs proof of delivery."""

    policy: str  # escalate | consent | refuse
    citation: str | None = None
    confirmed: bool = True  # False: nobody has compared the citation, and every page says so
    after: str | None = None  # on a wait itself: the agency's time, counted from the delivery
    result: str | None = None  # case value that takes the outcome
    question: str | None = None  # message type that asked; None: the last one to that agency


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """The `lt:` values of an element; docs/reference/bpmn.md says what each does."""

    assign: Assign | None = None
    form: str | None = None
    due: str | None = None
    sign: str | None = None
    sign_documents: tuple[str, ...] = ()
    register: str | None = None
    documents_in: tuple[str, ...] = ()
    documents_out: tuple[str, ...] = ()
    status: int | None = None
    silence: Silence | None = None
    pause: str | None = None  # basis of the pause
    operation: str | None = None
    message_type: str | None = None
    partner: str | None = None  # expression: the one role that a message goes to or comes from
    version: str | None = None  # of the called process
    decision: str | None = None
    result: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()  # (name, expression)
    outputs: tuple[tuple[str, str], ...] = ()  # (name, expression)


NO_EXTENSION = Extension()


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """A sequence flow."""

    id: str
    source: str
    target: str
    line: int
    name: str | None = None
    condition: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A flow node of a process or sub-process."""

    id: str
    kind: Kind
    scope: str  # id of the process or sub-process that contains it
    line: int
    name: str | None = None
    lane: str | None = None
    incoming: tuple[str, ...] = ()  # ids of flows, in document order
    outgoing: tuple[str, ...] = ()
    default: str | None = None  # id of the default flow
    events: tuple[Event, ...] = ()  # more than one: a multiple event
    parallel_multiple: bool = False  # all events of a multiple event are needed
    attached_to: str | None = None
    interrupting: bool = True  # boundary: cancelActivity, start: isInterrupting
    instantiate: bool = False  # receive task or event gateway that starts the process
    for_compensation: bool = False
    handler: str | None = None  # compensation boundary: the activity its association names
    loop: Loop | None = None
    script: str | None = None
    called: str | None = None  # process id of a call activity
    extension: Extension = NO_EXTENSION

    @property
    def event(self) -> Event | None:
        """Return the only event definition, or None for a none or multiple event."""
        return self.events[0] if len(self.events) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """One process with its nodes and flows of every depth, in document order."""

    id: str
    line: int
    name: str | None
    executable: bool
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[str, ...] = ()
    data_objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by scope
    # Names that every run of a called process or sub-process has for itself, by its scope.
    local_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # By scope, filled when it is asked for first: rules look into every scope of a large process.
    _grouped: dict[str, tuple[Node, ...]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the ids of everything that holds nodes: itself, sub-processes, called ones."""
        inner = (node.id for node in self.nodes.values() if node.kind in SCOPES)
        called = (node.scope for node in self.nodes.values())
        return tuple(dict.fromkeys((self.id, *inner, *called)))

    def inside(self, scope: str) -> tuple[Node, ...]:
        """Return the nodes directly inside `scope`, in document order."""
        if not self._grouped:
            found: dict[str, list[Node]] = {}
            for node in self.nodes.values():
                found.setdefault(node.scope, []).append(node)
            self._grouped.update({name: tuple(nodes) for name, nodes in found.items()})
        return self._grouped.get(scope, ())


@dataclass(frozen=True, kw_only=True, slots=True)
class Participant:
    """One pool."""

    id: str
    line: int
    name: str | None
    process: str | None  # None: a black box
    role: str  # lt:role, else the id


@dataclass(frozen=True, kw_only=True, slots=True)
class WireFlow:
    """One message flow as drawn: its ends are nodes or participants."""

    id: str
    line: int
    name: str | None
    source: str
    target: str
    message_type: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Everything the file says that the engine or the linter needs."""

    id: str
    processes: Mapping[str, Process]
    participants: tuple[Participant, ...] = ()
    message_flows: tuple[WireFlow, ...] = ()
    exporter: str | None = None
    collaboration: str | None = None
    namespaces: frozenset[str] = field(default_factory=frozenset)
    labels: Mapping[str, str] = field(default_factory=dict)  # of every named element, by id
