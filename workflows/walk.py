"""One transition while it happens: the tokens, the values, and what they ask of the world so far.

The primitives here put, close and withdraw tokens; they decide nothing about BPMN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from SpiffWorkflow.util.task import TaskState

from dossier.errors import Rejected
from workflows.commands import (
    CancelCall,
    CloseReason,
    CloseSubscription,
    CloseTask,
    Command,
    HistoryEntry,
    HistoryEvent,
    RaiseIncident,
    ResolveIncident,
    ResumeClock,
)
from workflows.definition import Definition
from workflows.errors import ReservedName
from workflows.expressions import Value
from workflows.graph import HUMAN, SUBSCRIBED, Event, Kind, Node
from workflows.names import PARAMETERS
from workflows.specs import Scope, Token, TokenWorkflow, add_token

LIVE: Final = (
    TaskState.FUTURE | TaskState.WAITING | TaskState.READY | TaskState.STARTED | TaskState.ERROR
)

# Marks are the small routing values of a token (`internal_data`); the snapshot holds them.
FLOW: Final = "flow"  # id of the flow by which it came
HOST: Final = "host"  # boundary: number of the activity it sits on
GROUP: Final = "group"  # alternative of an event gateway: number of the gateway's token
BODY: Final = "body"  # loop instance: number of the token that counts the instances
INDEX: Final = "index"  # loop instance: 0, 1, …
TRIGGER: Final = "trigger"  # event sub-process that waits for its start event
FIRED: Final = "fired"  # a boundary or handler that has been set off: runs without waiting
OPEN: Final = "open"  # which rows it holds open: "task", "subscription", "call"
PAUSED: Final = "paused"  # it stops the dossier's clock
INCIDENT: Final = "incident"  # code of its incident
LEAVING: Final = "leaving"  # its work is done; only choosing the way out failed
UNMAPPED: Final = "unmapped"  # index of the event whose values are stored but not yet mapped
INNER: Final = "inner"  # compensation log of a scope whose owner could not leave yet
INNER_NAMES: Final = "innerNames"  # what that scope had for itself; encoded
NAMES: Final = "names"  # compensation handler: what the undone activity had for itself; encoded
ALIAS: Final = "alias"  # `<body>.<index>`: a loop instance that was only a bit of its body so far
LOOP: Final = "loop"  # the counting token of a loop; the figures are below
COUNT: Final = "count"  # instances in all, None for a standard loop
NEXT: Final = "next"  # index of the next instance to begin
DONE: Final = "done"  # instances that are finished
BITS: Final = "bits"  # hexadecimal set of the instances that are nothing but a row of the host
PENDING: Final = "pending"  # compensation: entries still to be undone, the last one first
UNDOES: Final = "undoes"  # compensation handler: number of the token that asked for it
KEPT: Final = "kept"  # local names that a call left behind, while its mapping fails; encoded
TAKE: Final = "take"  # flows it takes on leaving; never stored


@dataclass(kw_only=True, slots=True)
class Walk:
    """The mutable state of one transition; nothing outlives it but the snapshot."""

    definition: Definition
    workflow: TokenWorkflow
    instance_id: str
    at: datetime
    values: dict[str, Value]
    counter: int = 0
    halted: bool = False
    writes: dict[str, Value] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    history: list[HistoryEntry] = field(default_factory=list)
    ready: deque[Token] = field(default_factory=deque)
    thrown: deque[Token] = field(default_factory=deque)
    counting: deque[Token] = field(default_factory=deque)  # loops of which an instance finished
    undoing: deque[Token] = field(default_factory=deque)  # compensations with a handler finished
    runs: int = 0  # tokens that ran in this transition
    instances: int = 0  # instances of loops that began in it
    finished: bool = False

    def write(self, values: Mapping[str, Value]) -> None:
        """Record case values; they are visible to every later step of this transition.

        Raise `ReservedName` for the procedure's parameters: no form and no message may change them.
        """
        if PARAMETERS in values:
            raise ReservedName(f"expected another name, got {PARAMETERS!r}", name=PARAMETERS)
        self.values.update(values)
        self.writes.update(values)

    def write_in(self, scope: Scope, values: Mapping[str, Value]) -> None:
        """Record values written inside a scope: a name that a call has for itself stays in it."""
        left = dict(values)
        inner: Scope | None = scope
        while inner is not None and left:
            for name in inner.locals.keys() & left.keys():
                inner.locals[name] = left.pop(name)
            owner = owner_of(self, inner)
            inner = owner.workflow if owner is not None else None
        self.write(left)

    def public(self, token: Token) -> str:
        """Return the id under which the world knows the token."""
        return f"{self.instance_id}:{token.internal_data.get(ALIAS) or token.id}"


def node_of(token: Token) -> Node:
    """Return the node at which the token stands."""
    node: Node = token.task_spec.node
    return node


def scope_entered(node: Node) -> str:
    """Return the id of the scope that a sub-process or call activity opens."""
    if node.kind is Kind.CALL_ACTIVITY:
        return node.called or ""
    return node.id


def is_live(token: Token) -> bool:
    """Tell whether the token is still in the game; an incident is."""
    return bool(token.has_state(LIVE))


def scopes_of(walk: Walk) -> tuple[Scope, ...]:
    """Return every open scope, outermost first."""
    return (walk.workflow, *walk.workflow.subprocesses.values())


def tokens_of(scope: Scope) -> Iterator[Token]:
    """Yield the live tokens of one scope, oldest first, without those of scopes inside it."""
    for token in list(scope.tasks.values()):
        if token is not scope.task_tree and is_live(token):
            yield token


def live_tokens(walk: Walk) -> Iterator[Token]:
    """Yield the live tokens of all scopes."""
    for scope in scopes_of(walk):
        yield from tokens_of(scope)


def put(
    walk: Walk,
    scope: Scope,
    node_id: str,
    *,
    parent: Token | None = None,
    marks: Mapping[str, Any] | None = None,
) -> Token:
    """Put a token before a node and let it arrive."""
    token = add(walk, scope, node_id, parent=parent, marks=marks)
    token.task_spec._update(token)
    return token


def add(
    walk: Walk,
    scope: Scope,
    node_id: str,
    *,
    parent: Token | None = None,
    marks: Mapping[str, Any] | None = None,
) -> Token:
    """Put a token before a node; whoever asks lets it arrive."""
    walk.counter += 1
    token = add_token(scope, node_id, walk.counter, parent)
    token.internal_data.update(marks or {})
    return token


def owner_of(walk: Walk, scope: Scope) -> Token | None:
    """Return the live token that entered a scope; None for the process itself."""
    if scope is walk.workflow:
        return None
    token = walk.workflow.index.get(scope.parent_task_id)
    return token if token is not None and is_live(token) else None


def note(walk: Walk, token: Token, event: HistoryEvent) -> None:
    """Add a line to the history."""
    note_row(walk, token, walk.public(token), event)


def note_row(walk: Walk, token: Token, public: str, event: HistoryEvent) -> None:
    """Add a line about an instance of a loop that has no token of its own."""
    node = node_of(token)
    walk.history.append(
        HistoryEntry(
            token_id=public,
            element_id=node.id,
            kind=node.kind.value,
            name=node.name or node.id,
            event=event,
        )
    )


def close_rows(walk: Walk, token: Token, reason: CloseReason) -> None:
    """Close whatever the token holds open in the world."""
    opened = token.internal_data.pop(OPEN, None)
    if opened == "subscription":
        for subscription_id, _index, _event in subscriptions_of(walk, token):
            walk.commands.append(CloseSubscription(subscription_id=subscription_id))
    elif opened:
        close_row(walk, walk.public(token), opened, reason)
    if token.internal_data.pop(PAUSED, False):
        walk.commands.append(ResumeClock(token_id=walk.public(token)))
    if token.internal_data.pop(INCIDENT, None):
        walk.commands.append(ResolveIncident(token_id=walk.public(token)))


def close_row(walk: Walk, public: str, row: str, reason: CloseReason) -> None:
    """Close one task or call; a call that was answered is closed already."""
    if row == "task":
        walk.commands.append(CloseTask(task_id=public, reason=reason))
    elif reason is not CloseReason.COMPLETED:
        walk.commands.append(CancelCall(call_id=public))


def indexes(bits: str) -> list[int]:
    """Return the members of a hexadecimal set."""
    number = int(bits or "0", 16)
    return [index for index in range(number.bit_length()) if number >> index & 1]


def subscriptions_of(walk: Walk, token: Token) -> list[tuple[str, int, Event]]:
    """Return the subscriptions of a waiting token: id, index of the event, event."""
    events = waited_node(walk, token).events
    public = walk.public(token)
    return [
        (public if len(events) == 1 else f"{public}:{index}", index, event)
        for index, event in enumerate(events)
        if event.kind in SUBSCRIBED
    ]


def waited_node(walk: Walk, token: Token) -> Node:
    """Return the node whose events the token waits for: a trigger waits for its start event."""
    node = node_of(token)
    if node.kind is Kind.EVENT_SUB_PROCESS:
        return walk.definition.trigger_of(node.id)
    return node


def renew(walk: Walk, token: Token) -> Token:
    """Replace a token by a fresh one with a new id, so that no row is ever opened twice."""
    walk.counter += 1
    fresh = add_token(token.workflow, node_of(token).id, walk.counter)
    marks = dict(token.internal_data)
    marks.pop(ALIAS, None)
    marks.pop(OPEN, None)
    fresh.internal_data.update(marks)
    for other in dependents(token):
        for mark in (HOST, BODY):
            if other.internal_data.get(mark) == token.id:
                other.internal_data[mark] = fresh.id
    discard(token)
    return fresh


def discard(token: Token) -> None:
    """Take a token out of the game; Spiff's own `cancel` leaves one with an incident standing."""
    token._set_state(TaskState.CANCELLED)


