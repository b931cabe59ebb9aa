"""Rules about events: which kind may stand where, and what it must name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from workflows.findings import Finding, Severity
from workflows.graph import ACTIVITIES, EventKind, Kind, Model, Node, Process
from workflows.lint.making import found, nodes_of

_OUTSIDE: Final = frozenset(
    {EventKind.MESSAGE, EventKind.SIGNAL, EventKind.TIMER, EventKind.CONDITION}
)
# BPMN 2.0.2, table 10.93: the kinds that each position takes.
_ALLOWED: Final[Mapping[Kind, frozenset[EventKind]]] = {
    Kind.START: _OUTSIDE | {EventKind.ERROR, EventKind.ESCALATION, EventKind.COMPENSATION},
    Kind.CATCH: _OUTSIDE | {EventKind.LINK},
    Kind.THROW: frozenset(
        {
            EventKind.MESSAGE,
            EventKind.SIGNAL,
            EventKind.ESCALATION,
            EventKind.COMPENSATION,
            EventKind.LINK,
        }
    ),
    Kind.END: frozenset(
        {
            EventKind.MESSAGE,
            EventKind.SIGNAL,
            EventKind.ERROR,
            EventKind.ESCALATION,
            EventKind.COMPENSATION,
            EventKind.CANCEL,
            EventKind.TERMINATE,
        }
    ),
    Kind.BOUNDARY: _OUTSIDE
    | {EventKind.ERROR, EventKind.ESCALATION, EventKind.COMPENSATION, EventKind.CANCEL},
}
_ONLY_IN_HANDLERS: Final = frozenset(
    {EventKind.ERROR, EventKind.ESCALATION, EventKind.COMPENSATION}
)


def events_stand_where_they_may(model: Model) -> Iterator[Finding]:
    """Refuse a kind of event in a position that the standard does not give it."""
    for process, node in nodes_of(model):
        allowed = _ALLOWED.get(node.kind)
        if allowed is None:
            continue
        for event in node.events:
            misplaced = event.kind not in allowed
            if node.kind is Kind.START and event.kind in _ONLY_IN_HANDLERS:
                misplaced = not _in_handler(process, node)
            if misplaced:
                yield found(
                    "event_not_allowed",
                    Severity.ERROR,
                    node,
                    event=event.kind.value,
                    position=node.kind.value,
                )


def _in_handler(process: Process, node: Node) -> bool:
    parent = process.nodes.get(node.scope)
    return parent is not None and parent.kind is Kind.EVENT_SUB_PROCESS


def boundaries_are_attached(model: Model) -> Iterator[Finding]:
    """A boundary event sits on an activity of its scope and waits for something."""
    for process, node in nodes_of(model):
        if node.kind is not Kind.BOUNDARY:
            continue
        host = process.nodes.get(node.attached_to or "")
        if host is None or host.kind not in ACTIVITIES or host.scope != node.scope:
            yield found("boundary_not_attached", Severity.ERROR, node)
        if not node.events:
            yield found("boundary_without_event", Severity.ERROR, node)
        kinds = {event.kind for event in node.events}
        if not node.outgoing and EventKind.COMPENSATION not in kinds:
            yield found("boundary_without_flow", Severity.WARNING, node)


def errors_interrupt(model: Model) -> Iterator[Finding]:
    """An error or cancel event always interrupts what it is caught for."""
    for _, node in nodes_of(model):
        kinds = {event.kind for event in node.events}
        if not node.interrupting and kinds & {EventKind.ERROR, EventKind.CANCEL}:
            yield found("must_interrupt", Severity.ERROR, node)


def cancels_belong_to_transactions(model: Model) -> Iterator[Finding]:
    """A cancel end stands in a transaction, and the transaction has a cancel boundary."""
    for process, node in nodes_of(model):
        if not any(event.kind is EventKind.CANCEL for event in node.events):
            continue
        owner = process.nodes.get(
            (node.attached_to if node.kind is Kind.BOUNDARY else node.scope) or ""
        )
        if owner is None or owner.kind is not Kind.TRANSACTION:
            yield found("cancel_outside_transaction", Severity.ERROR, node)
        elif node.kind is Kind.END and not _catches_cancel(process, owner):
            yield found("cancel_without_boundary", Severity.ERROR, node, transaction=owner.id)


def _catches_cancel(process: Process, transaction: Node) -> bool:
    return any(
        node.attached_to == transaction.id
        and any(event.kind is EventKind.CANCEL for event in node.events)
        for node in process.nodes.values()
    )


def links_match(model: Model) -> Iterator[Finding]:
    """Every link throw has one catch of its name in its scope, and the other way round."""
    for process in model.processes.values():
        throws = list(_links(process, Kind.THROW))
        catches = list(_links(process, Kind.CATCH))
        for node, name in throws:
            targets = [c for c, other in catches if other == name and c.scope == node.scope]
            if len(targets) != 1:
                yield found("link_unmatched", Severity.ERROR, node, link=name, count=len(targets))
        for node, name in catches:
            if not any(t.scope == node.scope and other == name for t, other in throws):
                yield found("link_unmatched", Severity.ERROR, node, link=name, count=0)


def _links(process: Process, kind: Kind) -> Iterator[tuple[Node, str]]:
    for node in process.nodes.values():
        for event in node.events:
            if node.kind is kind and event.kind is EventKind.LINK:
                yield node, event.name or ""


def event_gateways_are_sound(model: Model) -> Iterator[Finding]:
    """An event gateway chooses among at least two catches that nothing else leads to."""
    for process, node in nodes_of(model):
        if node.kind is not Kind.EVENT_BASED:
            continue
        targets = [process.nodes[process.flows[flow].target] for flow in node.outgoing]
        if len(targets) < 2:
            yield found("event_gateway_single", Severity.ERROR, node)
        for target in targets:
            if not _may_follow(target):
                yield found("event_gateway_target", Severity.ERROR, node, target=target.id)
            if len(target.incoming) > 1:
                yield found("event_gateway_shared", Severity.ERROR, node, target=target.id)
        if Kind.RECEIVE_TASK in {target.kind for target in targets} and any(
            event.kind is EventKind.MESSAGE
            for target in targets
            for event in target.events
            if target.kind is Kind.CATCH
        ):
            yield found("event_gateway_mixed", Severity.ERROR, node)


def _may_follow(node: Node) -> bool:
    if node.kind is Kind.RECEIVE_TASK:
        return True
    kinds = {event.kind for event in node.events}
    return node.kind is Kind.CATCH and bool(kinds) and kinds <= _OUTSIDE


def starts_are_distinct(model: Model) -> Iterator[Finding]:
    """Two start events of one process must not wait for the same message."""
    for process in model.processes.values():
        seen: set[str | None] = set()
        for node in process.inside(process.id):
            for event in node.events:
                if node.kind is not Kind.START or event.kind is not EventKind.MESSAGE:
                    continue
                name = node.extension.message_type or event.name
                if name in seen:
                    yield found("start_ambiguous", Severity.ERROR, node, message=name or "")
                seen.add(name)
