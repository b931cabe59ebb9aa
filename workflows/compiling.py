"""Compile every expression and script of a process once, at deployment.

The engine evaluates nothing that is not in this table: a text from anywhere else has no meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dossier.errors import Rejected
from workflows.expressions import Expression, Script, compile_expression, compile_script
from workflows.findings import Finding, Severity
from workflows.graph import Kind, Node, Process, TimerForm
from workflows.timing import is_literal, parse_timer


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """The closed table of one definition: source text to compiled form."""

    expressions: Mapping[str, Expression] = field(default_factory=dict)
    scripts: Mapping[str, Script] = field(default_factory=dict)  # node id -> script


def compile_process(process: Process) -> tuple[Compiled, list[Finding]]:
    """Return the table of `process` and a finding for every text that does not compile."""
    expressions: dict[str, Expression] = {}
    scripts: dict[str, Script] = {}
    findings: list[Finding] = []
    for element, name, line, text in _expressions(process):
        if text in expressions:
            continue
        try:
            expressions[text] = compile_expression(text)
        except Rejected as exc:
            findings.append(_finding("expression_refused", element, name, line, exc, text))
    for node in process.nodes.values():
        if node.kind is Kind.SCRIPT_TASK and node.script:
            try:
                scripts[node.id] = compile_script(node.script)
            except Rejected as exc:
                findings.append(
                    _finding("script_refused", node.id, node.name, node.line, exc, node.script)
                )
        findings.extend(_timer_findings(node))
    return Compiled(expressions=expressions, scripts=scripts), findings


def _expressions(process: Process) -> Iterator[tuple[str, str | None, int, str]]:
    for flow in process.flows.values():
        if flow.condition:
            yield flow.id, flow.name, flow.line, flow.condition
    for node in process.nodes.values():
        for text in texts_of(node):
            yield node.id, node.name, node.line, text


def texts_of(node: Node) -> Iterator[str]:
    """Yield the expressions of a node that are no literals of time."""
    for event in node.events:
        if event.text and not (event.timer and is_literal(event.text)):
            yield event.text
    if node.loop is not None:
        loop = node.loop
        yield from filter(
            None,
            (
                *(loop.cardinality, loop.collection, loop.condition, loop.maximum),
                *(loop.output_item, *(condition for condition, _event in loop.throws)),
            ),
        )
    mapped = (text for _, text in (*node.extension.inputs, *node.extension.outputs))
    yield from filter(None, (*mapped, node.extension.partner))
    for due in (node.extension.due, silence_text(node)):
        if due and not is_literal(due):
            yield due


def silence_text(node: Node) -> str | None:
    """Return the time of a silence rule that stands on the wait itself."""
    return node.extension.silence.after if node.extension.silence else None


def _timer_findings(node: Node) -> Iterator[Finding]:
    texts = [(event.text, event.timer) for event in node.events if event.timer and event.text]
    texts += [
        (text, TimerForm.DURATION) for text in (node.extension.due, silence_text(node)) if text
    ]
    for text, form in texts:
        if is_literal(text):
            try:
                parse_timer(text, _form_of_due(text, form))
            except Rejected as exc:
                yield _finding("timer_refused", node.id, node.name, node.line, exc, text)


def _form_of_due(text: str, form: TimerForm) -> TimerForm:
    """A due text may be an instant as well as a duration."""
    if form is TimerForm.DURATION and text[:4].isdigit():
        return TimerForm.DATE
    return form


def _finding(
    rule: str, element: str, name: str | None, line: int, error: Rejected, text: str
) -> Finding:
    parameters: dict[str, str | int] = {
        key: value if isinstance(value, int) else str(value)
        for key, value in error.parameters.items()
    }
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        line=line,
        element=element,
        name=name,
        parameters={**parameters, "reason": error.code, "text": text[:80]},
    )
