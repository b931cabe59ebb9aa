"""Read BPMN XML into the frozen graph. It judges only what cannot be expressed as a graph.

What the standard forbids is for `lint`; what a vendor writes differently is for `dialects`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lxml import etree

from workflows import dialects
from workflows.declared import declared_findings
from workflows.depiction import depiction_findings
from workflows.draft import Draft, line_of
from workflows.encoding import parse_model
from workflows.errors import DefinitionRefused
from workflows.extension import read_extension
from workflows.findings import Finding, Severity
from workflows.foreign import as_camunda, report_foreign
from workflows.graph import (
    SCOPES,
    Flow,
    Kind,
    Model,
    Node,
    Participant,
    Process,
    WireFlow,
)
from workflows.names import BPMN, LT, local_name, text_of
from workflows.schema import schema_findings
from workflows.traits import EVENTS, read_events, read_loop

# A global task is a process with nothing but that task; a call activity may lead to it.
_GLOBAL: Final = {
    "globalTask": Kind.TASK,
    "globalUserTask": Kind.USER_TASK,
    "globalManualTask": Kind.MANUAL_TASK,
    "globalScriptTask": Kind.SCRIPT_TASK,
    "globalBusinessRuleTask": Kind.BUSINESS_RULE_TASK,
}
_KINDS: Final = {kind.value: kind for kind in Kind if kind is not Kind.EVENT_SUB_PROCESS}
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
    as_camunda(root)
    report_foreign(root, draft.report)
    _index(root, draft)
    processes = [_read_process(element, draft) for element in root.iterchildren(BPMN + "process")]
    processes += [
        _read_global(element, draft)
        for element in root.iterchildren(BPMN + "*")
        if local_name(element) in _GLOBAL
    ]
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
    seen = (*declared_findings(root), *depiction_findings(root))
    return model, (*schema_findings(root), *draft.findings, *seen)


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
    if not (lane.get("name") or "").strip():
        draft.report("label_missing", lane, Severity.WARNING)
    for reference in lane.iterchildren(BPMN + "flowNodeRef"):
        draft.lanes[text_of(reference)] = name


def _read_process(element: etree._Element, draft: Draft) -> Process:
    identifier = element.get("id") or "process"
    nodes: dict[str, Node] = {}
    flows: dict[str, Flow] = {}
    _read_scope(element, identifier, nodes, flows, draft)
    lanes = tuple(lane.get("name") or lane.get("id") or "" for lane in element.iter(BPMN + "lane"))
    data_objects: dict[str, tuple[str, ...]] = {}
    for data in element.iter(BPMN + "dataObject"):
        holder, name = data.getparent(), data.get("name") or data.get("id") or ""
        if holder is not None and name.isidentifier():
            scope = holder.get("id") or ""
            data_objects[scope] = (*data_objects.get(scope, ()), name)
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


def _read_global(element: etree._Element, draft: Draft) -> Process:
    identifier = element.get("id") or f"task-{line_of(element)}"
    node = _read_node(element, identifier, draft)
    return Process(
        id=identifier,
        line=line_of(element),
        name=element.get("name"),
        executable=True,
        nodes={node.id: node},
        flows={},
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
    if name in _INERT or name in EVENTS or name.endswith("oopCharacteristics"):
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
    kind: Kind = _GLOBAL.get(local_name(element)) or _KINDS[local_name(element)]
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
    events = tuple(read_events(element, kind, draft))
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
        loop=read_loop(element, draft),
        script=_read_script(element, draft),
        called=_read_called(element),
        extension=dialects.translate(element, kind, extension, draft.report),
    )


def _is_interrupting(element: etree._Element, kind: Kind) -> bool:
    attribute = "isInterrupting" if kind is Kind.START else "cancelActivity"
    return element.get(attribute, "true") == "true"


def _read_script(element: etree._Element, draft: Draft) -> str | None:
    script = element.find(BPMN + "script")
    text = text_of(script) if script is not None else None
    return dialects.translate_script(element, text, draft.report)


def _read_called(element: etree._Element) -> str | None:
    called = element.get("calledElement") or dialects.called_process(element)
    return called.rpartition(":")[2] or None if called else None


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
