"""Bind the call activities of a model to processes of other files: the parts of a procedure.

A part is bound once, when a model is deployed, and is then a piece of that very definition: running
instances stay on it. Its elements take the id of their process as prefix, so that two files may use
the same ids. Pools and message flows of a part are not taken over: they belong to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dossier.errors import Rejected
from workflows.findings import Finding, Severity
from workflows.graph import Event, Flow, Kind, Model, Node, Process
from workflows.reader import read_model

MARK = "."  # between the id of a part's process and the id that its author gave an element


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file beside the model that a call activity may lead to."""

    path: str  # of its BPMN file, as findings name it
    source: bytes = field(repr=False)
    version: str = ""  # as its own declaration says; empty: it has none
    forms: frozenset[str] = frozenset()  # its own forms; others are the caller's


@dataclass(frozen=True, kw_only=True, slots=True)
class Linked:
    """A model with all processes it calls, and where each foreign element comes from."""

    model: Model
    files: Mapping[str, str]  # id of an element, flow or process of a part → path
    bound: Mapping[str, Part]  # process of a part → the part
    findings: tuple[Finding, ...]


def link(model: Model, parts: Sequence[Part]) -> Linked:
    """Return the model with the processes of `parts` that it calls, directly or not."""
    linker = _Linker(model, parts)
    linker.follow(model.processes.values())
    return Linked(
        model=replace(model, processes=linker.processes, labels=linker.labels),
        files=linker.files,
        bound=linker.bound,
        findings=tuple(linker.findings),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    part: Part
    model: Model
    findings: tuple[Finding, ...]


class _Linker:
    """Mutable while it links: what has been bound so far."""

    def __init__(self, model: Model, parts: Sequence[Part]) -> None:
        self.processes = dict(model.processes)
        self.labels = dict(model.labels)
        self.files: dict[str, str] = {}
        self.bound: dict[str, Part] = {}
        self.findings: list[Finding] = []
        self._parts = parts
        self._unread: dict[str, Finding] = {}  # by path: why a part offers nothing
        self._read: list[_Read] | None = None  # read when the first call needs another file

    def follow(self, processes: Iterable[Process]) -> None:
        """Bind what the processes call, and what that calls in turn."""
        pending = list(processes)
        while pending:
            process = pending.pop(0)
            for node in process.nodes.values():
                if node.kind is Kind.CALL_ACTIVITY and node.called:
                    pending.extend(self._bind(node, node.called))

    def _bind(self, node: Node, called: str) -> Iterator[Process]:
        if called in self.processes:
            self._check_version(node, self.bound.get(called))
            return
        found = [one for one in self._all() if _offers(one.model, called)]
        wanted = [
            one
            for one in found
            if not node.extension.version or one.part.version == node.extension.version
        ]
        if len(wanted) > 1:
            self._report("called_ambiguous", node, called=called)
        elif found and not wanted:
            self._check_version(node, found[0].part)
        elif wanted:
            yield self._take(node, wanted[0], called)
        else:
            self.findings.extend(self._unread.values())  # one of them may be what is missing
            self._unread.clear()

    def _check_version(self, node: Node, part: Part | None) -> None:
        """Refuse a version that is not the one bound: one model runs one version of a part."""
        version = part.version if part is not None else ""
        if node.extension.version and node.extension.version != version:
            self._report(
                "called_version",
                node,
                called=node.called or "",
                version=node.extension.version,
                found=version or "–",
            )

    def _take(self, node: Node, read: _Read, called: str) -> Process:
        process = _renamed(read.model.processes[called], read.part.forms)
        self.processes[called] = process
        self.bound[called] = read.part
        for element in (called, *process.nodes, *process.flows):
            self.files[element] = read.part.path
        for element, label in read.model.labels.items():
            self.labels[f"{called}{MARK}{element}"] = label
        self.findings.extend(_moved(one, called, process) for one in read.findings)
        self._report("called_bound", node, Severity.EXACT, called=called, file=read.part.path)
        return process

    def _all(self) -> list[_Read]:
        if self._read is None:
            self._read = [read for part in self._parts if (read := self._open(part)) is not None]
        return self._read

    def _open(self, part: Part) -> _Read | None:
        """Read a part; one that is no BPMN file offers nothing."""
        try:
            model, findings = read_model(part.source)
        except Rejected as exc:
            self._unread[part.path] = Finding(
                rule="not_bpmn",
                severity=Severity.ERROR,
                line=int(exc.parameters.get("line", 0)),
                file=part.path,
            )
            return None
        placed = tuple(replace(one, file=part.path) for one in findings)
        return _Read(part=part, model=model, findings=placed)

    def _report(
        self, rule: str, node: Node, severity: Severity = Severity.ERROR, **parameters: str
    ) -> None:
        self.findings.append(
            Finding(
                rule=rule,
                severity=severity,
                line=node.line,
                element=node.id,
                name=node.name,
                parameters={**parameters},
                file=self.files.get(node.id, ""),
            )
        )


def _offers(model: Model, called: str) -> bool:
    process = model.processes.get(called)
    return process is not None and bool(process.nodes)


def _moved(finding: Finding, called: str, process: Process) -> Finding:
    """Return a finding of a part's file with the id that the element has in the whole."""
    renamed = f"{called}{MARK}{finding.element}"
    known = renamed in process.nodes or renamed in process.flows
    return replace(finding, element=renamed) if known else finding


def _renamed(process: Process, forms: frozenset[str]) -> Process:
    """Return a process of a part with its id before every id inside it."""
    before = process.id + MARK

    def own(identifier: str | None) -> str | None:
        return before + identifier if identifier else identifier

    def ids(found: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(before + one for one in found)

    def event(one: Event) -> Event:
        return replace(one, activity=own(one.activity))

    def node(one: Node) -> Node:
        form = one.extension.form
        return replace(
            one,
            id=before + one.id,
            scope=one.scope if one.scope == process.id else before + one.scope,
            incoming=ids(one.incoming),
            outgoing=ids(one.outgoing),
            default=own(one.default),
            attached_to=own(one.attached_to),
            handler=own(one.handler),
            events=tuple(map(event, one.events)),
            extension=replace(one.extension, form=before + form if form in forms else form),
        )

    def flow(one: Flow) -> Flow:
        return replace(
            one, id=before + one.id, source=before + one.source, target=before + one.target
        )

    return replace(
        process,
        nodes={before + key: node(one) for key, one in process.nodes.items()},
        flows={before + key: flow(one) for key, one in process.flows.items()},
    )
