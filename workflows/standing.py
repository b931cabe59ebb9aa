"""Where the tokens of an instance stand and where a person may put them: read from its snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Final

from workflows import state
from workflows.definition import Definition
from workflows.repair import may_receive
from workflows.walk import ALIAS, BITS, HOST, INCIDENT, TRIGGER, UNDOES, indexes


@unique
class TokenState(Enum):
    """What a token does."""

    WAITING = "waiting"  # for a fact: work, a message, time, an answer, its own scope
    JOINING = "joining"  # at a join, for the others
    READY = "ready"  # the instance halted before it could go on
    INCIDENT = "incident"


_STATES: Final = {
    "w": TokenState.WAITING,
    "j": TokenState.JOINING,
    "r": TokenState.READY,
    "e": TokenState.INCIDENT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingToken:
    """One live token."""

    id: str  # as facts name it
    element: str
    state: TokenState
    code: str  # of its incident; empty: none
    instances: int  # of a parallel loop, those that are open rows; 0 for any other token
    scopes: tuple[str, ...]  # the scope it stands in and those around it, the innermost first
    can_move: bool  # a listening boundary or trigger moves with its activity only


def standing(definition: Definition, snapshot: bytes) -> tuple[StandingToken, ...]:
    """Return the live tokens, outer scopes first; raise `SnapshotRefused`."""
    header, scopes = state.parse(snapshot)
    elements = {row[0]: row[1] for _owner, tokens, *_rest in scopes for row in tokens}
    within = {row[0]: owner for owner, tokens, *_rest in scopes for row in tokens}
    found = []
    for _owner, tokens, *_rest in scopes:
        for number, element, letter, *rest in tokens:
            marks: dict[str, Any] = rest[0] if rest else {}
            around = [definition.elements[element].scope]
            outer = within[number]
            while outer:
                around.append(definition.elements[elements[outer]].scope)
                outer = within[outer]
            found.append(
                StandingToken(
                    id=f"{header.instance_id}:{marks.get(ALIAS) or number}",
                    element=element,
                    state=_STATES[letter],
                    code=str(marks.get(INCIDENT) or ""),
                    instances=len(indexes(marks.get(BITS, ""))),
                    scopes=tuple(around),
                    can_move=not any(marks.get(mark) for mark in (HOST, TRIGGER, UNDOES)),
                )
            )
    return tuple(found)


def targets(definition: Definition, token: StandingToken) -> tuple[str, ...]:
    """Return the elements to which a token may be moved, in the order of the file."""
    if not token.can_move:
        return ()
    return tuple(
        node.id
        for node in definition.elements.values()
        if node.scope in token.scopes and may_receive(node)
    )
