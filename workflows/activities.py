"""What each kind of node does when a token arrives, one function per kind.

A behaviour returns True when the node's work is done, None when it waits for a fact, and False when
an incident stopped the token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from workflows.commands import (
    CallDecision,
    CallService,
    HistoryEvent,
    OpenTask,
    PauseClock,
    SendMessage,
    SetStatus,
)
from workflows.evaluating import evaluate, locals_at, locals_of, mapping, names_for
from workflows.events import listen
from workflows.expressions import Value
from workflows.graph import HUMAN, SUBSCRIBED, Assign, Event, EventKind, Kind, Node
from workflows.loops import begin, is_counting
from workflows.routes import sends
from workflows.scopes import open_scope
from workflows.specs import Token
from workflows.timing import is_literal
from workflows.walk import (
    BITS,
    BODY,
    FIRED,
    GROUP,
    HOST,
    OPEN,
    PAUSED,
    TRIGGER,
    Walk,
    add,
    indexes,
    node_of,
    note,
    note_row,
    put,
)

Behaviour: TypeAlias = Callable[[Walk, Token, Node], bool | None]


def behave(walk: Walk, token: Token) -> bool | None:
    """Do what the token's node does; raise a leaf of `Rejected` when an expression fails."""
    node = node_of(token)
    marks = token.internal_data
    if marks.get(TRIGGER) or marks.get(HOST) or marks.get(GROUP):
        listen(walk, token)  # entered only when it fires
        return None
    if is_counting(token):
        outcome = begin(walk, token)
        _open_rows(walk, token, node)
    else:
        note(walk, token, HistoryEvent.ENTERED)
        outcome = BEHAVIOURS[node.kind](walk, token, node)
    if BODY not in marks:
        _set_status(walk, node)
    if BODY not in marks and outcome is None:
        _pause(walk, token, node)
        _arm_boundaries(walk, token, node)
    return outcome


def _set_status(walk: Walk, node: Node) -> None:
    if node.extension.status is not None:
        walk.commands.append(SetStatus(element_id=node.id, value=node.extension.status))


def _open_rows(walk: Walk, token: Token, node: Node) -> None:
    """Open one row per instance of a loop whose instances are rows and no tokens."""
    outer = locals_of(walk, token)
    for index in indexes(token.internal_data.get(BITS, "")):
        public = f"{walk.instance_id}:{token.id}.{index}"
        own = locals_at(walk, token, index, outer)
        note_row(walk, token, public, HistoryEvent.ENTERED)
        if node.kind in HUMAN:
            _open_task(walk, token, node, public, own)
        else:
            _call(walk, token, node, public, own)


def _pause(walk: Walk, token: Token, node: Node) -> None:
    if node.extension.pause is not None:
        token.internal_data[PAUSED] = True
        walk.commands.append(
            PauseClock(token_id=walk.public(token), element_id=node.id, basis=node.extension.pause)
        )


def _arm_boundaries(walk: Walk, token: Token, node: Node) -> None:
    for boundary in walk.definition.boundaries(node.id):
        if any(event.kind in SUBSCRIBED for event in boundary.events):
            arm_boundary(walk, token, boundary)


def arm_boundary(walk: Walk, token: Token, boundary: Node) -> None:
    """Let a boundary event listen on behalf of an activity's token."""
    put(walk, token.workflow, boundary.id, marks={HOST: token.id})


def _pass(walk: Walk, token: Token, node: Node) -> bool | None:
    return True


def _task(walk: Walk, token: Token, node: Node) -> bool | None:
    """A plain task passes straight through unless the author made it human work."""
    if node.extension.assign or node.extension.form:
        return _human(walk, token, node)
    return True


def _human(walk: Walk, token: Token, node: Node) -> bool | None:
    _open_task(walk, token, node, walk.public(token), locals_of(walk, token))
    token.internal_data[OPEN] = "task"
    return None


def _open_task(walk: Walk, token: Token, node: Node, public: str, own: Mapping[str, Value]) -> None:
    extension = node.extension
    shown = {**own, **(mapping(walk, token, extension.inputs, own) or {})}
    command = OpenTask(
        task_id=public,
        element_id=node.id,
        name=node.name or node.id,
        lane=node.lane,
        assign=extension.assign or Assign(role=node.lane),
        form=extension.form,
        due=_due_text(walk, token, node),
        sign=extension.sign,
        sign_documents=extension.sign_documents,
        register=extension.register,
        documents_in=extension.documents_in,
        documents_out=extension.documents_out,
        locals=shown,
    )
    walk.commands.append(command)


def _due_text(walk: Walk, token: Token, node: Node) -> str | None:
    text = node.extension.due
    if text is None or is_literal(text):
        return text
    value = evaluate(walk, token, text)
    return None if value is None else str(value)


def _script(walk: Walk, token: Token, node: Node) -> bool | None:
    script = walk.definition.compiled.scripts.get(node.id)
    if script is not None:
        walk.write_in(token.workflow, script.run(names_for(walk, token), at=walk.at))
    return True


def _service(walk: Walk, token: Token, node: Node) -> bool | None:
    _call(walk, token, node, walk.public(token), locals_of(walk, token))
    token.internal_data[OPEN] = "call"
    return None


