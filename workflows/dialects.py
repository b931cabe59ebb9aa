"""Translate what Camunda 7, Camunda 8 and their relatives write into our own extension values.

The author's bytes are kept; only the graph is translated. What has no counterpart is reported.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from lxml import etree

from dossier.errors import Rejected
from workflows.expressions import translate as translate_text
from workflows.extension import Report
from workflows.findings import Severity
from workflows.graph import Assign, Extension, Kind, Loop
from workflows.names import BPMN, CAMUNDA, ZEEBE, local_name
from workflows.vendorforms import form_name

_DATA_OBJECT: Final = re.compile(r"(?:\w+:)?getDataObject\(\s*['\"](\w+)['\"]\s*\)")
_QUOTED: Final = re.compile(r"('[^']*'|\"[^\"]*\")")


def plain_expression(
    text: str, element: etree._Element, report: Report, *, joins: bool = False
) -> str:
    """Return `text` in our expression language; the prefixes of other dialects are translated."""
    stripped = text.strip()
    if not _is_foreign(stripped):
        plain = _from_xpath(stripped)
        if plain != stripped:
            report("expression_translated", element, Severity.EXACT, expression=stripped[:80])
        return plain
    try:
        plain = translate_text(stripped, joins=joins)
    except Rejected as exc:
        report(
            "expression_refused",
            element,
            Severity.ERROR,
            text=stripped[:80],
            reason=exc.code,
        )
        return ""
    report("expression_translated", element, Severity.EXACT, expression=stripped[:80])
    return plain


def _is_foreign(text: str) -> bool:
    return text.startswith("=") or "${" in text or "#{" in text


def _from_xpath(text: str) -> str:
    """Translate the two habits of models without a language of their own: XPath and `==`."""
    if "getDataObject(" not in text and "==" not in text:
        return text
    parts = _QUOTED.split(_DATA_OBJECT.sub(r"\1", text))
    return "".join(
        '"' + part[1:-1] + '"' if part[:1] == "'" else part.replace("==", "=") for part in parts
    )


def _literal_or_expression(text: str, element: etree._Element, report: Report) -> str:
    """Return a mapping's source: what has no prefix is a constant text in Camunda and Zeebe."""
    if _is_foreign(text.strip()):
        return plain_expression(text, element, report, joins=True)
    escaped = text.strip().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def called_process(element: etree._Element) -> str | None:
    """Return the process that a Zeebe call activity names, which BPMN keeps in `calledElement`."""
    called = _zeebe(element, "calledElement")
    return called.get("processId") if called is not None else None


def translate(
    element: etree._Element, kind: Kind, extension: Extension, report: Report
) -> Extension:
    """Return `extension` with the vendor values of `element` where it has none of its own."""
    extension = _people(element, extension, report)
    extension = _call(element, extension, report)
    extension = _work(element, kind, extension, report)
    return _mappings(element, extension, report)


def _say(report: Report, element: etree._Element, what: str) -> None:
    report("vendor_translated", element, Severity.EXACT, vendor=what)


def _people(element: etree._Element, extension: Extension, report: Report) -> Extension:
    users = _split(element.get(CAMUNDA + "assignee")) + _split(
        element.get(CAMUNDA + "candidateUsers")
    )
    groups = _split(element.get(CAMUNDA + "candidateGroups"))
    definition = _zeebe(element, "assignmentDefinition")
    if definition is not None:
        users += _split(definition.get("assignee")) + _split(definition.get("candidateUsers"))
        groups += _split(definition.get("candidateGroups"))
    if (users or groups) and extension.assign is None:
        _say(report, element, "assignee, candidateUsers, candidateGroups")
        role = groups[0] if groups else None
        extension = replace(extension, assign=Assign(role=role, users=tuple(users)))
    form = form_name(element)
    if form and extension.form is None:
        _say(report, element, "formKey")
        extension = replace(extension, form=form)
    return _due(element, extension, report)


def _due(element: etree._Element, extension: Extension, report: Report) -> Extension:
    schedule = _zeebe(element, "taskSchedule")
    due = element.get(CAMUNDA + "dueDate")
    if schedule is not None:
        due = due or schedule.get("dueDate")
    if due and extension.due is None:
        _say(report, element, "dueDate")
        return replace(extension, due=plain_expression(due, element, report, joins=True))
    return extension


