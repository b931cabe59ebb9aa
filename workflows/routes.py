"""Which message flow an element uses: its own, or one of the call activity that runs its process.

A called process draws no pools. The contract is drawn around its caller: message flows end at the
call activity, and the element inside takes the one of its type.
"""

from __future__ import annotations

from workflows.definition import MessageFlow
from workflows.errors import NoSuchWay
from workflows.evaluating import evaluate
from workflows.graph import EventKind, Kind, Node
from workflows.specs import Token
from workflows.walk import Walk, node_of, owner_of, waited_node


def sends(walk: Walk, token: Token) -> tuple[MessageFlow, ...]:
    """Return the flows by which a message leaves; raise `NoSuchWay` for a partner without one."""
    node = node_of(token)
    drawn = walk.definition.sends(node.id)
    for caller in () if drawn else _callers(walk, token):
        drawn = _of_type(walk.definition.sends(caller), node)
        if drawn:
            break
    return _with_partner(walk, token, node, drawn, is_leaving=True)


def receives(walk: Walk, token: Token) -> MessageFlow | None:
    """Return the flow by which a message comes; raise `NoSuchWay` for a partner without one."""
    node = waited_node(walk, token)
    drawn = walk.definition.receives(node.id)
    for caller in () if drawn else _callers(walk, token):
        drawn = _of_type(walk.definition.receives(caller), node)
        if drawn:
            break
    found = _with_partner(walk, token, node, drawn, is_leaving=False)
    return found[0] if found else None


def message_name(node: Node) -> str | None:
    """Return the message type that an element names itself."""
    named = next((event.name for event in node.events if event.kind is EventKind.MESSAGE), None)
    return node.extension.message_type or named


def _callers(walk: Walk, token: Token) -> list[str]:
    """Return the call activities around a token, the innermost first."""
    found = []
    owner = owner_of(walk, token.workflow)
    while owner is not None:
        node = node_of(owner)
        if node.kind is Kind.CALL_ACTIVITY:
            found.append(node.id)
        owner = owner_of(walk, owner.workflow)
    return found


def _of_type(flows: tuple[MessageFlow, ...], node: Node) -> tuple[MessageFlow, ...]:
    """Return the flows of the element's type; the only flow needs no type."""
    wanted = message_name(node)
    matching = tuple(flow for flow in flows if flow.message_type == wanted)
    if matching or node.extension.partner is not None:
        return matching or flows
    return flows if len(flows) == 1 else ()


def _with_partner(
    walk: Walk, token: Token, node: Node, flows: tuple[MessageFlow, ...], *, is_leaving: bool
) -> tuple[MessageFlow, ...]:
    """Keep the flows to or from the one role that the element's expression names."""
    text = node.extension.partner
    if text is None:
        return flows
    role = evaluate(walk, token, text)
    kept = tuple(
        flow for flow in flows if (flow.target_role if is_leaving else flow.source_role) == role
    )
    if not kept:
        raise NoSuchWay("expected a message flow with that role, got none", element=node.id)
    return kept
