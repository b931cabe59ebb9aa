"""Findings before a decision is published: gaps, overlaps, dead rules, wrong types, cycles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from workflows.dmn.errors import DecisionCycle
from workflows.dmn.evaluate import Model
from workflows.dmn.graph import Node
from workflows.dmn.items import Types
from workflows.dmn.journal import Problem
from workflows.dmn.model import (
    Decision,
    DecisionTable,
    Definitions,
    HitPolicy,
    ItemDefinition,
    Knowledge,
    Text,
)
from workflows.dmn.regions import (
    MAX_RULES,
    Axis,
    Cell,
    Leaf,
    TooManyRegions,
    axis_of,
    cell_of,
    constant,
    leaves,
)
from workflows.dmn.walk import boxes_of
from workflows.expressions.conversion import coerce
from workflows.expressions.expression import Environment
from workflows.expressions.profile import DMN
from workflows.expressions.runtime import Run, kind_of
from workflows.expressions.types import ANY

MAX_PER_TABLE: Final = 20
_SINGLE: Final = (HitPolicy.UNIQUE, HitPolicy.ANY, HitPolicy.FIRST, HitPolicy.PRIORITY)
_RANKED: Final = (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER)


def lint(model: Model) -> tuple[Problem, ...]:
    """Return the findings of all files, in the order of their lines."""
    found: list[Problem] = []
    for file in model.graph.files:
        found.extend(_item_cycles(file))
    for node in model.graph.nodes.values():
        found.extend(_cycle(model, node))
        found.extend(model.problems(node))
        types = model.graph.types[node.definitions.namespace]
        for box in boxes_of(node.element):
            if isinstance(box, DecisionTable):
                found.extend(lint_table(box, node.element.name, types))
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: (problem.line, problem.column)))


def _cycle(model: Model, node: Node) -> Iterator[Problem]:
    if not isinstance(node.element, Decision | Knowledge):
        return
    try:
        model.graph.order([node.reference], ())
    except DecisionCycle as exc:
        name = str(exc.parameters.get("name", ""))
        if name == node.element.name:
            yield Problem("dmn_cycle", name, node.element.line, 0, (("name", name),))


def _item_cycles(file: Definitions) -> Iterator[Problem]:
    """Yield the item definitions that contain themselves."""
    needs = {item.name: set(_type_refs(item)) for item in file.items}
    for item in file.items:
        reached: set[str] = set()
        pending = list(needs[item.name])
        while pending:
            name = pending.pop()
            if name in needs and name not in reached:
                reached.add(name)
                pending.extend(needs[name])
        if item.name in reached:
            yield Problem("dmn_cycle", item.name, item.line, 0, (("name", item.name),))


def _type_refs(item: ItemDefinition) -> Iterator[str]:
    if item.type_ref:
        yield item.type_ref
    for component in item.components:
        yield from _type_refs(component)


def lint_table(table: DecisionTable, element: str, types: Types) -> Iterator[Problem]:
    """Yield the findings of one table."""
    environment = Environment(types=types.named)
    yield from _wrong_cells(table, element, types, environment)
    if table.hit_policy in _RANKED and not any(
        column.allowed or types.allowed_of(column.type_ref) for column in table.outputs
    ):
        yield Problem("dmn_no_output_order", element, table.line)
    if len(table.rules) > MAX_RULES:
        yield Problem("dmn_table_too_large", element, table.line)
        return
    cells = [[cell_of(test, environment) for test in rule.tests] for rule in table.rules]
    try:
        found = leaves(table, _axes(table, cells, types, environment))
    except TooManyRegions:
        yield Problem("dmn_table_too_large", element, table.line)
        return
    vague = frozenset(index for index, row in enumerate(cells) if None in row)
    yield from _capped(_gaps(table, element, found))
    yield from _capped(_overlaps(table, element, found, vague))
    yield from _unreachable(table, element, found, vague)


def _axes(
    table: DecisionTable,
    cells: Sequence[Sequence[Cell | None]],
    types: Types,
    environment: Environment,
) -> list[Axis]:
    axes = []
    for index, column in enumerate(table.inputs):
        allowed = column.allowed or types.allowed_of(column.expression.type_ref)
        limits = None if allowed is None else cell_of(allowed, environment)
        axes.append(axis_of([row[index] for row in cells], limits))
    return axes


def _capped(problems: Iterator[Problem]) -> Iterator[Problem]:
    for _, problem in zip(range(MAX_PER_TABLE), problems, strict=False):
        yield problem


def _gaps(table: DecisionTable, element: str, found: Sequence[Leaf]) -> Iterator[Problem]:
    has_default = any(column.default for column in table.outputs)
    if has_default or table.hit_policy not in _SINGLE:
        return
    for leaf in found:
        if not leaf.rules:
            yield Problem("dmn_gap", element, table.line, 0, (("where", _where(table, leaf)),))


def _overlaps(
    table: DecisionTable, element: str, found: Sequence[Leaf], vague: frozenset[int]
) -> Iterator[Problem]:
    if table.hit_policy not in (HitPolicy.UNIQUE, HitPolicy.ANY):
        return
    seen: set[frozenset[int]] = set()
    for leaf in found:
        rules = leaf.rules - vague
        if len(rules) < 2 or rules in seen:
            continue
        seen.add(rules)
        if table.hit_policy is HitPolicy.ANY and len({_outputs(table, i) for i in rules}) == 1:
            continue
        parameters = (
            ("rules", ", ".join(str(index + 1) for index in sorted(rules))),
            ("where", _where(table, leaf)),
        )
        yield Problem("dmn_overlap", element, table.rules[min(rules)].line, 0, parameters)


def _outputs(table: DecisionTable, index: int) -> tuple[str, ...]:
    return tuple(output.text.strip() for output in table.rules[index].outputs)


def _unreachable(
    table: DecisionTable, element: str, found: Sequence[Leaf], vague: frozenset[int]
) -> Iterator[Problem]:
    """Yield the rules that accept nothing, or under FIRST nothing that earlier rules leave."""
    reached: set[int] = set()
    for leaf in found:
        blocking = min(leaf.rules - vague, default=len(table.rules))
        first = table.hit_policy is HitPolicy.FIRST
        reached |= {index for index in leaf.rules if not first or index <= blocking}
    for index, rule in enumerate(table.rules):
        if index not in reached:
            parameters = (("rule", str(index + 1)),)
            yield Problem("dmn_rule_unreachable", element, rule.line, 0, parameters)


def _wrong_cells(
    table: DecisionTable, element: str, types: Types, environment: Environment
) -> Iterator[Problem]:
    for rule in table.rules:
        for test, column in zip(rule.tests, table.inputs, strict=True):
            yield from _wrong_test(test, column.expression.type_ref, element, types, environment)
        for output, clause in zip(rule.outputs, table.outputs, strict=True):
            yield from _wrong_output(output, clause.type_ref, element, types, environment)


def _wrong_test(
    test: Text, type_ref: str, element: str, types: Types, environment: Environment
) -> Iterator[Problem]:
    wanted = types.of(type_ref)
    cell = cell_of(test, environment)
    if wanted is None or wanted is ANY or cell is None:
        return
    run = Run(DMN, None)
    ends = [end for part in cell.ranges for end in (part.low, part.high) if end is not None]
    for end in ends:
        if coerce(end, wanted, run) is None:
            parameters = (("wanted", type_ref), ("got", kind_of(end)))
            yield Problem("dmn_cell_type", element, test.line, 0, parameters)
            return


def _wrong_output(
    output: Text, type_ref: str, element: str, types: Types, environment: Environment
) -> Iterator[Problem]:
    wanted = types.of(type_ref)
    if wanted is None or wanted is ANY or not output.text.strip():
        return
    try:
        value = constant(output, environment)
    except LookupError:
        return
    if coerce(value, wanted, Run(DMN, None)) is None:
        parameters = (("wanted", type_ref), ("got", kind_of(value)))
        yield Problem("dmn_cell_type", element, output.line, 0, parameters)


def _where(table: DecisionTable, leaf: Leaf) -> str:
    names = [column.label or column.expression.text.strip() for column in table.inputs]
    limited = [
        f"{name}: {label}" for name, label in zip(names, leaf.labels, strict=True) if label != "-"
    ]
    return "; ".join(limited) or "-"
