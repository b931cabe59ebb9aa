"""Where a rule of silence may stand, and for whose answers it speaks.

On a wait itself, with a time of its own; or on a timer beside a wait: a boundary of a receive task,
a boundary of a sub-process (everybody awaited inside), an alternative of an event gateway.
"""

from __future__ import annotations

from collections.abc import Iterator

from workflows.graph import SCOPES, EventKind, Kind, Node, Process


def is_wait_with_silence(node: Node) -> bool:
    """Tell whether the rule stands on the wait itself."""
    silence = node.extension.silence
    return silence is not None and silence.after is not None and is_wait(node)


def is_wait(node: Node) -> bool:
    """Tell whether a token stands here until a message comes."""
    return node.kind in (Kind.RECEIVE_TASK, Kind.CATCH) and any(
        event.kind is EventKind.MESSAGE for event in node.events
    )


def awaited(process: Process, node: Node) -> Iterator[Node]:
    """Yield the waits that a rule of silence at `node` speaks for."""
    if is_wait(node):
        yield node
    elif node.attached_to is not None:
        host = process.nodes[node.attached_to]
        if is_wait(host):
            yield host
        else:
            yield from _inside(process, host.called or host.id)
    else:
        yield from _siblings(process, node)


def _inside(process: Process, scope: str, around: frozenset[str] = frozenset()) -> Iterator[Node]:
    """Yield the waits of a scope and below it; a circle of calls is for the lint to refuse."""
    for node in process.inside(scope) if scope not in around else ():
        if is_wait(node):
            yield node
        elif node.kind in SCOPES or node.called:
            yield from _inside(process, node.called or node.id, around | {scope})


def _siblings(process: Process, node: Node) -> Iterator[Node]:
    for flow_id in node.incoming:
        gateway = process.nodes[process.flows[flow_id].source]
        if gateway.kind is Kind.EVENT_BASED:
            targets = (process.nodes[process.flows[one].target] for one in gateway.outgoing)
            yield from filter(is_wait, targets)