def _call(walk: Walk, token: Token, node: Node, public: str, own: Mapping[str, Value]) -> None:
    inputs = mapping(walk, token, node.extension.inputs, own)
    if node.kind is Kind.SERVICE_TASK:
        operation = node.extension.operation or node.id
        walk.commands.append(
            CallService(call_id=public, element_id=node.id, operation=operation, inputs=inputs)
        )
    else:
        decision = node.extension.decision or node.id
        walk.commands.append(
            CallDecision(
                call_id=public,
                element_id=node.id,
                decision=decision,
                inputs=inputs if inputs is not None or not own else {**walk.values, **own},
                result=node.extension.result,
            )
        )


def _send(walk: Walk, token: Token, node: Node) -> bool | None:
    values = mapping(walk, token, node.extension.inputs)
    flows = sends(walk, token)
    public = walk.public(token)
    for index, flow in enumerate(flows):
        if index:  # each message has a number of its own: it becomes part of the message id
            walk.counter += 1
            public = f"{walk.instance_id}:{walk.counter}"
        walk.commands.append(
            SendMessage(
                send_id=public,
                element_id=node.id,
                flow_id=flow.id,
                message_type=flow.message_type,
                to_role=flow.target_role,
                documents=node.extension.documents_out,
                values=values,
                locals=locals_of(walk, token),
            )
        )
    if not flows:
        _send_unrouted(walk, node, public, values)
    return True


def send_of_loop(walk: Walk, body: Token, event: Event) -> None:
    """Send what an activity sends as its instances finish; each message has a number of its own."""
    node = node_of(body)
    flows = [flow for flow in sends(walk, body) if flow.message_type == event.name]
    for flow in flows:
        walk.counter += 1
        walk.commands.append(
            SendMessage(
                send_id=f"{walk.instance_id}:{walk.counter}",
                element_id=node.id,
                flow_id=flow.id,
                message_type=flow.message_type,
                to_role=flow.target_role,
                documents=node.extension.documents_out,
                values=None,
                locals=locals_of(walk, body),
            )
        )
    if not flows:
        walk.counter += 1
        public = f"{walk.instance_id}:{walk.counter}"
        _send_unrouted(walk, node, public, None, event.name)


def _send_unrouted(
    walk: Walk,
    node: Node,
    public: str,
    values: Mapping[str, Value] | None,
    message: str | None = None,
) -> None:
    """Send in a model that draws no pools: the host alone knows to whom."""
    name = message or next((e.name for e in node.events if e.kind is EventKind.MESSAGE), None)
    walk.commands.append(
        SendMessage(
            send_id=public,
            element_id=node.id,
            flow_id=None,
            message_type=message or node.extension.message_type or name or node.id,
            to_role=None,
            documents=node.extension.documents_out,
            values=values,
        )
    )


def _wait(walk: Walk, token: Token, node: Node) -> bool | None:
    if token.internal_data.get(FIRED):
        return True  # it opened the instance
    if not any(event.kind in SUBSCRIBED for event in node.events):
        return True  # a none or link catch passes through
    listen(walk, token)
    return None


def _throw(walk: Walk, token: Token, node: Node) -> bool | None:
    """Throw one after the other; what must be carried outward waits for the step loop."""
    carried = False
    for event in node.events:
        if event.kind is EventKind.MESSAGE:
            _send(walk, token, node)
        elif event.kind is not EventKind.LINK:
            carried = True
    if carried:
        walk.thrown.append(token)
        return None
    return True


def _scope(walk: Walk, token: Token, node: Node) -> bool | None:
    open_scope(walk, token, mapping(walk, token, node.extension.inputs) or {})
    return None


def _event_gateway(walk: Walk, token: Token, node: Node) -> bool | None:
    """Let every alternative listen; the gateway's own token is used up."""
    for flow_id in node.outgoing:
        target = walk.definition.process.flows[flow_id].target
        add(walk, token.workflow, target, parent=token, marks={GROUP: token.id})
    note(walk, token, HistoryEvent.LEFT)
    return True


def _boundary(walk: Walk, token: Token, node: Node) -> bool | None:
    return True if token.internal_data.get(FIRED) else None


BEHAVIOURS: Final[Mapping[Kind, Behaviour]] = {
    Kind.TASK: _task,
    Kind.USER_TASK: _human,
    Kind.MANUAL_TASK: _human,
    Kind.SCRIPT_TASK: _script,
    Kind.SERVICE_TASK: _service,
    Kind.BUSINESS_RULE_TASK: _service,
    Kind.SEND_TASK: _send,
    Kind.RECEIVE_TASK: _wait,
    Kind.CALL_ACTIVITY: _scope,
    Kind.SUB_PROCESS: _scope,
    Kind.TRANSACTION: _scope,
    Kind.AD_HOC: _scope,
    Kind.EVENT_SUB_PROCESS: _scope,
    Kind.START: _pass,
    Kind.END: _throw,
    Kind.CATCH: _wait,
    Kind.THROW: _throw,
    Kind.BOUNDARY: _boundary,
    Kind.EXCLUSIVE: _pass,
    Kind.PARALLEL: _pass,
    Kind.INCLUSIVE: _pass,
    Kind.EVENT_BASED: _event_gateway,
    Kind.COMPLEX: _pass,
}
