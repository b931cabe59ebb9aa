"""Review a procedure that loads: what would run, and yet surprise the people who use it.

`load_procedure` refuses contradictions; these findings are about a folder as a whole. Each names
its file, and the element or key and the line in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dossier.deadline import parse_allowance
from dossier.errors import LienThongError
from workflows.dmn.evaluate import load_model
from workflows.dmn.lint import lint
from workflows.findings import Severity
from workflows.graph import EventKind, Kind, Node
from workflows.linking import MARK
from workflows.procedure import Procedure
from workflows.scenario_errors import ScenarioRefused
from workflows.scenariofile import parse_scenario
from workflows.starts import other_starts
from workflows.timing import is_literal

DECLARATION: Final = "procedure.toml"
MODEL: Final = "process.bpmn"
_END: Final = frozenset({3, 7, 8, 9, 10})  # a dossier may end with one of these statuses
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """One finding about a folder; its sentence is `[remark] <rule>`, or `kind` says which."""

    rule: str
    severity: Severity
    file: str
    element: str = ""  # id of a BPMN element, or the path of a key
    line: int = 0
    kind: str = "remark"  # table of the sentence in dossier/texts
    parameters: Mapping[str, str | int] = field(default_factory=dict)


def review(procedure: Procedure, *, declaration: bytes) -> tuple[Remark, ...]:
    """Return the remarks on a procedure; `declaration` is its procedure.toml, for the lines."""
    lines = declaration.decode(errors="replace").splitlines()
    return (
        *_deadlines(procedure, lines),
        *_roles(procedure, lines),
        *_starts(procedure),
        *_messages(procedure, lines),
        *_forms(procedure),
        *_prints(procedure),
        *_labels(procedure, file=DECLARATION),
        *_statuses(procedure),
        *_scenarios(procedure),
        *_decisions(procedure),
    )


def review_part(procedure: Procedure) -> tuple[Remark, ...]:
    """Return the remarks on a part; what a procedure alone declares is not asked of it."""
    return (
        *_forms(procedure),
        *_labels(procedure, file="part.toml"),
        *_scenarios(procedure),
        *_decisions(procedure),
    )


def line_of(lines: list[str], path: str) -> int:
    """Return the line of procedure.toml on which a table or a key such as `roles.tax.bind` is."""
    table, _, key = path.rpartition(".")
    inside = ""
    best = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith("["):
            inside = text.partition("#")[0].strip().strip("[]").replace('"', "")
            if inside in (path, table):
                best = best or number
            if inside == path:
                return number
        elif inside == table and (found := _KEY.match(line)) and found[1] == key:
            return number
    return best


def _deadlines(procedure: Procedure, lines: list[str]) -> Iterator[Remark]:
    deadline = procedure.deadline
    if deadline is None:
        yield _declared("deadline_missing", Severity.WARNING, "deadline", lines)
        return
    total = parse_allowance(deadline.total)
    if not total.count:
        yield _declared("deadline_zero", Severity.ERROR, "deadline.total", lines)
        return
    yield from _expiries(procedure, lines)
    for node in _nodes(procedure):
        text = _allowed(node.extension.due or "", procedure)
        if not text or node.extension.pause:
            continue
        step = parse_allowance(text)
        if step.unit is total.unit and step.count > total.count:
            yield _drawn(
                procedure,
                "deadline_exceeded",
                node,
                severity=Severity.WARNING,
                step=text,
                total=deadline.total,
            )


def _expiries(procedure: Procedure, lines: list[str]) -> Iterator[Remark]:
    for name, message in procedure.messages.items():
        if not any(figure in message.expires for figure in "123456789"):
            yield _declared("expires_zero", Severity.ERROR, f"messages.{name}.expires", lines)


def _prints(procedure: Procedure) -> Iterator[Remark]:
    """Yield the printed documents for which nobody enters who signs."""
    known = {one.name for form in procedure.forms.values() for one in form.fields}
    for node in _nodes(procedure):
        for kind in node.extension.documents_out if node.kind is Kind.USER_TASK else ():
            declared = procedure.documents.get(kind)
            names = (f"{kind}_signer_title", f"{kind}_signer_name")
            missing = [name for name in names if name not in known]
            if declared is not None and declared.print and missing:
                yield _drawn(procedure, "print_value_missing", node, kind=kind, value=missing[0])


def _roles(procedure: Procedure, lines: list[str]) -> Iterator[Remark]:
    if not any(role.bind == "initiator" for role in procedure.roles.values()):
        first = next(iter(procedure.roles), None)
        path = f"roles.{first}.bind" if first else "roles"
        yield _declared("initiator_missing", Severity.ERROR, path, lines)
    seen: dict[str, str] = {}
    for name, role in procedure.roles.items():
        if role.bind in seen:
            yield _declared(
                "role_bound_twice",
                Severity.ERROR if role.bind in ("initiator", "addressee") else Severity.WARNING,
                f"roles.{name}.bind",
                lines,
                bind=role.bind,
                other=seen[role.bind],
            )
        seen.setdefault(role.bind, name)
        if name not in procedure.deployment.roles:
            yield _declared("role_not_run", Severity.WARNING, f"roles.{name}", lines, role=name)


def _starts(procedure: Procedure) -> Iterator[Remark]:
    """Yield the start events by which no node ever opens a dossier by itself."""
    binds = {name: role.bind for name, role in procedure.roles.items()}
    for role in procedure.deployment.roles:
        definition = procedure.definition(role)
        for start in other_starts(definition):
            node = definition.elements[start.element_id]
            if start.kind is EventKind.CONDITION or node.parallel_multiple:
                yield _drawn(procedure, "start_needs_a_dossier", node)
            elif binds.get(role) != "initiator":
                yield _drawn(procedure, "start_not_heard", node, severity=Severity.WARNING)
            elif "addressee" in binds.values():
                yield _drawn(procedure, "start_without_addressee", node, severity=Severity.WARNING)


def _messages(procedure: Procedure, lines: list[str]) -> Iterator[Remark]:
    for flow in procedure.collaboration.flows:
        ends = {flow.source_role: flow.source_element, flow.target_role: flow.target_element}
        for role, element in ends.items():
            if element is None and role in procedure.deployment.roles:
                yield _declared(
                    "flow_ends_at_pool",
                    Severity.ERROR,
                    f"messages.{flow.message_type}",
                    lines,
                    message=flow.message_type,
                    role=role,
                )
    for name, message in procedure.messages.items():
        where = f"messages.{name}"
        if not message.payload and message.values:
            yield _declared("payload_missing", Severity.WARNING, where, lines, message=name)
        if message.payload:
            known = {one.name for one in procedure.forms[message.payload].fields}
            for value in sorted(set(message.values) - known):
                yield _declared(
                    "value_not_in_payload",
                    Severity.ERROR,
                    f"{where}.values",
                    lines,
                    value=value,
                    form=message.payload,
                )


def _forms(procedure: Procedure) -> Iterator[Remark]:
    used = {node.extension.form for node in _nodes(procedure)}
    used |= {message.payload for message in procedure.messages.values()}
    for name, form in procedure.forms.items():
        file = _file(procedure, "forms", name, "json")
        if not form.fields:
            yield Remark(rule="form_empty", severity=Severity.ERROR, file=file, line=1)
        if name not in used:
            yield Remark(rule="form_unused", severity=Severity.WARNING, file=file, line=1)


def _file(procedure: Procedure, shelf: str, name: str, suffix: str) -> str:
    """Return the path of a form or decision; those of a part have its code before the name."""
    code, _, inner = name.partition(MARK)
    part = procedure.deployment.bound.get(code)
    folder = part.path.removesuffix(MODEL) if part is not None and inner else ""
    return f"{folder}{shelf}/{inner if folder else name}.{suffix}"


def _labels(procedure: Procedure, *, file: str) -> Iterator[Remark]:
    for element, label in procedure.labels.items():
        if label and element not in procedure.english and element in _shown(procedure):
            yield Remark(
                rule="english_missing",
                severity=Severity.WARNING,
                file=file,
                element=element,
                parameters={"label": label},
            )


def _statuses(procedure: Procedure) -> Iterator[Remark]:
    for role in procedure.deployment.roles:
        nodes = procedure.definition(role).elements.values()
        if not any(node.extension.status in _END for node in nodes):
            end = next((node for node in nodes if node.kind is Kind.END), None)
            if end is not None:
                yield _drawn(
                    procedure, "status_unmapped", end, severity=Severity.WARNING, role=role
                )


def _scenarios(procedure: Procedure) -> Iterator[Remark]:
    if not procedure.scenarios:
        yield Remark(rule="scenarios_missing", severity=Severity.WARNING, file="scenarios/")
    for name, content in procedure.scenarios.items():
        try:
            parse_scenario(content, procedure=procedure)
        except ScenarioRefused as exc:
            yield Remark(
                rule=str(exc.parameters["fault"]),
                severity=Severity.ERROR,
                file=f"scenarios/{name}.yaml",
                line=int(str(exc.parameters["where"])),
                kind="scenario_fault",
                parameters={key: str(value) for key, value in exc.parameters.items()},
            )


def _decisions(procedure: Procedure) -> Iterator[Remark]:
    for name, content in procedure.decisions.items():
        file = _file(procedure, "decisions", name, "dmn")
        try:
            problems = lint(load_model([content]))
        except LienThongError as exc:
            yield Remark(
                rule=exc.code,
                severity=Severity.ERROR,
                file=file,
                kind="error",
                parameters={key: str(value) for key, value in exc.parameters.items()},
            )
            continue
        for problem in problems:
            yield Remark(
                rule=problem.code,
                severity=Severity.WARNING,
                file=file,
                element=problem.element,
                line=problem.line,
                kind="problem",
                parameters=dict(problem.parameters),
            )


def _nodes(procedure: Procedure) -> Iterator[Node]:
    for role in procedure.deployment.roles:
        yield from procedure.definition(role).elements.values()


def _shown(procedure: Procedure) -> frozenset[str]:
    return frozenset(node.id for node in _nodes(procedure))


def _allowed(text: str, procedure: Procedure) -> str:
    """Return the literal allowance of a due text; empty when only a running case knows it."""
    name = text.removeprefix("param.")
    if text.startswith("param.") and name in procedure.parameters:
        return str(procedure.parameters[name].value)
    return text if is_literal(text) and not text[:4].isdigit() else ""


def _declared(
    rule: str, severity: Severity, path: str, lines: list[str], **parameters: str
) -> Remark:
    return Remark(
        rule=rule,
        severity=severity,
        file=DECLARATION,
        element=path,
        line=line_of(lines, path),
        parameters=parameters,
    )


def _drawn(
    procedure: Procedure,
    rule: str,
    node: Node,
    *,
    severity: Severity = Severity.ERROR,
    **parameters: str,
) -> Remark:
    file, _, element = procedure.place_of(node.id).partition("#")
    return Remark(
        rule=rule,
        severity=severity,
        file=file,
        element=element,
        line=node.line,
        parameters=parameters,
    )
