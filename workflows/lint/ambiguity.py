"""Rules about what could be caught or undone in two ways: nobody could say which one runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from workflows.findings import Finding, Severity
from workflows.graph import SCOPES, EventKind, Kind, Model, Node, Process
from workflows.lint.making import found, nodes_of

_THROWN: Final = (
    EventKind.ERROR,
    EventKind.ESCALATION,
    EventKind.CANCEL,
    EventKind.COMPENSATION,
)


def catchers_are_distinct(model: Model) -> Iterator[Finding]:
    """Of an activity's boundaries, and of a scope's handlers, one at most catches a thing."""
    for process in model.processes.values():
        boundaries: dict[str, list[Node]] = {}
        for node in process.nodes.values():
            if node.attached_to:
                boundaries.setdefault(node.attached_to, []).append(node)
        for beside in boundaries.values():
            yield from _twice(beside)
        for scope in process.scopes:
            handlers = [n for n in process.inside(scope) if n.kind is Kind.EVENT_SUB_PROCESS]
            if len(handlers) > 1:
                yield from _twice(start for one in handlers for start in _starts(process, one))


def _starts(process: Process, handler: Node) -> list[Node]:
    return [node for node in process.inside(handler.id) if node.kind is Kind.START]


def _twice(catchers: Iterable[Node]) -> Iterator[Finding]:
    seen: set[tuple[EventKind, str | None]] = set()
    for node in catchers:
        for event in node.events:
            if event.kind not in _THROWN:
                continue
            if (event.kind, event.code) in seen:
                yield found(
                    "caught_twice",
                    Severity.ERROR,
                    node,
                    event=event.kind.value,
                    code=event.code or "*",
                )
            seen.add((event.kind, event.code))


def undoing_is_distinct(model: Model) -> Iterator[Finding]:
    """A sub-process is undone by its boundary's handler or by one of its own, not by both."""
    for process, node in nodes_of(model):
        handlers = [
            inner
            for inner in (process.inside(node.id) if node.kind in SCOPES else ())
            if inner.kind is Kind.EVENT_SUB_PROCESS
            and any(
                event.kind is EventKind.COMPENSATION
                for start in _starts(process, inner)
                for event in start.events
            )
        ]
        if handlers and any(
            boundary.attached_to == node.id
            and any(event.kind is EventKind.COMPENSATION for event in boundary.events)
            for boundary in process.nodes.values()
        ):
            yield found("undone_twice", Severity.ERROR, handlers[0])
