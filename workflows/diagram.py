"""Draw a model's diagram interchange as a standalone SVG, and tell the same as an outline.

No script, no style sheet and no style attribute is in the SVG: it may be put into a page under a
strict content security policy. Classes `done`, `active` and `incident` carry the live position.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from lxml import etree

from dossier.model import OutlineStep
from workflows.definition import Definition
from workflows.encoding import parse_model
from workflows.graph import SCOPES, Kind, Node
from workflows.names import BPMN, DC, DD, DI, local_name
from workflows.symbols import (
    SVG,
    Box,
    boxed_text,
    draw_badge,
    draw_edge,
    draw_label,
    draw_shape,
)

STATES: Final = ("done", "active", "incident")
_MARGIN: Final = 20
_MAXIMUM_SHAPES: Final = 5_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TEXT_BELOW: Final = ("Event", "Gateway", "dataObjectReference", "dataStoreReference")


def draw_svg(
    source: bytes,
    *,
    title: str,
    description: str,
    states: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> str:
    """Return the diagram of BPMN bytes as SVG text, empty when the file has no diagram.

    `states` maps element ids to `done`, `active` or `incident`; `labels` replaces what the author
    wrote, for another language.
    """
    root = parse_model(source)
    elements = {
        identifier: element
        for element in root.iter(BPMN + "*")
        if (identifier := element.get("id")) is not None
    }
    shapes, edges = _read_plane(root)
    if not shapes:
        return ""
    svg = _canvas(shapes, edges, title, description)
    drawing = _Drawing(elements, states or {}, labels or {})
    for identifier, box, label, horizontal in sorted(shapes, key=lambda shape: -shape[1].area):
        drawing.shape(svg, identifier, box, label, is_horizontal=horizontal)
    for identifier, points, label in edges:
        drawing.edge(svg, identifier, points, label)
    return etree.tostring(svg, encoding="unicode")


_Shape = tuple[str, Box, Box | None, bool]
_Edge = tuple[str, list[tuple[float, float]], Box | None]


class _Drawing:
    """What every shape needs to know: the elements, their states and their labels."""

    def __init__(
        self,
        elements: Mapping[str, etree._Element],
        states: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> None:
        self._elements = elements
        self._states = states
        self._labels = labels

    def shape(
        self,
        svg: etree._Element,
        identifier: str,
        box: Box,
        label: Box | None,
        *,
        is_horizontal: bool,
    ) -> None:
        """Draw one shape with its label."""
        element = self._elements.get(identifier)
        if element is None:
            return
        kind = local_name(element)
        group = self._group(svg, identifier, kind)
        draw_shape(group, element, box)
        draw_badge(group, self._states.get(identifier, ""), box)
        text = self._text(identifier, element)
        if not text:
            return
        if kind in ("participant", "lane"):
            draw_label(group, text, box, turned=is_horizontal)
        elif kind.endswith(_TEXT_BELOW):
            below = label or Box(
                x=box.x - 32, y=box.y + box.height + 4, width=box.width + 64, height=30
            )
            boxed_text(group, text, below, top=True)
        else:
            boxed_text(group, text, box, top=kind in ("subProcess", "transaction"))

    def edge(
        self,
        svg: etree._Element,
        identifier: str,
        points: list[tuple[float, float]],
        label: Box | None,
    ) -> None:
        """Draw one flow with its label."""
        element = self._elements.get(identifier)
        if element is None or len(points) < 2:
            return
        group = self._group(svg, identifier, local_name(element))
        draw_edge(group, element, points)
        text = self._text(identifier, element)
        if text:
            middle = points[len(points) // 2 - 1], points[len(points) // 2]
            x = (middle[0][0] + middle[1][0]) / 2 - 45
            y = (middle[0][1] + middle[1][1]) / 2 - 18
            boxed_text(group, text, label or Box(x=x, y=y, width=90, height=14), top=True)

    def _group(self, svg: etree._Element, identifier: str, kind: str) -> etree._Element:
        state = self._states.get(identifier, "")
        classes = f"{kind} {state}" if state in STATES else kind
        group = etree.SubElement(svg, SVG + "g")
        group.set("class", classes)
        group.set("data-element", identifier)
        return group

    def _text(self, identifier: str, element: etree._Element) -> str:
        text = self._labels.get(identifier) or element.get("name") or ""
        if local_name(element) == "textAnnotation":
            text = (element.findtext(BPMN + "text") or "").strip()
        return _CONTROL.sub(" ", text).strip()


def _canvas(
    shapes: list[_Shape], edges: list[_Edge], title: str, description: str
) -> etree._Element:
    xs = [x for _, box, _, _ in shapes for x in (box.x, box.x + box.width)]
    ys = [y for _, box, _, _ in shapes for y in (box.y, box.y + box.height)]
    xs += [x for _, points, _ in edges for x, _ in points]
    ys += [y for _, points, _ in edges for _, y in points]
    left, top = min(xs) - _MARGIN, min(ys) - _MARGIN
    width, height = max(xs) - left + _MARGIN, max(ys) - top + 2 * _MARGIN
    names: dict[str | None, str] = {None: SVG[1:-1]}
    svg = etree.Element(SVG + "svg", nsmap=names)  # type: ignore[arg-type]  # stub lacks None
    svg.set("viewBox", f"{left:g} {top:g} {width:g} {height:g}")
    svg.set("width", f"{width:g}")
    svg.set("height", f"{height:g}")
    svg.set("class", "bpmn")
    svg.set("role", "img")
    svg.set("aria-labelledby", "diagram-title diagram-description")
    svg.set("font-family", "sans-serif")
    svg.set("font-size", "12")
    for name, text in (("title", title), ("desc", description)):
        child = etree.SubElement(svg, SVG + name)
        child.set("id", "diagram-title" if name == "title" else "diagram-description")
        child.text = _CONTROL.sub(" ", text)
    return svg


def _read_plane(root: etree._Element) -> tuple[list[_Shape], list[_Edge]]:
    plane = next(root.iter(DI + "BPMNPlane"), None)
    shapes: list[_Shape] = []
    edges: list[_Edge] = []
    for item in plane.iterchildren(DI + "*") if plane is not None else ():
        if len(shapes) + len(edges) >= _MAXIMUM_SHAPES:
            break
        identifier = (item.get("bpmnElement") or "").rpartition(":")[2]
        label = item.find(DI + "BPMNLabel")
        label_box = _bounds(label) if label is not None else None
        if local_name(item) == "BPMNEdge":
            edges.append((identifier, list(_points(item)), label_box))
        else:
            box = _bounds(item)
            if box is not None:
                shapes.append((identifier, box, label_box, item.get("isHorizontal") != "false"))
    return shapes, edges


def _points(edge: etree._Element) -> Iterator[tuple[float, float]]:
    for point in edge.iterchildren(DD + "waypoint"):
        yield _number(point, "x"), _number(point, "y")


def _bounds(element: etree._Element) -> Box | None:
    bounds = element.find(DC + "Bounds")
    if bounds is None:
        return None
    return Box(
        x=_number(bounds, "x"),
        y=_number(bounds, "y"),
        width=_number(bounds, "width"),
        height=_number(bounds, "height"),
    )


def _number(element: etree._Element, name: str) -> float:
    """Return a coordinate; what is no finite number of a sane size becomes 0."""
    try:
        value = float(element.get(name, "0"))
    except ValueError:
        return 0.0
    return value if -1e6 < value < 1e6 else 0.0


# --- the outline ------------------------------------------------------------------------------


def outline(
    definition: Definition,
    *,
    states: Mapping[str, str],
    name: Callable[[str], Mapping[str, str]],
) -> tuple[OutlineStep, ...]:
    """Return the steps of a pool in the order of the flow, sub-processes indented.

    Unlabelled gateways and events are left out unless a token stands there.
    """
    return tuple(_steps(definition, definition.process.id, 0, states, name))


def _steps(
    definition: Definition,
    scope: str,
    level: int,
    states: Mapping[str, str],
    name: Callable[[str], Mapping[str, str]],
) -> Iterator[OutlineStep]:
    for node in _in_flow_order(definition, scope):
        state = states.get(node.id, "open")
        if node.name or state in ("active", "incident"):
            yield OutlineStep(
                element_id=node.id,
                name=name(node.id),
                lane=node.lane or "",
                level=level,
                state=state if state in STATES else "open",
            )
        if node.kind in SCOPES:
            yield from _steps(definition, node.id, level + 1, states, name)
        elif node.called and definition.holds(node.called):
            yield from _steps(definition, node.called, level + 1, states, name)


def _in_flow_order(definition: Definition, scope: str) -> Iterator[Node]:
    """Yield the nodes of a scope so that a join comes after all its branches.

    That is the reverse of the order in which a depth-first walk leaves the nodes; flows back to an
    earlier node do not count.
    """
    inside = {node.id: node for node in definition.inside(scope)}
    starts = [node.id for node in inside.values() if node.kind is Kind.START]
    left: list[Node] = []
    seen: set[str] = set()
    begins = [node_id for node_id in inside if not inside[node_id].incoming]
    for begin in (*reversed(starts), *reversed(begins), *reversed(inside)):
        pending = [(begin, False)]
        while pending:
            current, is_done = pending.pop()
            if is_done:
                left.append(inside[current])
            elif current in inside and current not in seen:
                seen.add(current)
                pending.append((current, True))
                pending.extend((other, False) for other in _after(definition, inside[current]))
    yield from reversed(left)


def _after(definition: Definition, node: Node) -> Iterator[str]:
    for flow in node.outgoing:
        yield definition.process.flows[flow].target
    for boundary in definition.boundaries(node.id):
        yield boundary.id


def states_of(
    history: Mapping[str, str], active: tuple[str, ...], incidents: tuple[str, ...]
) -> dict[str, str]:
    """Return the states for `draw_svg` and `outline`.

    `history` maps element ids to their last history event; `active` and `incidents` are element
    ids from the last transition and the open incidents, which win.
    """
    states = {element: "done" for element, event in history.items() if event == "left"}
    states.update(dict.fromkeys(active, "active"))
    states.update(dict.fromkeys(incidents, "incident"))
    return states
