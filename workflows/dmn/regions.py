"""The cells of a table as regions: each input column cut into pieces on which no test changes.

Numbers and temporal values are cut at the ends of all tests; texts and booleans are single values.
Null is no region: a table that wants nulls tests for them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Final

from dossier.errors import Rejected
from workflows.dmn.model import DecisionTable, Text
from workflows.expressions import printing
from workflows.expressions.builtins import LIBRARY
from workflows.expressions.compare import order
from workflows.expressions.compiler import Compiler
from workflows.expressions.expression import Environment, parse_unary_tests
from workflows.expressions.profile import MODEL
from workflows.expressions.runtime import Feel, Function, Range, Run, Scope
from workflows.expressions.tree import Test, Tests

MAX_RULES: Final = 500
MAX_WORK: Final = 100_000  # pieces of axes that are looked at
OTHERS: Final = "…"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell accepts: intervals and values, or everything else than these."""

    ranges: tuple[Range, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A column in pieces: a label for each run of pieces, and which rules accept which piece."""

    pieces: int
    covers: tuple[frozenset[int], ...]  # for each piece, the rules that accept it
    label: Callable[[int, int], str]  # of the pieces from the first to the last


@dataclass(frozen=True, slots=True)
class Leaf:
    """A region of the whole table: its label in each column, and the rules that accept it."""

    labels: tuple[str, ...]
    rules: frozenset[int]


class TooManyRegions(Exception):
    """The table has more regions than are looked at."""


def constant(text: Text, environment: Environment) -> Feel:
    """Return the value of an expression without names; raise `LookupError` for any other."""
    tests = _parsed(text, environment)
    if len(tests.tests) != 1 or tests.negated or tests.tests[0].operator:
        raise LookupError(text.text)
    return _value(tests.tests[0], text.text)


def cell_of(text: Text, environment: Environment) -> Cell | None:
    """Return what the cell accepts, or None when that depends on other names."""
    if text.text.strip() in ("", "-"):
        return Cell((), True)
    try:
        tests = _parsed(text, environment)
        ranges = [part for test in tests.tests for part in _ranges(test, text.text)]
    except LookupError:
        return None
    return Cell(tuple(ranges), tests.negated)


def _parsed(text: Text, environment: Environment) -> Tests:
    try:
        return parse_unary_tests(text.text, environment)
    except Rejected as exc:
        raise LookupError(text.text) from exc


def _value(test: Test, source: str) -> Feel:
    if test.placeholder:
        raise LookupError(source)
    run = Run(MODEL, None)
    compiler = Compiler(source, library=LIBRARY, types={})
    try:
        value = compiler.compile(test.operand)(Scope({}, run))
    except Rejected as exc:
        raise LookupError(source) from exc
    if value is None or run.notes:
        raise LookupError(source)
    return value


def _is_end(value: Feel) -> bool:
    return not isinstance(value, list | Mapping | Function | Range)


def _ranges(test: Test, source: str) -> Iterable[Range]:
    value = _value(test, source)
    if test.operator in ("", "="):
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(v, Range) or _is_end(v) for v in values):
            raise LookupError(source)
        return [v if isinstance(v, Range) else Range(v, v, True, True) for v in values]
    if test.operator == "!=" and _is_end(value):
        return [Range(None, value, False, False), Range(value, None, False, False)]
    if not _is_end(value):
        raise LookupError(source)
    closed = test.operator.endswith("=")
    if test.operator.startswith("<"):
        return [Range(None, value, False, closed)]
    return [Range(value, None, closed, False)]


def axis_of(cells: Sequence[Cell | None], allowed: Cell | None) -> Axis:
    """Return the axis of a column; a cell that is None accepts every piece."""
    known = [*(cell for cell in cells if cell is not None), *([allowed] if allowed else [])]
    ends = _distinct(end for cell in known for part in cell.ranges for end in (part.low, part.high))
    if any(isinstance(end, str | bool) for end in ends):
        return _discrete_axis(cells, allowed, ends)
    return _ordered_axis(cells, allowed, ends)


def _distinct(ends: Iterable[Feel]) -> list[Feel]:
    return list({_key(end): end for end in ends if end is not None}.values())


def _discrete_axis(cells: Sequence[Cell | None], allowed: Cell | None, ends: list[Feel]) -> Axis:
    values = list(ends)
    if any(isinstance(end, bool) for end in ends):
        values = [True, False]
    elif allowed is None:
        values.append(None)  # every other text

    def accepts(cell: Cell, value: Feel) -> bool:
        inside = value is not None and any(_in(value, part) for part in cell.ranges)
        return inside != cell.negated

    pieces = [value for value in values if allowed is None or accepts(allowed, value)]
    covers = tuple(
        frozenset(i for i, cell in enumerate(cells) if cell is None or accepts(cell, value))
        for value in pieces
    )

    def label(first: int, last: int) -> str:
        shown = pieces[first : last + 1]
        return ", ".join(OTHERS if one is None else printing.literal(one) for one in shown)

    return Axis(len(pieces), covers, label)


def _in(value: Feel, part: Range) -> bool:
    if part.low is not None and part.high is not None and _key(part.low) == _key(part.high):
        return _key(value) == _key(part.low)
    below = part.low is not None and (order(value, part.low) or 0) < 0
    above = part.high is not None and (order(value, part.high) or 0) > 0
    at_low = _key(value) == _key(part.low) and not part.low_included
    at_high = _key(value) == _key(part.high) and not part.high_included
    return not (below or above or at_low or at_high)


def _ordered_axis(cells: Sequence[Cell | None], allowed: Cell | None, ends: list[Feel]) -> Axis:
    """Return the axis with a piece for each end (odd) and each gap between ends (even)."""
    ends = sorted(ends, key=cmp_to_key(_order))
    places = {_key(end): index for index, end in enumerate(ends)}

    def span(part: Range) -> range:
        low = 0 if part.low is None else 2 * places[_key(part.low)] + 2 - part.low_included
        high = 2 * len(ends)
        if part.high is not None:
            high = 2 * places[_key(part.high)] + part.high_included
        return range(low, high + 1)

    spans = [None if cell is None else [span(part) for part in cell.ranges] for cell in cells]

    def accepts(index: int, piece: int) -> bool:
        own, cell = spans[index], cells[index]
        if own is None or cell is None:
            return True
        return any(piece in one for one in own) != cell.negated

    limits = [] if allowed is None else [span(part) for part in allowed.ranges]
    pieces = [
        piece
        for piece in range(2 * len(ends) + 1)
        if allowed is None or any(piece in one for one in limits) != allowed.negated
    ]
    covers = tuple(
        frozenset(index for index in range(len(cells)) if accepts(index, piece)) for piece in pieces
    )

    def label(first: int, last: int) -> str:
        return _interval(ends, pieces[first], pieces[last])

    return Axis(len(pieces), covers, label)


def _key(value: Feel) -> Hashable:
    """Return what is equal for equal ends; ends are never lists or contexts."""
    return type(value).__name__, value if isinstance(value, Hashable) else None


def _order(one: Feel, other: Feel) -> int:
    return order(one, other) or 0


def _interval(ends: list[Feel], first: int, last: int) -> str:
    if first == 0 and last == 2 * len(ends):
        return "-"
    low = printing.literal(ends[(first - 1) // 2]) if first else ""
    high = printing.literal(ends[last // 2]) if last < 2 * len(ends) else ""
    if not low:
        return f"{'<=' if last % 2 else '<'} {high}"
    if not high:
        return f"{'>=' if first % 2 else '>'} {low}"
    if first == last and first % 2:
        return low
    return f"{'[' if first % 2 else '('}{low}..{high}{']' if last % 2 else ')'}"


def leaves(table: DecisionTable, axes: Sequence[Axis]) -> list[Leaf]:
    """Return the regions of the table; raise `TooManyRegions` past the limit."""
    found: list[Leaf] = []
    everything = frozenset(range(len(table.rules)))
    pending: list[tuple[tuple[str, ...], frozenset[int]]] = [((), everything)]
    work = 0
    while pending:
        labels, rules = pending.pop()
        if not rules or len(labels) == len(axes):
            rest = ("-",) * (len(axes) - len(labels))
            found.append(Leaf((*labels, *rest), rules))
            continue
        work += axes[len(labels)].pieces
        if work > MAX_WORK:
            raise TooManyRegions
        pending.extend(reversed(_cut(labels, rules, axes[len(labels)])))
    return found


def _cut(
    labels: tuple[str, ...], rules: frozenset[int], axis: Axis
) -> list[tuple[tuple[str, ...], frozenset[int]]]:
    """Cut along one axis into runs of pieces that the same rules accept."""
    runs: list[tuple[tuple[str, ...], frozenset[int]]] = []
    start = 0
    for piece in range(1, axis.pieces + 1):
        before = rules & axis.covers[piece - 1]
        if piece < axis.pieces and rules & axis.covers[piece] == before:
            continue
        runs.append(((*labels, axis.label(start, piece - 1)), before))
        start = piece
    return runs
