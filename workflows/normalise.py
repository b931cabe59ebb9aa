"""Rewrite a graph into one that the engine runs; every rewrite is a finding with its class."""

from __future__ import annotations

from dataclasses import replace

from workflows.findings import Finding, Severity
from workflows.graph import Event, EventKind, Flow, Kind, Model, Node, Process


def normalise(model: Model) -> tuple[Model, list[Finding]]:
    """Return the runnable graph and what was changed."""
    findings: list[Finding] = []
    processes = {}
    elsewhere = {node for process in model.processes.values() for node in process.nodes}
    for process in model.processes.values():
        process = _mark_executable(process, findings)
        process = _drop_dangling_flows(process, findings, elsewhere - set(process.nodes))
        processes[process.id] = _join_links(process, findings)
    return replace(model, processes=processes), findings


def _mark_executable(process: Process, findings: list[Finding]) -> Process:
    if process.executable or not process.nodes:
        return process
    findings.append(
        Finding(
            rule="made_executable",
            severity=Severity.ASSUME,
            line=process.line,
            element=process.id,
            name=process.name,
        )
    )
    return replace(process, executable=True)


def _drop_dangling_flows(process: Process, findings: list[Finding], elsewhere: set[str]) -> Process:
    """Drop flows with an end that does not exist; one into another pool blocks."""
    known = process.nodes
    dangling = {
        flow.id
        for flow in process.flows.values()
        if flow.source not in known or flow.target not in known
    }
    if not dangling:
        return process
    for flow_id in sorted(dangling):
        flow = process.flows[flow_id]
        crosses = flow.source in elsewhere or flow.target in elsewhere
        findings.append(
            Finding(
                rule="flow_crosses_pool" if crosses else "dangling_flow",
                severity=Severity.ERROR if crosses else Severity.ASSUME,
                line=flow.line,
                element=flow.id,
                name=flow.name,
            )
        )
    flows = {key: flow for key, flow in process.flows.items() if key not in dangling}
    nodes = {
        node.id: replace(
            node,
            incoming=tuple(f for f in node.incoming if f not in dangling),
            outgoing=tuple(f for f in node.outgoing if f not in dangling),
        )
        for node in process.nodes.values()
    }
    return replace(process, nodes=nodes, flows=flows)


def _join_links(process: Process, findings: list[Finding]) -> Process:
    """Turn each link throw into flows to the catches of that name in its scope."""
    nodes = dict(process.nodes)
    flows = dict(process.flows)
    for throw in process.nodes.values():
        link = _link(throw)
        if throw.kind is not Kind.THROW or link is None:
            continue
        for catch in process.nodes.values():
            other = _link(catch)
            if catch.kind is not Kind.CATCH or catch.scope != throw.scope or other is None:
                continue
            if other.name == link.name:
                flow = Flow(
                    id=f"{throw.id}--{catch.id}",
                    source=throw.id,
                    target=catch.id,
                    line=throw.line,
                )
                flows[flow.id] = flow
                source, target = nodes[throw.id], nodes[catch.id]
                nodes[throw.id] = replace(source, outgoing=(*source.outgoing, flow.id))
                nodes[catch.id] = replace(target, incoming=(*target.incoming, flow.id))
                findings.append(
                    Finding(
                        rule="link_joined",
                        severity=Severity.EXACT,
                        line=throw.line,
                        element=throw.id,
                        name=throw.name,
                        parameters={"target": catch.id},
                    )
                )
    return replace(process, nodes=nodes, flows=flows)


def _link(node: Node) -> Event | None:
    return next((event for event in node.events if event.kind is EventKind.LINK), None)


def with_called(model: Model, process: Process) -> Process:
    """Return `process` with the nodes of every process that it calls, directly or not.

    A called process is bound to the version of its caller: both are in the same definition.
    """
    nodes, flows = dict(process.nodes), dict(process.flows)
    own = {scope: names for scope, names in process.data_objects.items() if scope != process.id}
    pending = [process]
    seen = {process.id}
    while pending:
        for node in pending.pop().nodes.values():
            called = model.processes.get(node.called or "")
            if node.kind is Kind.CALL_ACTIVITY and called is not None and called.id not in seen:
                seen.add(called.id)
                nodes.update(called.nodes)
                flows.update(called.flows)
                own.update(called.data_objects)
                pending.append(called)
    return replace(process, nodes=nodes, flows=flows, local_names=own)
