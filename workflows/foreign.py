"""Name everything that another vendor wrote into a model and that has no counterpart here.

What `dialects` translates is left out; what would be program code is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from workflows.extension import Report
from workflows.findings import Severity
from workflows.names import ACTIVITI, BPMN, CAMUNDA, FLOWABLE, ZEEBE, local_name

# Attributes that `dialects` translates, or that say what holds here anyway.
_TRANSLATED: Final = frozenset(
    {
        "assignee", "candidateUsers", "candidateGroups", "formKey", "formRef", "dueDate", "topic",
        "type", "decisionRef", "resultVariable", "collection", "elementVariable",
        "calledElementVersion", "calledElementVersionTag", "calledElementBinding",
    }
)  # fmt: skip
# Attributes and elements that name program code; our engine runs none.
_CODE: Final = frozenset(
    {
        "class", "delegateExpression", "expression", "resource", "formHandlerClass",
        "variableMappingClass", "variableMappingDelegateExpression",
    }
)  # fmt: skip
_CODE_ELEMENTS: Final = frozenset(
    {
        "executionListener", "taskListener", "executionListeners", "taskListeners", "connector",
        "script",
    }
)  # fmt: skip
_TRANSLATED_ELEMENTS: Final = frozenset(
    {
        "inputOutput", "in", "out", "ioMapping", "assignmentDefinition", "formDefinition",
        "taskSchedule", "taskDefinition", "calledDecision", "calledElement", "loopCharacteristics",
        "userTask", "userTaskForm", "formData", "subscription",
    }
)  # fmt: skip


def as_camunda(root: etree._Element) -> None:
    """Write the names of Activiti and Flowable as those of Camunda 7, which descends from them."""
    for element in root.iter("*"):
        for old in (ACTIVITI, FLOWABLE):
            if str(element.tag).startswith(old):
                element.tag = CAMUNDA + local_name(element)
            for key in [key for key in element.attrib if str(key).startswith(old)]:
                name = CAMUNDA + str(key).removeprefix(old)
                element.set(name, str(element.attrib.pop(key)))


def report_foreign(root: etree._Element, report: Report) -> None:
    """Report the foreign attributes and extension elements of a whole file."""
    for element in root.iter(BPMN + "*"):
        owner = _owner(element)
        for key in element.attrib:
            namespace, _, name = str(key).rpartition("}")
            if namespace + "}" not in (CAMUNDA, ZEEBE):
                continue
            if name in _CODE or (name == "type" and element.get(key) != "external"):
                report("vendor_code", owner, Severity.ERROR, vendor=f"camunda:{name}")
            elif name not in _TRANSLATED:
                report("vendor_ignored", owner, Severity.WARNING, vendor=name)
        if local_name(element) == "extensionElements":
            _report_children(element, owner, report)
        if local_name(element) in ("correlationKey", "correlationSubscription"):
            report("correlation_by_case", owner, Severity.ASSUME)


def _report_children(holder: etree._Element, owner: etree._Element, report: Report) -> None:
    for child in _foreign(holder):
        name = local_name(child)
        if name == "script" and child.tag.startswith(ZEEBE):
            continue  # an expression of FEEL
        if name in _CODE_ELEMENTS:
            report("vendor_code", owner, Severity.ERROR, vendor=name)
        elif name == "subscription":
            report("correlation_by_case", owner, Severity.ASSUME)
        elif name not in _TRANSLATED_ELEMENTS:
            report("vendor_ignored", owner, Severity.WARNING, vendor=name)
        elif name == "inputOutput":
            for _ in child.iter(CAMUNDA + "script"):
                report("vendor_code", owner, Severity.ERROR, vendor="script")


def _foreign(holder: etree._Element) -> Iterator[etree._Element]:
    for child in holder.iterchildren("*"):
        if str(child.tag).startswith((CAMUNDA, ZEEBE)):
            yield child


def _owner(element: etree._Element) -> etree._Element:
    """Return the element whose id a finding shows: itself, or the nearest around it with one."""
    owner: etree._Element | None = element
    if local_name(element) == "extensionElements":
        owner = element.getparent()
    while owner is not None and owner.get("id") is None:
        owner = owner.getparent()
    return element if owner is None else owner
