"""How instances begin: the start events that a host must listen for before any instance exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from workflows.definition import Definition
from workflows.graph import Event, EventKind, Kind, Node, TimerForm


class MessageStartEvent(NamedTuple):
    """A start event that messages of one type from one role set off."""

    message_type: str
    from_role: str | None
    element_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherStartEvent:
    """A start event that a signal, a timer or a condition sets off."""

    element_id: str
    kind: EventKind  # SIGNAL, TIMER or CONDITION
    name: str | None  # of the signal
    timer: TimerForm | None
    text: str | None  # of the timer or condition


def message_starts(definition: Definition) -> tuple[MessageStartEvent, ...]:
    """Return the message starts of a process.

    These are start events, instantiating receive tasks, and the message events that follow an
    instantiating event-based gateway.
    """
    found = []
    for node, event in _triggers(definition):
        if event.kind is not EventKind.MESSAGE:
            continue
        flow = next(iter(definition.receives(node.id)), None)
        named = node.extension.message_type or (flow.message_type if flow else event.name)
        found.append(
            MessageStartEvent(
                message_type=named or node.id,
                from_role=flow.source_role if flow else None,
                element_id=node.id,
            )
        )
    return tuple(found)


def other_starts(definition: Definition) -> tuple[OtherStartEvent, ...]:
    """Return the start events that something else than a message sets off."""
    return tuple(
        OtherStartEvent(
            element_id=node.id,
            kind=event.kind,
            name=event.name,
            timer=event.timer,
            text=event.text,
        )
        for node, event in _triggers(definition)
        if event.kind is not EventKind.MESSAGE
    )


def may_start(definition: Definition, node: Node) -> bool:
    """Tell whether an instance may begin at a node of the process itself."""
    if node.kind is Kind.START or node.instantiate:
        return True
    sources = [definition.process.flows[flow].source for flow in node.incoming]
    return any(
        definition.elements[source].kind is Kind.EVENT_BASED
        and definition.elements[source].instantiate
        for source in sources
    )


def _triggers(definition: Definition) -> Iterator[tuple[Node, Event]]:
    for node in definition.inside(definition.process.id):
        if may_start(definition, node):
            for event in node.events:
                yield node, event
