"""Decisions as text for a terminal: what each requires, and its table with the matched rows marked.

Widths count characters; columns are cut, never wrapped, so that rows stay rows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from workflows.dmn.graph import Graph, Node
from workflows.dmn.model import DecisionTable, InputElement, Text
from workflows.dmn.record import shown
from workflows.dmn.walk import boxes_of
from workflows.expressions.runtime import Feel

CELL: Final = 40
MARK: Final = "►"


def outline(graph: Graph) -> Iterator[str]:
    """Yield the lines that show every element of the first file."""
    for node in graph.nodes.values():
        if node.definitions is graph.files[0]:
            yield from _element(graph, node)


def _element(graph: Graph, node: Node) -> Iterator[str]:
    element = node.element
    kind = type(element).__name__
    typed = f" : {element.type_ref}" if element.type_ref else ""
    yield f"{kind} {element.name}{typed}"
    if isinstance(element, InputElement):
        return
    needed = [
        graph.nodes[reference].element.name
        for reference in graph.requires(node)
        if reference in graph.nodes
    ]
    if needed:
        yield f"  ← {', '.join(needed)}"
    for box in boxes_of(element):
        if isinstance(box, DecisionTable):
            yield from ("  " + line for line in table_lines(box))
        elif isinstance(box, Text) and box.text.strip():
            yield from ("  " + line.strip() for line in box.text.strip().splitlines())
    yield ""


def table_lines(
    table: DecisionTable, *, matched: Sequence[int] = (), inputs: Sequence[Feel] = ()
) -> Iterator[str]:
    """Yield a table's lines; `matched` rows (from 0) are marked, `inputs` stand in a row above."""
    policy = table.hit_policy.value + (f" {table.aggregation.value}" if table.aggregation else "")
    header = [
        "#",
        *(column.label or column.expression.text.strip() for column in table.inputs),
        *(column.label or column.name or "=" for column in table.outputs),
        *table.annotations,
    ]
    rows = [_row(table, index, marked=index in matched) for index in range(len(table.rules))]
    given = [["=", *(shown(value) for value in inputs)]] if inputs else []
    cells = [_cut(row, len(header)) for row in (header, *given, *rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(header))]
    yield policy
    for number, row in enumerate(cells):
        yield " │ ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True))
        if number == 0 or (inputs and number == 1):
            yield "─┼─".join("─" * width for width in widths)


def _row(table: DecisionTable, index: int, *, marked: bool) -> list[str]:
    rule = table.rules[index]
    number = f"{MARK} {index + 1}" if marked else f"  {index + 1}"
    tests = [test.text.strip() or "-" for test in rule.tests]
    return [number, *tests, *(output.text.strip() for output in rule.outputs), *rule.annotations]


def _cut(row: Sequence[str], columns: int) -> list[str]:
    padded = [*row[:columns], *[""] * (columns - len(row))]
    cells = [" ".join(unicodedata.normalize("NFC", cell).split()) for cell in padded]
    number = row[0] if row else ""
    return [number, *(cell if len(cell) <= CELL else cell[: CELL - 1] + "…" for cell in cells[1:])]


def _width(cell: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell)


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))
