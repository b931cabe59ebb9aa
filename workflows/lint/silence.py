"""The rule about rules of silence: beside a wait, with a time, and with a value to write."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.findings import Finding, Severity
from workflows.graph import EventKind, Kind, Model, Node, Process, Silence, TimerForm
from workflows.lint.making import found, nodes_of
from workflows.names import PARAMETERS
from workflows.quiet import awaited, is_wait


def silence_has_its_place(model: Model) -> Iterator[Finding]:
    """A rule of silence stands on a wait with a time of its own, or on a timer beside a wait."""
    for process, node in nodes_of(model):
        silence = node.extension.silence
        if silence is None:
            continue
        if silence.result == PARAMETERS:
            yield found("silence_result_reserved", Severity.ERROR, node, name=PARAMETERS)
        if is_wait(node):
            yield from _on_a_wait(node, silence)
        elif not _is_timer_beside_a_wait(process, node) or silence.after:
            yield found("silence_misplaced", Severity.ERROR, node)


def _on_a_wait(node: Node, silence: Silence) -> Iterator[Finding]:
    if not silence.after:
        yield found("silence_without_time", Severity.ERROR, node)
    if silence.policy != "escalate" and not silence.result:
        yield found("silence_without_result", Severity.ERROR, node)
    if len(node.events) != 1:
        yield found("silence_misplaced", Severity.ERROR, node)


def _is_timer_beside_a_wait(process: Process, node: Node) -> bool:
    return (
        node.kind in (Kind.BOUNDARY, Kind.CATCH)
        and len(node.events) == 1
        and node.events[0].kind is EventKind.TIMER
        and node.events[0].timer is not TimerForm.CYCLE
        and (any(awaited(process, node)) or _is_on_a_call(process, node))
    )


def _is_on_a_call(process: Process, node: Node) -> bool:
    host = process.nodes.get(node.attached_to or "")
    return host is not None and host.kind is Kind.CALL_ACTIVITY
