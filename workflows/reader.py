"""Read BPMN XML into the frozen graph. It judges only what cannot be expressed as a graph.

What the standard forbids is for `lint`; what a vendor writes differently is for `dialects`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from workflows import dialects
from workflows.encoding import parse_model
from workflows.errors import DefinitionRefused
from workflows.extension import read_extension
from workflows.findings import Finding, Severity
from workflows.graph import (
    SCOPES,
    Event,
    EventKind,
    Flow,
    Kind,
    Loop,
    LoopKind,
    Model,
    Node,
    Participant,
    Process,
    TimerForm,
    WireFlow,
)
from workflows.names import BPMN, LT, local_name, text_of

_KINDS: Final = {kind.value: kind for kind in Kind if kind is not Kind.EVENT_SUB_PROCESS}
_EVENTS: Final = {kind.value + "EventDefinition": kind for kind in EventKind}
# Elements that carry no token and mean nothing to execution; everything else is a finding.
_INERT: Final = frozenset(
    {
        "documentation", "extensionElements", "incoming", "outgoing", "sequenceFlow", "laneSet",
        "dataObject",
        "dataObjectReference", "dataStoreReference", "textAnnotation", "association", "group",
        "ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation",
        "monitoring", "auditing", "category", "correlationSubscription", "artifact",
        "supportedInterfaceRef", "resourceRole", "performer", "humanPerformer", "potentialOwner",
    }
)  # fmt: skip


@dataclass(kw_only=True)
class Draft:
    """What one reading gathers: the definitions that elements refer to, and the findings."""

    named: dict[str, etree._Element] = field(default_factory=dict)  # messages, signals, errors…
    lanes: dict[str, str] = field(default_factory=dict)  # node id -> innermost lane
    handlers: dict[str, str] = field(default_factory=dict)  # association source -> target
    findings: list[Finding] = field(default_factory=list)

    def report(
        self, rule: str, element: etree._Element, severity: Severity, **parameters: str | int
    ) -> None:
        """Record a finding about `element`."""
        self.findings.append(
            Finding(
                rule=rule,
                severity=severity,
                line=line_of(element),
                element=element.get("id"),
                name=element.get("name"),
                parameters=parameters,
            )
        )


def read_model(source: bytes) -> tuple[Model, tuple[Finding, ...]]:
    """Return the graph of `source` and the findings of reading it.

    Raise `XmlRefused` for bytes that are no safe XML, and `DefinitionRefused` for other XML.
    """
    root = parse_model(source)
    if root.tag != BPMN + "definitions":
        raise DefinitionRefused(
            "expected a BPMN 2.0 file, got another root element",
            hint="not_bpmn",
            rule="not_bpmn",
            element=str(root.tag),
            line=line_of(root),
        )
    draft = Draft()
    _index(root, draft)
    processes = [_read_process(element, draft) for element in root.iterchildren(BPMN + "process")]
    participants, wires, collaboration = _read_collaboration(root, draft)
    for element in root.iterchildren("*"):
        if local_name(element) in ("choreography", "globalConversation", "conversation"):
            draft.report("unsupported_element", element, Severity.ERROR, kind=local_name(element))
    model = Model(
        id=root.get("id") or "definitions",
        processes={process.id: process for process in processes},
        participants=participants,
        message_flows=wires,
        exporter=root.get("exporter"),
        collaboration=collaboration,
        namespaces=frozenset(str(uri) for element in root.iter("*") for uri in _uris(element)),
        labels={
            identifier: name
            for identifier, element in draft.named.items()
            if (name := (element.get("name") or "").strip())
        },
    )
    return model, tuple(draft.findings)


def line_of(element: etree._Element) -> int:
    """Return the source line of `element`, 0 when the parser does not know it."""
    line: int | None = element.sourceline  # type: ignore[assignment]  # the stub says Ellipsis
    return line or 0


def _uris(element: etree._Element) -> Iterator[str]:
    for name in (element.tag, *element.attrib):
        yield str(name).rpartition("}")[0].lstrip("{")


def _index(root: etree._Element, draft: Draft) -> None:
    seen: set[str] = set()
    for element in root.iter(BPMN + "*"):
        identifier = element.get("id")
        if identifier is not None:
            if identifier in seen:
                draft.report("duplicate_id", element, Severity.ERROR)
            seen.add(identifier)
            draft.named.setdefault(identifier, element)
        if element.tag == BPMN + "lane":
            _index_lane(element, draft)
        if element.tag == BPMN + "association":
            draft.handlers.setdefault(element.get("sourceRef", ""), element.get("targetRef", ""))


def _index_lane(lane: etree._Element, draft: Draft) -> None:
    # Document order visits outer lanes first, so an inner lane overwrites the outer one.
    name = lane.get("name") or lane.get("id") or ""
    for reference in lane.iterchildren(BPMN + "flowNodeRef"):
        draft.lanes[text_of(reference)] = name


def _read_process(element: etree._Element, draft: Draft) -> Process:
    identifier = element.get("id") or "process"
    nodes: dict[str, Node] = {}
    flows: dict[str, Flow] = {}
    _read_scope(element, identifier, nodes, flows, draft)
    lanes = tuple(lane.get("name") or lane.get("id") or "" for lane in element.iter(BPMN + "lane"))
    data_objects = tuple(
        data.get("name") or data.get("id") or "" for data in element.iter(BPMN + "dataObject")
    )
    return Process(
        id=identifier,
        line=line_of(element),
        name=element.get("name"),
        executable=element.get("isExecutable", "true") == "true",
        nodes=nodes,
        flows=flows,
        lanes=lanes,
        data_objects=data_objects,
    )


def _read_scope(
    element: etree._Element,
    scope: str,
    nodes: dict[str, Node],
    flows: dict[str, Flow],
    draft: Draft,
) -> None:
    arriving: dict[str, list[str]] = {}
    leaving: dict[str, list[str]] = {}
    for child in element.iterchildren(BPMN + "sequenceFlow"):
        flow = _read_flow(child, draft)
        flows[flow.id] = flow
        leaving.setdefault(flow.source, []).append(flow.id)
        arriving.setdefault(flow.target, []).append(flow.id)
    for child in element.iterchildren(BPMN + "*"):
        if local_name(child) not in _KINDS:
            _judge_other(child, draft)
            continue
        node = _read_node(child, scope, draft)
        nodes[node.id] = replace(
            node,
            incoming=tuple(arriving.get(node.id, ())),
            outgoing=tuple(leaving.get(node.id, ())),
        )
        if node.kind in SCOPES:
            _read_scope(child, node.id, nodes, flows, draft)


def _judge_other(element: etree._Element, draft: Draft) -> None:
    """Report what stands beside the nodes and is neither inert nor part of its parent."""
    name = local_name(element)
    if name in _INERT or name in _EVENTS or name.endswith("oopCharacteristics"):
        return
    if "horeography" in name:
        draft.report("unsupported_element", element, Severity.ERROR, kind=name)
    else:
        draft.report("unknown_element", element, Severity.WARNING, kind=name)


def _read_flow(element: etree._Element, draft: Draft) -> Flow:
    condition = element.find(BPMN + "conditionExpression")
    text = text_of(condition) if condition is not None else ""
    return Flow(
        id=element.get("id") or f"flow-{line_of(element)}",
        source=element.get("sourceRef") or "",
        target=element.get("targetRef") or "",
        line=line_of(element),
        name=element.get("name"),
        condition=dialects.plain_expression(text, element, draft.report) if text else None,
    )


def _read_node(element: etree._Element, scope: str, draft: Draft) -> Node:
    kind: Kind = _KINDS[local_name(element)]
    identifier = element.get("id")
    if not identifier:
        draft.report("missing_id", element, Severity.ERROR, kind=kind.value)
        identifier = f"{kind.value}-{line_of(element)}"
    if kind is Kind.SUB_PROCESS and element.get("triggeredByEvent") == "true":
        kind = Kind.EVENT_SUB_PROCESS
    for quantity in ("startQuantity", "completionQuantity"):
        if element.get(quantity, "1") != "1":
            draft.report("token_quantity", element, Severity.ERROR, attribute=quantity)
    extension = read_extension(element, draft.report)
    events = tuple(_read_events(element, kind, draft))
    return Node(
        id=identifier,
        kind=kind,
        scope=scope,
        line=line_of(element),
        name=(element.get("name") or "").strip() or None,
        lane=draft.lanes.get(identifier),
        default=element.get("default"),
        events=events,
        parallel_multiple=element.get("parallelMultiple") == "true",
        attached_to=element.get("attachedToRef"),
        interrupting=_is_interrupting(element, kind),
        instantiate=element.get("instantiate") == "true",
        for_compensation=element.get("isForCompensation") == "true",
        handler=draft.handlers.get(identifier) if kind is Kind.BOUNDARY else None,
        loop=_read_loop(element, draft),
        script=_read_script(element),
        called=_read_called(element),
        extension=dialects.translate(element, kind, extension, draft.report),
    )


def _is_interrupting(element: etree._Element, kind: Kind) -> bool:
    attribute = "isInterrupting" if kind is Kind.START else "cancelActivity"
    return element.get(attribute, "true") == "true"


def _read_script(element: etree._Element) -> str | None:
    script = element.find(BPMN + "script")
    return text_of(script) if script is not None else None


def _read_called(element: etree._Element) -> str | None:
    called = element.get("calledElement") or dialects.called_process(element)
    return called.rpartition(":")[2] or None if called else None


def _read_events(element: etree._Element, kind: Kind, draft: Draft) -> Iterator[Event]:
    if kind in (Kind.SEND_TASK, Kind.RECEIVE_TASK):
        yield _message_of_task(element, draft)
        return
    for child in element.iterchildren(BPMN + "*"):
        name = local_name(child)
        if name in _EVENTS:
            yield _read_event(child, _EVENTS[name], element, draft)
        elif child.tag == BPMN + "eventDefinitionRef":
            target = draft.named.get(text_of(child).rpartition(":")[2])
            if target is not None and local_name(target) in _EVENTS:
                yield _read_event(target, _EVENTS[local_name(target)], element, draft)
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
    plain = dialects.plain_expression(text, owner, draft.report)
    return Event(kind=EventKind.TIMER, line=line_of(element), timer=forms[0], text=plain or None)


def _read_loop(element: etree._Element, draft: Draft) -> Loop | None:
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
    collection = _child_expression(multi, "loopDataInputRef", draft)
    item = multi.find(BPMN + "inputDataItem")
    output = multi.find(BPMN + "loopDataOutputRef")
    output_item = multi.find(BPMN + "outputDataItem")
    loop = Loop(
        kind=LoopKind.SEQUENTIAL if sequential else LoopKind.PARALLEL,
        line=line_of(multi),
        cardinality=_child_expression(multi, "loopCardinality", draft),
        collection=collection,
        item=(item.get("name") or item.get("id")) if item is not None else None,
        condition=_child_expression(multi, "completionCondition", draft),
        output_collection=text_of(output) or None if output is not None else None,
        output_item=(output_item.get("name") or output_item.get("id"))
        if output_item is not None
        else None,
        behavior=multi.get("behavior", "All"),
    )
    return dialects.translate_loop(multi, loop, draft.report)


def _child_expression(element: etree._Element, name: str, draft: Draft) -> str | None:
    child = element.find(BPMN + name)
    text = text_of(child) if child is not None else ""
    return dialects.plain_expression(text, element, draft.report) or None if text else None


def _read_collaboration(
    root: etree._Element, draft: Draft
) -> tuple[tuple[Participant, ...], tuple[WireFlow, ...], str | None]:
    collaboration = root.find(BPMN + "collaboration")
    if collaboration is None:
        return (), (), None
    participants = tuple(
        Participant(
            id=element.get("id") or f"participant-{line_of(element)}",
            line=line_of(element),
            name=element.get("name"),
            process=(element.get("processRef") or "").rpartition(":")[2] or None,
            role=_named_extension(element, "role", "name") or element.get("id") or "",
        )
        for element in collaboration.iterchildren(BPMN + "participant")
    )
    wires = tuple(
        WireFlow(
            id=element.get("id") or f"flow-{line_of(element)}",
            line=line_of(element),
            name=element.get("name"),
            source=(element.get("sourceRef") or "").rpartition(":")[2],
            target=(element.get("targetRef") or "").rpartition(":")[2],
            message_type=_message_type(element, draft),
        )
        for element in collaboration.iterchildren(BPMN + "messageFlow")
    )
    return participants, wires, collaboration.get("id")


def _message_type(flow: etree._Element, draft: Draft) -> str | None:
    own = _named_extension(flow, "message", "type")
    if own is not None:
        return own
    message = draft.named.get((flow.get("messageRef") or "").rpartition(":")[2])
    if message is None:
        return None
    return _named_extension(message, "message", "type") or message.get("name")


def _named_extension(element: etree._Element, name: str, attribute: str) -> str | None:
    direct = element.get(LT + name)
    if direct is not None:
        return direct
    extensions = element.find(BPMN + "extensionElements")
    child = extensions.find(LT + name) if extensions is not None else None
    return child.get(attribute) if child is not None else None
