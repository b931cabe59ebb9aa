"""The symbols of BPMN as SVG elements; presentation attributes only, so that a page may restyle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from workflows.names import BPMN, local_name

SVG: Final = "{http://www.w3.org/2000/svg}"
_INK: Final = "#22242a"
_PAPER: Final = "#ffffff"
_LINE_HEIGHT: Final = 14
_CHARACTER: Final = 6.4  # mean advance of a 12-pixel sans-serif, Vietnamese included


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A rectangle in diagram units."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Return the area: larger shapes are drawn first, beneath the smaller ones."""
        return self.width * self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Return the centre."""
        return self.x + self.width / 2, self.y + self.height / 2


def _add(parent: etree._Element, tag: str, **attributes: str | float) -> etree._Element:
    child = etree.SubElement(parent, SVG + tag)
    for name, value in attributes.items():
        text = value if isinstance(value, str) else f"{value:g}"
        child.set(name.rstrip("_").replace("_", "-"), text)
    return child


def draw_shape(group: etree._Element, element: etree._Element, box: Box) -> None:
    """Draw the outline and the marker of one element."""
    kind = local_name(element)
    if kind.endswith("Event"):
        _event(group, element, box)
    elif kind.endswith("Gateway"):
        _gateway(group, kind, box)
    elif kind in ("participant", "lane"):
        _rectangle(group, box, 0)
    elif kind == "textAnnotation":
        _path(group, f"M{box.x + 10:g} {box.y:g}h-10v{box.height:g}h10")
    elif kind.startswith("data"):
        _rectangle(group, box, 2)
    elif kind == "group":
        _rectangle(group, box, 8, dashes="6 4")
    else:
        _activity(group, element, box)


def _rectangle(group: etree._Element, box: Box, radius: float, dashes: str = "") -> etree._Element:
    rectangle = _add(
        group,
        "rect",
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        rx=radius,
        fill=_PAPER if not dashes else "none",
        stroke=_INK,
    )
    if dashes:
        rectangle.set("stroke-dasharray", dashes)
    return rectangle


def _path(group: etree._Element, data: str, *, filled: bool = False) -> None:
    _add(group, "path", d=data, fill=_INK if filled else "none", stroke=_INK, class_="symbol")


def _activity(group: etree._Element, element: etree._Element, box: Box) -> None:
    kind = local_name(element)
    rectangle = _rectangle(group, box, 8)
    if element.get("triggeredByEvent") == "true":
        rectangle.set("stroke-dasharray", "3 3")
    if kind == "callActivity":
        rectangle.set("stroke-width", "3")
    if kind == "transaction":
        inner = Box(x=box.x + 3, y=box.y + 3, width=box.width - 6, height=box.height - 6)
        _rectangle(group, inner, 6)
    mark = _TASKS.get(kind)
    if mark is not None:
        _add(
            group,
            "path",
            d=mark,
            transform=f"translate({box.x + 6:g} {box.y + 6:g})",
            fill=_INK if kind == "sendTask" else "none",
            stroke=_INK,
            class_="symbol",
        )
    multi = element.find(BPMN + "multiInstanceLoopCharacteristics")
    x, y = box.middle[0], box.y + box.height - 12
    if multi is not None and multi.get("isSequential") == "true":
        _path(group, f"M{x - 5:g} {y:g}h10m-10 4h10m-10 4h10")
    elif multi is not None:
        _path(group, f"M{x - 4:g} {y:g}v9m4-9v9m4-9v9")
    elif element.find(BPMN + "standardLoopCharacteristics") is not None:
        _path(group, f"M{x - 3:g} {y + 8:g}a5 5 0 1 1 6 0m0 0v-4m0 4h4")


# State never by colour alone: a tick, a filled dot, an exclamation mark.
_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    "done": ("#1b7f3b", "M-4 0l3 3l5-6"),
    "active": ("#0b5cad", "M0 -3a3 3 0 1 0 .1 0z"),
    "incident": ("#b3261e", "M0 -5v5M0 3v2"),
}


def draw_badge(group: etree._Element, state: str, box: Box) -> None:
    """Draw the live state at the upper right corner of a shape."""
    if state not in _BADGES:
        return
    colour, figure = _BADGES[state]
    x, y = box.x + box.width, box.y
    _add(group, "circle", cx=x, cy=y, r=9, fill=colour, stroke=_PAPER, class_="badge")
    _add(
        group,
        "path",
        d=figure,
        transform=f"translate({x:g} {y:g})",
        fill=_PAPER if state == "active" else "none",
        stroke=_PAPER,
        stroke_width="2",
        class_="badge",
    )


# Small figures, 14 units wide, drawn from the upper left corner of a task.
_TASKS: Final[Mapping[str, str]] = {
    "userTask": "M7 1a3 3 0 1 0 .1 0M1 14v-3q0-3 4-3h4q4 0 4 3v3z",
    "manualTask": "M1 6l4-4h7q2 1 0 2h-5h6q2 1 0 2h-6h5q2 1 0 2h-5h4q1 1 0 2h-7q-3 0-4-4z",
    "serviceTask": "M7 4a3 3 0 1 0 .1 0M7 0v3M7 11v3M0 7h3M11 7h3M2 2l2 2M10 10l2 2",
    "scriptTask": "M3 1h9q-4 3-1 6t-1 6H2q4-3 1-6t0-6zM5 4h4M5 7h5M5 10h4",
    "sendTask": "M0 2h14v10H0zM0 2l7 6l7-6",
    "receiveTask": "M0 2h14v10H0zM0 2l7 6l7-6",
    "businessRuleTask": "M0 2h14v10H0zM0 5h14M5 5v7M0 8.5h14",
}
_EVENTS: Final[Mapping[str, str]] = {
    "message": "M-8 -5h16v10h-16zM-8 -5l8 6l8-6",
    "timer": "M0 -8a8 8 0 1 0 .1 0M0 -5v5l4 2",
    "signal": "M0 -8l8 13h-16z",
    "error": "M-7 7l4-12l5 6l5-8l-4 12l-5-6z",
    "escalation": "M0 -8l6 14l-6-6l-6 6z",
    "conditional": "M-6 -7h12v14h-12zM-4 -4h8M-4 0h8M-4 4h8",
    "compensate": "M0 -6v12l-8-6zM8 -6v12l-8-6z",
    "link": "M-7 -3h8v-4l7 7l-7 7v-4h-8z",
    "terminate": "M0 -8a8 8 0 1 0 .1 0",
    "cancel": "M-7 -5l2-2l5 5l5-5l2 2l-5 5l5 5l-2 2l-5-5l-5 5l-2-2l5-5z",
}
_GATEWAYS: Final[Mapping[str, str]] = {
    "exclusiveGateway": "M-7 -7l14 14M7 -7l-14 14",
    "parallelGateway": "M-9 0h18M0 -9v18",
    "inclusiveGateway": "M0 -9a9 9 0 1 0 .1 0",
    "eventBasedGateway": "M0 -10a10 10 0 1 0 .1 0M0 -6l6 4l-2 7h-8l-2-7z",
    "complexGateway": "M-9 0h18M0 -9v18M-6 -6l12 12M6 -6l-12 12",
}


def _event(group: etree._Element, element: etree._Element, box: Box) -> None:
    kind = local_name(element)
    x, y = box.middle
    radius = min(box.width, box.height) / 2
    width = "3" if kind == "endEvent" else "1.5"
    circle = _add(
        group, "circle", cx=x, cy=y, r=radius, fill=_PAPER, stroke=_INK, stroke_width=width
    )
    passive = element.get("cancelActivity") == "false" or element.get("isInterrupting") == "false"
    if passive:
        circle.set("stroke-dasharray", "4 3")
    if kind in ("intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"):
        inner = _add(group, "circle", cx=x, cy=y, r=radius - 3, fill="none", stroke=_INK)
        if passive:
            inner.set("stroke-dasharray", "4 3")
    throwing = kind in ("intermediateThrowEvent", "endEvent")
    for child in element.iterchildren(BPMN + "*"):
        figure = _EVENTS.get(local_name(child).removesuffix("EventDefinition"))
        if figure is not None:
            _add(
                group,
                "path",
                d=figure,
                transform=f"translate({x:g} {y:g})",
                fill=_INK if throwing else "none",
                stroke=_INK,
                class_="symbol",
            )


def _gateway(group: etree._Element, kind: str, box: Box) -> None:
    x, y = box.middle
    half_width, half_height = box.width / 2, box.height / 2
    points = (
        f"{x:g},{y - half_height:g} {x + half_width:g},{y:g} "
        f"{x:g},{y + half_height:g} {x - half_width:g},{y:g}"
    )
    _add(group, "polygon", points=points, fill=_PAPER, stroke=_INK)
    _add(
        group,
        "path",
        d=_GATEWAYS.get(kind, ""),
        transform=f"translate({x:g} {y:g})",
        fill="none",
        stroke=_INK,
        stroke_width="2.5",
        class_="symbol",
    )


def draw_edge(
    group: etree._Element, element: etree._Element, points: list[tuple[float, float]]
) -> None:
    """Draw a flow with its arrow head; message flows are dashed, associations dotted."""
    kind = local_name(element)
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    line = _add(group, "path", d=path, fill="none", stroke=_INK, stroke_width="1.5")
    if kind == "messageFlow":
        line.set("stroke-dasharray", "8 5")
        _add(group, "circle", cx=points[0][0], cy=points[0][1], r=4, fill=_PAPER, stroke=_INK)
    elif "ssociation" in kind:
        line.set("stroke-dasharray", "2 4")
        return
    _add(group, "polygon", points=_head(points[-2], points[-1]), fill=_INK, stroke=_INK)


def _head(before: tuple[float, float], end: tuple[float, float]) -> str:
    dx, dy = end[0] - before[0], end[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = dx / length, dy / length
    back_x, back_y = end[0] - 9 * ux, end[1] - 9 * uy
    left = f"{back_x - 4 * uy:g},{back_y + 4 * ux:g}"
    right = f"{back_x + 4 * uy:g},{back_y - 4 * ux:g}"
    return f"{end[0]:g},{end[1]:g} {left} {right}"


def draw_label(group: etree._Element, text: str, box: Box, *, turned: bool) -> None:
    """Write the name of a pool or lane along its left edge, or along its top."""
    if not turned:
        boxed_text(group, text, Box(x=box.x, y=box.y + 4, width=box.width, height=16), top=True)
        return
    x, y = box.x + 15, box.middle[1]
    label = _add(
        group,
        "text",
        x=x,
        y=y,
        text_anchor="middle",
        dominant_baseline="middle",
        transform=f"rotate(-90 {x:g} {y:g})",
        fill=_INK,
    )
    label.text = _shorten(text, int(box.height / _CHARACTER))


def boxed_text(group: etree._Element, text: str, box: Box, *, top: bool) -> None:
    """Write text wrapped into a box, centred, or from the top."""
    lines = wrap(text, max(4, int((box.width - 8) / _CHARACTER)))
    most = max(1, int((box.height + _LINE_HEIGHT / 2) / _LINE_HEIGHT)) if not top else 4
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    x = box.middle[0]
    first = box.y + 12 if top else box.middle[1] - (len(lines) - 1) * _LINE_HEIGHT / 2 + 4
    label = _add(group, "text", text_anchor="middle", fill=_INK)
    for index, line in enumerate(lines):
        span = _add(label, "tspan", x=x, y=first + index * _LINE_HEIGHT)
        span.text = line


def wrap(text: str, width: int) -> list[str]:
    """Return the words of `text` in lines of at most `width` characters."""
    lines: list[str] = []
    for word in text.split():
        while len(word) > width:
            lines.append(word[: width - 1] + "-")
            word = word[width - 1 :]
        if lines and not lines[-1].endswith("-") and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines or [""]


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"
