"""From the author's bytes to something that runs: read, normalise, lint, compile, build once.

`deploy` never raises for a bad model: its findings say what is wrong and where. What it returns is
immutable, so one parse serves every instance of a version (engine.md, W12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dossier.errors import XmlRefused
from workflows.compiling import Compiled, compile_process
from workflows.errors import DefinitionRefused, RoleUnknown
from workflows.findings import Finding, Severity, blocking
from workflows.graph import EventKind, Kind, Model, Node, Process
from workflows.linking import Part, link
from workflows.lint import lint_model
from workflows.normalise import normalise, with_called
from workflows.reach import reach_of_joins
from workflows.reader import read_model
from workflows.specs import build_specs

# No procedure comes near it; some rules take time that grows with nodes times scopes.
MAXIMUM_NODES: Final = 5_000
# Every process of a file is built with all that it calls.
_MAXIMUM_BUILT: Final = 4 * MAXIMUM_NODES
_WITHOUT_MEASURE: Final = frozenset({"call_cycle", "nested_too_deep", "joins_too_many"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """One agency's part of the collaboration."""

    role: str
    name: str
    process_id: str | None  # None: a black box that no node runs
    lanes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageFlow:
    """The only way from one agency to another."""

    id: str
    name: str | None
    message_type: str
    source_role: str
    target_role: str
    source_element: str | None  # None: the pool itself is drawn as the end
    target_element: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Collaboration:
    """The contract: who takes part, and what may pass between whom."""

    pools: tuple[Pool, ...]
    flows: tuple[MessageFlow, ...]

    def pool(self, role: str) -> Pool | None:
        """Return the pool of `role`, if there is one."""
        return next((pool for pool in self.pools if pool.role == role), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One pool's process, compiled and built; shared by all its instances and never changed."""

    digest: str  # sha256 of the author's bytes
    role: str
    process: Process
    collaboration: Collaboration
    compiled: Compiled
    specs: Mapping[str, Any]  # SpiffWorkflow's specs, one per scope
    # Per inclusive gateway and incoming flow, the nodes that lead to that flow.
    reach: Mapping[str, Mapping[str, frozenset[str]]]
    has_conditions: bool  # whether a change of a value may be an event
    _boundaries: Mapping[str, tuple[Node, ...]]  # by the activity they sit on
    _inside: Mapping[str, tuple[Node, ...]]  # by scope

    @property
    def elements(self) -> Mapping[str, Node]:
        """Return the author's elements by id, with kind, name, lane, extension values and line."""
        return self.process.nodes

    def boundaries(self, node_id: str) -> tuple[Node, ...]:
        """Return the boundary events of an activity."""
        return self._boundaries.get(node_id, ())

    def inside(self, scope: str) -> tuple[Node, ...]:
        """Return the nodes directly inside a scope."""
        return self._inside[scope]

    def holds(self, scope: str) -> bool:
        """Tell whether a scope, such as a called process, is part of this definition."""
        return scope in self._inside

    def handlers(self, scope: str) -> tuple[Node, ...]:
        """Return the event sub-processes of a scope."""
        return tuple(n for n in self.inside(scope) if n.kind is Kind.EVENT_SUB_PROCESS)

    def trigger_of(self, handler: str) -> Node:
        """Return the start event of an event sub-process."""
        return next(node for node in self.inside(handler) if node.kind is Kind.START)

    def compensation_of(self, node_id: str) -> str | None:
        """Return the activity that undoes an activity, named by its compensation boundary."""
        for boundary in self.boundaries(node_id):
            if any(event.kind is EventKind.COMPENSATION for event in boundary.events):
                return boundary.handler
        return None

    def undoing_handler(self, scope: str) -> Node | None:
        """Return the event sub-process that compensates a whole scope."""
        for handler in self.handlers(scope):
            events = self.trigger_of(handler.id).events
            if any(event.kind is EventKind.COMPENSATION for event in events):
                return handler
        return None

    def sends(self, element: str) -> tuple[MessageFlow, ...]:
        """Return the message flows that leave an element."""
        return tuple(flow for flow in self.collaboration.flows if flow.source_element == element)

    def receives(self, element: str) -> tuple[MessageFlow, ...]:
        """Return the message flows that reach an element."""
        return tuple(flow for flow in self.collaboration.flows if flow.target_element == element)

    def callers(self, scope: str) -> tuple[Node, ...]:
        """Return the call activities that lead to a called process."""
        return tuple(node for node in self.elements.values() if node.called == scope)

    def answers(self, element: str) -> tuple[MessageFlow, ...]:
        """Return the message flows that an element may take: its own, or those of its call."""
        own = self.receives(element)
        if own or element not in self.elements:
            return own
        calls = self.callers(self.elements[element].scope)
        return tuple(flow for call in calls for flow in self.receives(call.id))

    def entries(self, scope: str) -> tuple[Node, ...]:
        """Return the nodes at which an untriggered start of a scope puts its tokens."""
        inside = self.inside(scope)
        starts = [node for node in inside if node.kind is Kind.START]
        if starts:
            return tuple(node for node in starts if not node.events)
        return tuple(node for node in inside if _begins(node))


def _begins(node: Node) -> bool:
    if node.incoming or node.attached_to or node.for_compensation:
        return False
    return node.kind is not Kind.EVENT_SUB_PROCESS


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A judged model: its findings, and, when none of them blocks, its definitions."""

    digest: str
    findings: tuple[Finding, ...]
    collaboration: Collaboration
    model: Model | None  # None: the bytes could not be read as BPMN at all
    files: Mapping[str, str] = field(default_factory=dict)  # element of a part → its file
    bound: Mapping[str, Part] = field(default_factory=dict)  # called process → its part
    _definitions: Mapping[str, Definition] = field(default_factory=dict)

    @property
    def is_runnable(self) -> bool:
        """Tell whether no finding blocks."""
        return not blocking(self.findings)

    def definition(self, role: str) -> Definition:
        """Return the definition of a pool; raise `DefinitionRefused` or `RoleUnknown`."""
        blocks = blocking(self.findings)
        if blocks:
            raise refusal(blocks)
        try:
            return self._definitions[role]
        except KeyError as exc:
            raise RoleUnknown(f"expected a role with a process, got {role!r}", role=role) from exc

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that have a process to run."""
        return tuple(self._definitions)


def refusal(blocks: tuple[Finding, ...]) -> DefinitionRefused:
    """Return the error that names the first blocking finding and how many there are."""
    first = blocks[0]
    return DefinitionRefused(
        f"expected a runnable model, got {first.rule} at {first.element or '-'}, line {first.line}",
        rule=first.rule,
        element=first.element or "",
        line=first.line,
        count=len(blocks),
    )


def deploy(source: bytes, parts: Sequence[Part] = ()) -> Deployment:
    """Judge the author's bytes and build what can run; findings are in document order.

    `parts` are the other files to which call activities may lead.
    """
    digest = hashlib.sha256(source).hexdigest()
    try:
        model, read = read_model(source)
    except XmlRefused as exc:
        return _unreadable(digest, exc.code, exc.parameters)
    except DefinitionRefused as exc:
        return _unreadable(digest, "not_bpmn", exc.parameters)
    own = tuple(model.processes)
    linked = link(model, parts)
    model = linked.model
    nodes = sum(len(process.nodes) for process in model.processes.values())
    if nodes > MAXIMUM_NODES:
        return _unreadable(digest, "too_large", {"limit": MAXIMUM_NODES, "line": 1})
    model, rewritten = normalise(model)
    findings = [*read, *linked.findings, *rewritten, *lint_model(model)]
    collaboration = _collaboration(model, own)
    definitions = {}
    built = 0
    is_bounded = not any(finding.rule in _WITHOUT_MEASURE for finding in findings)
    for role, process in _runnable(model, own) if is_bounded else ():
        built += len(process.nodes)
        if built > _MAXIMUM_BUILT:
            findings.append(_too_large(_MAXIMUM_BUILT))
            break
        compiled, problems = compile_process(process)
        findings.extend(problems)
        definitions[role] = _build(digest, role, process, collaboration, compiled)
    findings = [_placed(finding, linked.files) for finding in findings]
    findings.sort(key=lambda finding: (finding.file, finding.line))
    return Deployment(
        digest=digest,
        findings=tuple(findings),
        files=linked.files,
        bound=linked.bound,
        collaboration=collaboration,
        model=model,
        _definitions=definitions,
    )


def _placed(finding: Finding, files: Mapping[str, str]) -> Finding:
    """Say in which file the element of a finding is."""
    file = finding.file or files.get(finding.element or "", "")
    return replace(finding, file=file) if file else finding


def _build(
    digest: str,
    role: str,
    process: Process,
    collaboration: Collaboration,
    compiled: Compiled,
) -> Definition:
    nodes = process.nodes.values()
    boundaries: dict[str, tuple[Node, ...]] = {}
    for node in nodes:
        if node.attached_to is not None:
            boundaries[node.attached_to] = (*boundaries.get(node.attached_to, ()), node)
    return Definition(
        digest=digest,
        role=role,
        process=process,
        collaboration=collaboration,
        compiled=compiled,
        specs=build_specs(process),
        reach=reach_of_joins(process),
        has_conditions=any(
            event.kind is EventKind.CONDITION for node in nodes for event in node.events
        ),
        _boundaries=boundaries,
        _inside={scope: process.inside(scope) for scope in process.scopes},
    )


def deploy_or_refuse(source: bytes, parts: Sequence[Part] = ()) -> Deployment:
    """Return a runnable deployment or raise `DefinitionRefused`."""
    deployment = deploy(source, parts)
    blocks = blocking(deployment.findings)
    if blocks:
        raise refusal(blocks)
    return deployment


def _too_large(limit: int) -> Finding:
    return Finding(rule="too_large", severity=Severity.ERROR, line=1, parameters={"limit": limit})


def _unreadable(digest: str, rule: str, parameters: Mapping[str, str | int | float]) -> Deployment:
    finding = Finding(
        rule=rule,
        severity=Severity.ERROR,
        line=int(parameters.get("line", 0)),
        parameters={key: str(value) for key, value in parameters.items()},
    )
    empty = Collaboration(pools=(), flows=())
    return Deployment(digest=digest, findings=(finding,), collaboration=empty, model=None)


def _runnable(model: Model, own: Sequence[str]) -> Iterator[tuple[str, Process]]:
    """Yield the processes of the model's own file, each with what it calls."""
    roles = {pool.process: pool.role for pool in model.participants if pool.process}
    for process in map(model.processes.__getitem__, own):
        if process.nodes:
            yield roles.get(process.id, process.id), with_called(model, process)


def _collaboration(model: Model, own: Sequence[str]) -> Collaboration:
    owners = {
        node_id: process.id for process in model.processes.values() for node_id in process.nodes
    }
    roles: dict[str | None, str] = {pool.process: pool.role for pool in model.participants}
    pools = {pool.id: pool.role for pool in model.participants}
    lanes = {process.id: process.lanes for process in model.processes.values()}

    def role_of(end: str) -> str:
        return pools.get(end) or roles.get(owners.get(end)) or end

    flows = tuple(
        MessageFlow(
            id=wire.id,
            name=wire.name,
            message_type=wire.message_type or wire.name or wire.id,
            source_role=role_of(wire.source),
            target_role=role_of(wire.target),
            source_element=wire.source if wire.source in owners else None,
            target_element=wire.target if wire.target in owners else None,
        )
        for wire in model.message_flows
    )
    return Collaboration(
        pools=tuple(
            Pool(
                role=pool.role,
                name=pool.name or pool.role,
                process_id=pool.process,
                lanes=lanes.get(pool.process or "", ()),
            )
            for pool in model.participants
        )
        or tuple(
            Pool(
                role=process.id,
                name=process.name or process.id,
                process_id=process.id,
                lanes=process.lanes,
            )
            for process in map(model.processes.__getitem__, own)
        ),
        flows=flows,
    )


class DefinitionCache:
    """Keep the most recently used deployments, one parse per version and process."""

    def __init__(self, load: Callable[[str], bytes], *, size: int = 64) -> None:
        self._load = load  # digest -> the author's bytes
        self._size = size
        self._kept: dict[str, Deployment] = {}
        self.hits = 0
        self.misses = 0

    def get(self, digest: str) -> Deployment:
        """Return the deployment of `digest`, loading it at most once while it is kept."""
        deployment = self._kept.pop(digest, None)
        if deployment is None:
            self.misses += 1
            deployment = deploy(self._load(digest))
        else:
            self.hits += 1
        self._kept[digest] = deployment
        if len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]
        return deployment