def withdraw(walk: Walk, token: Token) -> None:
    """Take a live token out of the game with everything that hangs on it."""
    if not is_live(token):
        return
    withdraw_inside(walk, token)
    silent = any(token.internal_data.get(mark) for mark in (HOST, TRIGGER, GROUP, LOOP))
    close_rows(walk, token, CloseReason.CANCELLED)
    if not silent and token.has_state(TaskState.STARTED | TaskState.ERROR):
        note(walk, token, HistoryEvent.CANCELLED)
    discard(token)


def withdraw_rows(walk: Walk, body: Token) -> None:
    """Withdraw the instances of a loop that are nothing but rows."""
    row = "task" if node_of(body).kind in HUMAN else "call"
    for index in indexes(body.internal_data.pop(BITS, "")):
        public = f"{walk.instance_id}:{body.id}.{index}"
        note_row(walk, body, public, HistoryEvent.CANCELLED)
        close_row(walk, public, row, CloseReason.CANCELLED)


def withdraw_inside(walk: Walk, token: Token) -> None:
    """Withdraw everything that hangs on a token: its scope, instances and boundary events."""
    withdraw_rows(walk, token)
    scope = walk.workflow.subprocesses.get(token.id)
    if scope is not None:
        clear(walk, scope)
        del walk.workflow.subprocesses[token.id]
    for other in dependents(token):
        withdraw(walk, other)


