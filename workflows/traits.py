"""Read what hangs on a node: its event definitions and its loop characteristics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from workflows import dialects
from workflows.draft import Draft, line_of
from workflows.findings import Severity
from workflows.graph import Event, EventKind, Kind, Loop, LoopKind, TimerForm
from workflows.names import BPMN, local_name, text_of

EVENTS: Final = {kind.value + "EventDefinition": kind for kind in EventKind}


def read_events(element: etree._Element, kind: Kind, draft: Draft) -> Iterator[Event]:
    """Yield the event definitions of a node, their references resolved."""
    if kind in (Kind.SEND_TASK, Kind.RECEIVE_TASK):
        yield _message_of_task(element, draft)
        return
    for child in element.iterchildren(BPMN + "*"):
        name = local_name(child)
        if name in EVENTS:
            yield _read_event(child, EVENTS[name], element, draft)
        elif child.tag == BPMN + "eventDefinitionRef":
            target = draft.named.get(text_of(child).rpartition(":")[2])
            if target is not None and local_name(target) in EVENTS:
                yield _read_event(target, EVENTS[local_name(target)], element, draft)
            else:
                draft.report("missing_reference", element, Severity.ERROR, kind="eventDefinition")


def _message_of_task(element: etree._Element, draft: Draft) -> Event:
    reference = element.get("messageRef")
    target = draft.named.get(reference.rpartition(":")[2]) if reference else None
    if reference and target is None:
        draft.report("missing_reference", element, Severity.ASSUME, kind="message")
    name = (target.get("name") if target is not None else None) or reference
    if name is None:
        name = element.get("name") or element.get("id")
    return Event(kind=EventKind.MESSAGE, line=line_of(element), name=name, reference=reference)


_REFERENCES: Final = {
    EventKind.MESSAGE: "messageRef",
    EventKind.SIGNAL: "signalRef",
    EventKind.ERROR: "errorRef",
    EventKind.ESCALATION: "escalationRef",
    EventKind.COMPENSATION: "activityRef",
}


def _read_event(
    element: etree._Element, kind: EventKind, owner: etree._Element, draft: Draft
) -> Event:
    reference = element.get(_REFERENCES[kind]) if kind in _REFERENCES else None
    reference = reference.rpartition(":")[2] if reference else None
    if kind is EventKind.COMPENSATION:
        return Event(
            kind=kind,
            line=line_of(element),
            activity=reference,
            waits=element.get("waitForCompletion", "true") == "true",
        )
    if kind is EventKind.TIMER:
        return _read_timer(element, owner, draft)
    if kind is EventKind.CONDITION:
        condition = element.find(BPMN + "condition")
        text = text_of(condition) if condition is not None else ""
        if not text:
            draft.report("missing_condition", owner, Severity.ERROR)
        plain = dialects.plain_expression(text, owner, draft.report)
        return Event(kind=kind, line=line_of(element), text=plain or None)
    return _read_named(element, kind, owner, reference, draft)


def _read_named(
    element: etree._Element,
    kind: EventKind,
    owner: etree._Element,
    reference: str | None,
    draft: Draft,
) -> Event:
    target = draft.named.get(reference) if reference else None
    if reference and target is None:
        draft.report("missing_reference", owner, Severity.ASSUME, kind=kind.value)
    name = target.get("name") if target is not None else element.get("name")
    name = name or reference
    if name is None and kind in (EventKind.MESSAGE, EventKind.SIGNAL, EventKind.LINK):
        draft.report("unnamed_event", owner, Severity.ASSUME, kind=kind.value)
        name = owner.get("name") or owner.get("id")
    code = None
    if kind in (EventKind.ERROR, EventKind.ESCALATION) and reference:
        code = (target.get(f"{kind.value}Code") if target is not None else None) or reference
    return Event(kind=kind, line=line_of(element), name=name, code=code, reference=reference)


def _read_timer(element: etree._Element, owner: etree._Element, draft: Draft) -> Event:
    forms = [form for form in TimerForm if element.find(BPMN + form.value) is not None]
    if len(forms) != 1:
        rule = "timer_ambiguous" if forms else "missing_timer"
        draft.report(rule, owner, Severity.ERROR)
    if not forms:
        return Event(kind=EventKind.TIMER, line=line_of(element))
    child = element.find(BPMN + forms[0].value)
    text = text_of(child) if child is not None else ""
    if not text:
        draft.report("missing_timer", owner, Severity.ERROR)
    plain = dialects.plain_expression(text, owner, draft.report, joins=True)
    return Event(kind=EventKind.TIMER, line=line_of(element), timer=forms[0], text=plain or None)


def read_loop(element: etree._Element, draft: Draft) -> Loop | None:
    """Return the loop characteristics of an activity."""
    standard = element.find(BPMN + "standardLoopCharacteristics")
    if standard is not None:
        return Loop(
            kind=LoopKind.STANDARD,
            line=line_of(standard),
            condition=_child_expression(standard, "loopCondition", draft),
            maximum=standard.get("loopMaximum"),
            test_before=standard.get("testBefore") == "true",
        )
    multi = element.find(BPMN + "multiInstanceLoopCharacteristics")
    if multi is None:
        return None
    sequential = multi.get("isSequential") == "true"
    collection = _data_name(multi, "loopDataInputRef", draft)
    item = multi.find(BPMN + "inputDataItem")
    output_item = multi.find(BPMN + "outputDataItem")
    loop = Loop(
        kind=LoopKind.SEQUENTIAL if sequential else LoopKind.PARALLEL,
        line=line_of(multi),
        cardinality=_child_expression(multi, "loopCardinality", draft),
        collection=collection,
        item=(item.get("name") or item.get("id")) if item is not None else None,
        condition=_child_expression(multi, "completionCondition", draft),
        output_collection=_data_name(multi, "loopDataOutputRef", draft),
        output_item=(output_item.get("name") or output_item.get("id"))
        if output_item is not None
        else None,
        behavior=multi.get("behavior", "All"),
        throws=tuple(_read_throws(multi, draft)),
    )
    return dialects.translate_loop(multi, loop, draft.report)


def _read_throws(multi: etree._Element, draft: Draft) -> Iterator[tuple[str | None, Event]]:
    """Yield what is thrown when instances finish, with the condition of a complex behaviour."""
    behavior = multi.get("behavior", "All")
    if behavior in ("None", "One"):
        reference = multi.get(f"{behavior.lower()}BehaviorEventRef", "").rpartition(":")[2]
        target = draft.named.get(reference) if reference else None
        if target is not None and local_name(target) in EVENTS:
            yield None, _read_event(target, EVENTS[local_name(target)], multi, draft)
        elif reference:
            draft.report("missing_reference", multi, Severity.ERROR, kind="eventDefinition")
    for definition in multi.iterchildren(BPMN + "complexBehaviorDefinition"):
        condition = _child_expression(definition, "condition", draft)
        for event in definition.iterfind(BPMN + "event/*"):
            if local_name(event) in EVENTS:
                yield condition, _read_event(event, EVENTS[local_name(event)], multi, draft)


def _data_name(multi: etree._Element, name: str, draft: Draft) -> str | None:
    """Return the case value behind a loop's data reference.

    The standard leads there over an association of the activity and a data object reference;
    what is no id of the file is taken as the name of a case value itself.
    """
    child = multi.find(BPMN + name)
    reference = text_of(child) if child is not None else ""
    for _ in range(4):  # reference → association → data object reference → data object
        element = draft.named.get(reference)
        if element is None or local_name(element) in ("dataObject", "property"):
            break
        reference = _next_reference(element, reference)
    element = draft.named.get(reference)
    label = element.get("name") if element is not None else None
    return (label if label and label.isidentifier() else reference) or None


def _next_reference(element: etree._Element, reference: str) -> str:
    if local_name(element) == "dataObjectReference":
        return element.get("dataObjectRef") or reference
    activity = element.getparent()
    activity = activity.getparent() if activity is not None else None
    for association in activity.iterchildren(BPMN + "*") if activity is not None else ():
        source = association.findtext(BPMN + "sourceRef", "").strip()
        target = association.findtext(BPMN + "targetRef", "").strip()
        if local_name(association) == "dataInputAssociation" and target == reference:
            return source
        if local_name(association) == "dataOutputAssociation" and source == reference:
            return target
    return element.get("name") or reference


def _child_expression(element: etree._Element, name: str, draft: Draft) -> str | None:
    child = element.find(BPMN + name)
    text = text_of(child) if child is not None else ""
    return dialects.plain_expression(text, element, draft.report) or None if text else None