def _work(element: etree._Element, kind: Kind, extension: Extension, report: Report) -> Extension:
    job = _zeebe(element, "taskDefinition")
    operation = element.get(CAMUNDA + "topic") or (job.get("type") if job is not None else None)
    if operation and extension.operation is None:
        _say(report, element, "topic")
        extension = replace(extension, operation=operation.lstrip("="))
    called = _zeebe(element, "calledDecision")
    decision = element.get(CAMUNDA + "decisionRef")
    result = element.get(CAMUNDA + "resultVariable")
    if called is not None:
        decision, result = called.get("decisionId"), called.get("resultVariable")
    if kind is Kind.BUSINESS_RULE_TASK and decision and extension.decision is None:
        _say(report, element, "decisionRef")
        extension = replace(extension, decision=decision.lstrip("="), result=result)
    return extension


def _call(element: etree._Element, extension: Extension, report: Report) -> Extension:
    """Take the version that a call activity is bound to; without one, what is there is bound."""
    version = element.get(CAMUNDA + "calledElementVersion")
    version = version or element.get(CAMUNDA + "calledElementVersionTag")
    called = _zeebe(element, "calledElement")
    if called is not None:
        version = version or called.get("versionTag")
    if not version or extension.version is not None:
        return extension
    _say(report, element, "calledElementVersion")
    return replace(extension, version=version)


def _mappings(element: etree._Element, extension: Extension, report: Report) -> Extension:
    inputs, outputs = list(extension.inputs), list(extension.outputs)
    holder = element.find(BPMN + "extensionElements")
    for child in holder.iter("*") if holder is not None else ():
        if child.tag in (CAMUNDA + "inputParameter", CAMUNDA + "outputParameter"):
            pair = (child.get("name", ""), _parameter(child, element, report))
            (inputs if local_name(child) == "inputParameter" else outputs).append(pair)
        elif child.tag in (ZEEBE + "input", ZEEBE + "output"):
            source = _literal_or_expression(child.get("source", ""), element, report)
            pair = (child.get("target", ""), source)
            (inputs if local_name(child) == "input" else outputs).append(pair)
        elif child.tag in (CAMUNDA + "in", CAMUNDA + "out") and child.get("target"):
            source = child.get("source") or plain_expression(
                child.get("sourceExpression", ""), element, report
            )
            pair = (child.get("target", ""), source)
            (inputs if local_name(child) == "in" else outputs).append(pair)
    if len(inputs) > len(extension.inputs) or len(outputs) > len(extension.outputs):
        _say(report, element, "ioMapping")
    return replace(extension, inputs=tuple(inputs), outputs=tuple(outputs))


def _parameter(holder: etree._Element, element: etree._Element, report: Report) -> str:
    """Return the value of a mapping: a text, or a list or map of texts; a script has none."""
    child = next(holder.iterchildren("*"), None)
    if child is None or local_name(child) not in ("list", "map"):
        return _literal_or_expression(holder.text or "", element, report)
    values = [_literal_or_expression(one.text or "", element, report) for one in child]
    if local_name(child) == "list":
        return f"[{', '.join(values)}]"
    keys = [_literal_or_expression(one.get("key", ""), element, report) for one in child]
    return "{" + ", ".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True)) + "}"


def translate_script(element: etree._Element, script: str | None, report: Report) -> str | None:
    """Return the script of a task: an expression and the value it sets is a script here."""
    result = element.get(CAMUNDA + "resultVariable")
    zeebe = _zeebe(element, "script")
    if zeebe is not None:
        script, result = zeebe.get("expression"), zeebe.get("resultVariable")
    if not script or not result:
        return script
    _say(report, element, "resultVariable")
    return f"{result} = {plain_expression(script, element, report)}"


def translate_loop(element: etree._Element, loop: Loop, report: Report) -> Loop:
    """Return `loop` with the vendor's collection, where the model has none of its own."""
    collection = element.get(CAMUNDA + "collection")
    item = element.get(CAMUNDA + "elementVariable")
    output, output_item = None, None
    holder = element.find(BPMN + "extensionElements")
    zeebe = holder.find(ZEEBE + "loopCharacteristics") if holder is not None else None
    if zeebe is not None:
        collection, item = zeebe.get("inputCollection"), zeebe.get("inputElement")
        output, output_item = zeebe.get("outputCollection"), zeebe.get("outputElement")
    if collection is None or loop.collection is not None:
        return loop
    report("vendor_translated", element, Severity.EXACT, vendor="collection")
    return replace(
        loop,
        collection=plain_expression(collection, element, report),
        item=item or loop.item,
        output_collection=output or loop.output_collection,
        output_item=plain_expression(output_item, element, report)
        if output_item
        else loop.output_item,
    )


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _zeebe(element: etree._Element, name: str) -> etree._Element | None:
    holder = element.find(BPMN + "extensionElements")
    return holder.find(ZEEBE + name) if holder is not None else None