def dependents(token: Token) -> tuple[Token, ...]:
    """Return the boundary events and loop instances that hang on an activity's token."""
    return tuple(
        other
        for other in tokens_of(token.workflow)
        if token.id in (other.internal_data.get(HOST), other.internal_data.get(BODY))
    )


def clear(walk: Walk, scope: Scope, *, but: Token | None = None) -> None:
    """Withdraw every token of a scope, those of scopes inside it included."""
    for token in tuple(tokens_of(scope)):
        if token is not but:
            withdraw(walk, token)


def fail(
    walk: Walk,
    token: Token,
    code: str,
    parameters: Mapping[str, str | int | float] | None = None,
) -> bool:
    """Stop one token with an incident; return False, Spiff's answer for a failed run.

    The instances of a loop go on when only its counting token failed.
    """
    node = node_of(token)
    if not token.internal_data.get(LOOP):
        close_rows(walk, token, CloseReason.FAILED)
    token.internal_data[INCIDENT] = code
    note(walk, token, HistoryEvent.FAILED)
    walk.commands.append(
        RaiseIncident(
            token_id=walk.public(token),
            element_id=node.id,
            name=node.name or node.id,
            code=code,
            parameters=dict(parameters or {}),
        )
    )
    token.error()
    return False


def fail_with(walk: Walk, token: Token, error: Rejected) -> bool:
    """Stop one token because an expression or a timer was refused."""
    return fail(walk, token, error.code, error.parameters)


def prune(walk: Walk) -> None:
    """Drop finished tokens; the live ones hang on the root, so a tree never grows deep."""
    for scope in scopes_of(walk):
        root = scope.task_tree
        live = [token for token in scope.tasks.values() if token is not root and is_live(token)]
        for token in live:
            token.parent = root
            token.children = []
        scope.tasks = {root.id: root, **{token.id: token for token in live}}
        root.children = live
    walk.workflow.index = {token.id: token for token in live_tokens(walk)}
    walk.workflow.last_task = None
