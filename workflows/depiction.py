"""Judge the drawing of a model: what is not drawn, what lies over or outside something else.

The drawing means nothing to execution; a person who reads it sees only what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from workflows.draft import line_of
from workflows.findings import Finding, Severity
from workflows.names import BPMN, local_name

_DI: Final = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_BOUNDS: Final = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"
_SCOPES: Final = ("subProcess", "transaction", "adHocSubProcess")
_SEEN: Final = frozenset(
    {
        "sequenceFlow", "dataObjectReference", "dataStoreReference", "participant", "messageFlow",
        "lane", "group", "textAnnotation", "association", *_SCOPES, "callActivity", "task",
    }
)  # fmt: skip
_MOST_COMPARED: Final = 200_000  # pairs in one scope; only nonsense overlaps more than that
_SUFFIXES: Final = ("Task", "Gateway", "Event")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Box:
    """One drawn rectangle, in points of the drawing."""

    left: float
    top: float
    right: float
    bottom: float
    is_expanded: bool

    def meets(self, other: _Box) -> bool:
        """Tell whether two boxes share a point."""
        across = self.left <= other.right and other.left <= self.right
        return across and self.top <= other.bottom and other.top <= self.bottom

    def holds(self, other: _Box) -> bool:
        """Tell whether a box lies within this one."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


def depiction_findings(root: etree._Element) -> Iterator[Finding]:
    """Yield what a reader of the drawing would miss."""
    if root.find(_DI + "BPMNDiagram") is None:
        yield _found("drawing_missing", root)
        return
    drawn = {
        _reference(one): _box(one)
        for one in root.iter(_DI + "BPMNShape", _DI + "BPMNEdge")
        if one.get("bpmnElement")
    }
    for element in root.iter(BPMN + "*"):
        if _is_seen(element) and element.get("id") not in drawn:
            yield _found("shape_missing", element)
    boxes = {identifier: box for identifier, box in drawn.items() if box is not None}
    yield from _overlaps(list(root.iter(BPMN + "participant")), boxes)
    pools = {
        (one.get("processRef") or "").rpartition(":")[2]: boxes.get(str(one.get("id")))
        for one in root.iter(BPMN + "participant")
    }
    for process in root.iterchildren(BPMN + "process"):
        yield from _scope(process, pools.get(str(process.get("id"))), boxes)


def _reference(shape: etree._Element) -> str:
    return (shape.get("bpmnElement") or "").rpartition(":")[2]


def _is_seen(element: etree._Element) -> bool:
    name = local_name(element)
    if name not in _SEEN and not name.endswith(_SUFFIXES):
        return False
    parent = element.getparent()
    # A global task is called and never drawn; `event` and the like stand inside other elements.
    return parent is not None and local_name(parent) != "definitions"


def _box(shape: etree._Element) -> _Box | None:
    bounds = shape.find(_BOUNDS)
    if bounds is None:
        return None
    try:
        left, top, width, height = (
            float(bounds.get(side) or "") for side in ("x", "y", "width", "height")
        )
    except ValueError:
        return None
    return _Box(
        left=left,
        top=top,
        right=left + width,
        bottom=top + height,
        is_expanded=shape.get("isExpanded") == "true",
    )


def _scope(
    scope: etree._Element, around: _Box | None, boxes: Mapping[str, _Box]
) -> Iterator[Finding]:
    """Yield what lies wrong directly in a scope, then in those inside it."""
    inside = [one for one in scope.iterchildren(BPMN + "*") if one.get("id") in boxes]
    inside = [one for one in inside if local_name(one) not in ("textAnnotation", "group")]
    yield from _overlaps(inside, boxes)
    for element in inside:
        box = boxes[str(element.get("id"))]
        if around is not None and not around.holds(box) and "dataStore" not in str(element.tag):
            yield _found("shape_outside", element)
    for child in scope.iterchildren(*(BPMN + name for name in _SCOPES)):
        box_of_child = boxes.get(str(child.get("id")))
        is_open = box_of_child is not None and box_of_child.is_expanded
        yield from _scope(child, box_of_child if is_open else None, boxes)


def _overlaps(elements: list[etree._Element], boxes: Mapping[str, _Box]) -> Iterator[Finding]:
    """Yield the elements of one scope that lie over another; a boundary event lies on its host."""
    ordered = sorted(
        (boxes[str(one.get("id"))].left, index, one)
        for index, one in enumerate(elements)
        if one.get("id") in boxes
    )
    found: set[int] = set()
    left_over = _MOST_COMPARED
    for position, (_left, index, one) in enumerate(ordered):
        box = boxes[str(one.get("id"))]
        for left, other_index, other in ordered[position + 1 :]:
            left_over -= 1
            if left > box.right or left_over < 0:
                break
            if box.meets(boxes[str(other.get("id"))]) and not _is_attached(one, other):
                found |= {index, other_index}
    for index in sorted(found):
        yield _found("shapes_overlap", elements[index])


def _is_attached(one: etree._Element, other: etree._Element) -> bool:
    return one.get("attachedToRef") == other.get("id") or other.get("attachedToRef") == one.get(
        "id"
    )


def _found(rule: str, element: etree._Element) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        line=line_of(element),
        element=element.get("id"),
        name=element.get("name"),
    )
