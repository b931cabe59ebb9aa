"""Repair by hand: move a token, send it back, or skip its element. Each leaves a line of history.

A token may be moved within its scope or out to a scope around it; never into one, whose start it
would have missed.
"""

from __future__ import annotations

from workflows.commands import HistoryEvent, ResolveIncident
from workflows.errors import RepairRefused
from workflows.graph import Kind, Node
from workflows.scopes import complete
from workflows.specs import Scope, Token
from workflows.walk import (
    BODY,
    GROUP,
    HOST,
    INCIDENT,
    LEAVING,
    TRIGGER,
    UNMAPPED,
    Walk,
    note,
    owner_of,
    put,
    renew,
    tokens_of,
    withdraw,
    withdraw_inside,
)


def move(walk: Walk, token: Token, element_id: str) -> None:
    """Withdraw a token with all that hangs on it and put a new one before another element."""
    _check_movable(token)
    target = walk.definition.elements.get(element_id)
    if target is None or not may_receive(target):
        raise _refused("target", element_id)
    leaving = token
    scope: Scope = token.workflow
    while scope.scope != target.scope:
        owner = owner_of(walk, scope)
        if owner is None:
            raise _refused("scope", element_id)
        leaving, scope = owner, owner.workflow
    note(walk, token, HistoryEvent.MOVED)
    _leave_group(walk, leaving)
    body = walk.workflow.index.get(leaving.internal_data.get(BODY, 0))
    withdraw(walk, body or leaving)
    put(walk, scope, element_id)


def skip(walk: Walk, token: Token) -> None:
    """Leave an element as if its work were done, without any values."""
    _check_movable(token)
    note(walk, token, HistoryEvent.MOVED)
    _leave_group(walk, token)
    withdraw_inside(walk, token)
    token.internal_data.pop(UNMAPPED, None)
    if token.internal_data.get(INCIDENT):
        del token.internal_data[INCIDENT]
        token.internal_data[LEAVING] = True
        walk.commands.append(ResolveIncident(token_id=walk.public(token)))
        renew(walk, token)._ready()
    else:
        complete(walk, token)


def _leave_group(walk: Walk, token: Token) -> None:
    """Withdraw the other alternatives of an event gateway: its choice is made by hand."""
    group = token.internal_data.pop(GROUP, None)
    for other in tuple(tokens_of(token.workflow)) if group is not None else ():
        if other is not token and other.internal_data.get(GROUP) == group:
            withdraw(walk, other)


def _check_movable(token: Token) -> None:
    if token.internal_data.get(HOST) or token.internal_data.get(TRIGGER):
        raise _refused("listener", token.task_spec.node.id)


def may_receive(node: Node) -> bool:
    """Tell whether a token may be put before a node by hand."""
    refused = (Kind.START, Kind.BOUNDARY, Kind.EVENT_SUB_PROCESS)
    return node.kind not in refused and not node.for_compensation


def _refused(reason: str, element: str) -> RepairRefused:
    return RepairRefused(
        f"expected an element that a token can be moved to, got {element!r} ({reason})",
        reason=reason,
        element=element,
    )
