"""One instance, one step: a fact goes in; a new snapshot, commands, writes and history come out.

Pure: the instant and the case values are arguments. The steps of a transition are numbered below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from SpiffWorkflow.util.task import TaskState

from workflows import state
from workflows.advance import Advance, settle
from workflows.commands import (
    Command,
    Finish,
    HistoryEntry,
    HistoryEvent,
    Outcome,
    ResolveIncident,
)
from workflows.definition import Definition
from workflows.errors import (
    InstanceClosed,
    InstanceHalted,
    SnapshotRefused,
    StartRefused,
    TokenClosed,
)
from workflows.events import broadcast, deliver, end_silent
from workflows.expressions import Value
from workflows.facts import (
    Cancel,
    Fact,
    MessageArrived,
    MessageStart,
    Move,
    Retry,
    ServiceAnswered,
    ServiceFailed,
    SignalRaised,
    Skip,
    TaskCompleted,
    TimerFired,
    ValuesChanged,
)
from workflows.graph import EventKind, Node
from workflows.loops import materialise
from workflows.quiet import is_wait_with_silence
from workflows.receiving import receive_or_fail
from workflows.repair import move, skip
from workflows.scopes import complete, enter_scope, raise_from
from workflows.specs import Token, TokenWorkflow
from workflows.starts import may_start, message_starts
from workflows.walk import (
    ALIAS,
    INCIDENT,
    LEAVING,
    LOOP,
    OPEN,
    UNMAPPED,
    Walk,
    clear,
    fail,
    live_tokens,
    node_of,
    note,
    renew,
    waited_node,
)

_PUBLIC: Final = re.compile(
    r"(?P<number>\d{1,12})(?:\.(?P<index>\d{1,6}))?(?::(?P<event>\d{1,3}))?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """What one fact led to; the host records all of it in one transaction."""

    snapshot: bytes
    commands: tuple[Command, ...]
    writes: Mapping[str, Value]  # case values to store, those that came with the fact included
    history: tuple[HistoryEntry, ...]
    finished: bool
    halted: bool  # an uncaught error: only Retry, Move, Skip and Cancel are taken
    active: tuple[str, ...]  # ids of the elements where tokens stand now


def start(
    definition: Definition,
    *,
    instance_id: str,
    trigger: MessageStart | None,
    values: Mapping[str, Value],
    at: datetime,
) -> Transition:
    """Open an instance at its none start event, or at the start event that `trigger` names.

    Raise `StartRefused` when the process has no such start event.
    """
    walk = new_walk(definition, instance_id, values, at)
    node = None
    if trigger is not None:
        node = _triggered(definition, trigger)
        _receive_at_start(walk, node, dict(trigger.values))
    enter_scope(walk, walk.workflow, node)
    return conclude(walk)


def _receive_at_start(walk: Walk, node: Node, values: dict[str, Value]) -> None:
    """Store the first values; a mapping that fails leaves them as they came."""
    mapped = values
    if node.extension.outputs:
        seen = {**walk.values, **values}
        table = walk.definition.compiled.expressions
        mapped = {
            name: table[text].evaluate(seen, at=walk.at) for name, text in node.extension.outputs
        }
    walk.write(mapped)


def _triggered(definition: Definition, trigger: MessageStart) -> Node:
    element = trigger.element_id
    for found in message_starts(definition):
        if not element and found.message_type == trigger.message_type:
            element = found.element_id
    node = definition.elements.get(element)
    if node is not None and node.scope == definition.process.id and may_start(definition, node):
        return node
    raise StartRefused(
        f"expected a start event of the process, got {element or trigger.message_type!r}",
        element=element or trigger.message_type,
    )


def apply(
    definition: Definition,
    snapshot: bytes,
    fact: Fact,
    *,
    values: Mapping[str, Value],
    at: datetime,
) -> Transition:
    """Take one fact into an instance.

    Raise `TokenClosed` when the task, subscription or call is not open any more, `InstanceClosed`
    or `InstanceHalted` when the instance takes no facts, `SnapshotRefused` for a foreign snapshot.
    """
    # 1. Restore the live tokens onto the cached specs.
    header, scopes = state.parse(snapshot)
    _check_header(definition, header, fact)
    walk = new_walk(definition, header.instance_id, values, at)
    walk.counter = header.counter
    state.restore(walk.workflow, definition, scopes)
    state.resume(walk, header)
    # 2. Apply the fact.
    _take(walk, fact)
    # 3. Advance until quiet, prune, snapshot.
    return conclude(walk)


def _check_header(definition: Definition, header: state.Header, fact: Fact) -> None:
    if (header.digest, header.role) != (definition.digest, definition.role):
        raise SnapshotRefused(
            "expected a snapshot of this definition, got another's", reason="definition"
        )
    if header.finished:
        raise InstanceClosed("expected an open instance, got a finished one")
    if header.halted and not isinstance(fact, Retry | Move | Skip | Cancel):
        raise InstanceHalted("expected a running instance, got one with an uncaught error")


def new_walk(
    definition: Definition, instance_id: str, values: Mapping[str, Value], at: datetime
) -> Walk:
    """Return an empty walk whose rules are bound to it."""
    rules = Advance()
    walk = Walk(
        definition=definition,
        workflow=TokenWorkflow(definition.specs, definition.process.id, rules),
        instance_id=instance_id,
        at=at,
        values=dict(values),
    )
    rules.walk = walk
    return walk


def conclude(walk: Walk) -> Transition:
    """Advance until nothing moves, and return everything that came of it."""
    settle(walk)
    return Transition(
        snapshot=state.dump(walk),
        commands=tuple(walk.commands),
        writes=walk.writes,
        history=tuple(walk.history),
        finished=walk.finished,
        halted=walk.halted,
        active=tuple(dict.fromkeys(_places(walk))),
    )


def _places(walk: Walk) -> list[str]:
    return [] if walk.finished else [waited_node(walk, token).id for token in live_tokens(walk)]


def _take(walk: Walk, fact: Fact) -> None:  # noqa: C901 - one arm per fact
    match fact:
        case TaskCompleted():
            _finish_work(walk, _open_token(walk, fact.task_id, "task"), fact.values)
        case ServiceAnswered():
            _finish_work(walk, _open_token(walk, fact.call_id, "call"), fact.values)
        case ServiceFailed():
            _fail_work(walk, _open_token(walk, fact.call_id, "call"), fact.code)
        case MessageArrived():
            _deliver(walk, fact.subscription_id, EventKind.MESSAGE, fact.values)
        case TimerFired():
            _fire(walk, fact)
        case SignalRaised():
            broadcast(walk, fact.name, dict(fact.values))
        case Retry():
            _retry(walk, fact.token_id)
        case Move():
            move(walk, _find(walk, fact.token_id)[0], fact.element_id)
        case Skip():
            skip(walk, _find(walk, fact.token_id)[0])
        case Cancel():
            clear(walk, walk.workflow)
            walk.finished = True
            walk.commands.append(Finish(outcome=Outcome.CANCELLED))
        case ValuesChanged():
            pass  # settling looks at the conditions
        case _:
            assert_never(fact)


def _find(walk: Walk, public: str) -> tuple[Token, int]:
    """Return the live token of a public id, and the index of the event it names (default 0)."""
    match = _PUBLIC.fullmatch(public.removeprefix(walk.instance_id + ":"))
    token = None
    if match is not None and public.startswith(walk.instance_id + ":"):
        token = walk.workflow.index.get(int(match["number"]))
        if match["index"] is not None:
            token = _instance_of(walk, token, int(match["number"]), int(match["index"]))
    if token is None or match is None:
        raise TokenClosed("expected an open task, subscription or call, got none", id=public)
    return token, int(match["event"] or 0)


def _instance_of(walk: Walk, body: Token | None, number: int, index: int) -> Token | None:
    """Return the token of a loop instance, made now if it was only a row so far."""
    alias = f"{number}.{index}"
    for token in live_tokens(walk):
        if token.internal_data.get(ALIAS) == alias:
            return token
    return materialise(walk, body, index) if body is not None else None


def _open_token(walk: Walk, public: str, row: str) -> Token:
    token, _ = _find(walk, public)
    if token.internal_data.get(OPEN) != row or not token.has_state(TaskState.STARTED):
        raise TokenClosed(f"expected an open {row}, got a closed one", id=public)
    return token


def _finish_work(walk: Walk, token: Token, values: Mapping[str, Value]) -> None:
    if receive_or_fail(walk, token, node_of(token), dict(values)):
        complete(walk, token)


def _fail_work(walk: Walk, token: Token, code: str) -> None:
    token.internal_data.pop(OPEN)  # the call is answered, there is nothing to cancel
    if not raise_from(walk, token, EventKind.ERROR, code):
        fail(walk, token, "call_failed", {"error": code})


def _deliver(walk: Walk, public: str, kind: EventKind, values: Mapping[str, Value]) -> None:
    token, index = _find(walk, public)
    _open_token(walk, walk.public(token), "subscription")
    events = waited_node(walk, token).events
    if index >= len(events) or events[index].kind is not kind:
        raise TokenClosed("expected an open subscription, got a closed one", id=public)
    deliver(walk, token, index, dict(values))


def _fire(walk: Walk, fact: TimerFired) -> None:
    token, index = _find(walk, fact.subscription_id)
    _open_token(walk, walk.public(token), "subscription")
    node = waited_node(walk, token)
    walk.write_in(token.workflow, fact.values)  # a called process may have that name for itself
    if is_wait_with_silence(node) and node.events[index].kind is EventKind.MESSAGE:
        end_silent(walk, token)
        return
    _deliver(walk, fact.subscription_id, EventKind.TIMER, {})


def _retry(walk: Walk, public: str) -> None:
    token, _ = _find(walk, public)
    if not token.has_state(TaskState.ERROR):
        raise TokenClosed("expected a token with an incident, got none", id=public)
    token.internal_data.pop(INCIDENT, None)
    walk.commands.append(ResolveIncident(token_id=public))
    note(walk, token, HistoryEvent.RETRIED)
    marks = token.internal_data
    if LOOP in marks and LEAVING not in marks:
        token._set_state(TaskState.STARTED)
        walk.counting.append(token)
        return
    fresh = renew(walk, token)
    if UNMAPPED not in marks:
        fresh._ready()
        return
    fresh._set_state(TaskState.STARTED)
    index = fresh.internal_data.pop(UNMAPPED)
    if waited_node(walk, fresh).events:
        deliver(walk, fresh, index, {})
    else:
        _finish_work(walk, fresh, {})
