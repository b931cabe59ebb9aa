"""Decision tables: matching rules, and what each hit policy makes of them (DMN 1.5, 8.2.8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from dossier.errors import Rejected
from workflows.dmn.journal import Problem, TableTrace, journal_of
from workflows.dmn.model import Aggregation, DecisionTable, HitPolicy, OutputColumn
from workflows.dmn.place import Place
from workflows.expressions.builtins import LIBRARY
from workflows.expressions.calls import invoke
from workflows.expressions.compare import equal
from workflows.expressions.compiler import Compiler
from workflows.expressions.expression import Environment, parse_unary_tests
from workflows.expressions.keys import key_of
from workflows.expressions.runtime import Evaluator, Feel, Run, Scope

_FOLDS: Final = {
    Aggregation.SUM: "sum",
    Aggregation.MIN: "min",
    Aggregation.MAX: "max",
    Aggregation.COUNT: "count",
}
_LISTING: Final = (HitPolicy.RULE_ORDER, HitPolicy.OUTPUT_ORDER, HitPolicy.COLLECT)


@dataclass(frozen=True, slots=True)
class _Row:
    """A compiled rule: the columns it looks at, and its outputs."""

    tests: tuple[tuple[int, Evaluator], ...]
    outputs: tuple[Evaluator, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    """A matched rule with its output."""

    index: int
    output: Feel


class CompiledTable:
    """A table ready for evaluation."""

    def __init__(self, table: DecisionTable, place: Place) -> None:
        self._table = table
        self._place = place
        self._inputs = [place.expression(column.expression) for column in table.inputs]
        self._allowed = [
            None if column.allowed is None else place.tests(column.allowed)
            for column in table.inputs
        ]
        self._rows = [
            _Row(
                tuple(
                    (index, place.tests(test))
                    for index, test in enumerate(rule.tests)
                    if test.text.strip() not in ("", "-")
                ),
                tuple(
                    place.typed(place.expression(output), column.type_ref, rule.line)
                    for output, column in zip(rule.outputs, table.outputs, strict=True)
                ),
            )
            for rule in table.rules
        ]
        self._defaults = [
            None if column.default is None else place.expression(column.default)
            for column in table.outputs
        ]
        self._orders = [_order_of(column, place) for column in table.outputs]
        self._output_tests = [
            None if column.allowed is None else place.tests(column.allowed)
            for column in table.outputs
        ]

    def __call__(self, scope: Scope) -> Feel:
        """Return the result for the names in `scope`; leave a trace."""
        inputs = [column(scope) for column in self._inputs]
        scopes = [Scope({"?": value}, scope.run, scope) for value in inputs]
        hits: list[_Hit] = []
        output: Feel = None
        if self._inputs_allowed(inputs, scopes):
            hits = self._hits(scope, scopes)
            output = self._result(hits, scope)
        matched = tuple(hit.index for hit in hits)
        journal_of(scope.run).trace(
            TableTrace(self._place.element, self._table, tuple(inputs), matched, output)
        )
        return output

    def _inputs_allowed(self, inputs: list[Feel], scopes: list[Scope]) -> bool:
        for index, allowed in enumerate(self._allowed):
            if allowed is None or inputs[index] is None:
                continue
            if allowed(scopes[index]) is not True:
                column = self._table.inputs[index]
                self._report(scopes[index].run, "dmn_input_not_allowed", column.expression.text)
                return False
        return True

    def _hits(self, scope: Scope, scopes: list[Scope]) -> list[_Hit]:
        hits: list[_Hit] = []
        first_only = self._table.hit_policy is HitPolicy.FIRST
        for index, row in enumerate(self._rows):
            scope.run.spend()
            for column, test in row.tests:
                if test(scopes[column]) is not True:
                    break
            else:
                hits.append(_Hit(index, self._output(row, scope)))
                if first_only:
                    break
        return hits

    def _output(self, row: _Row, scope: Scope) -> Feel:
        values = [output(scope) for output in row.outputs]
        for index, tests in enumerate(self._output_tests):
            if tests is None or values[index] is None:
                continue
            if tests(Scope({"?": values[index]}, scope.run, scope)) is not True:
                self._report(scope.run, "dmn_output_not_allowed", self._label(index))
                values[index] = None
        return self._shaped(values)

    def _shaped(self, values: list[Feel]) -> Feel:
        """Return one value as it is and several as a context."""
        if len(values) == 1:
            return values[0]
        return {
            column.name or f"output{index}": value
            for index, (column, value) in enumerate(
                zip(self._table.outputs, values, strict=True), 1
            )
        }

    def _result(self, hits: list[_Hit], scope: Scope) -> Feel:
        if not hits:
            return self._default(scope)
        return _POLICIES[self._table.hit_policy](self, hits, scope.run)

    def _default(self, scope: Scope) -> Feel:
        if any(default is not None for default in self._defaults):
            values = [None if default is None else default(scope) for default in self._defaults]
            shaped = self._shaped(values)
            if self._table.hit_policy in _LISTING and self._table.aggregation is None:
                return [shaped]
            return shaped
        if self._table.hit_policy is HitPolicy.COLLECT:
            if self._table.aggregation is None:
                return []
            return Decimal(0) if self._table.aggregation is Aggregation.COUNT else None
        return None

    def _label(self, index: int) -> str:
        column = self._table.outputs[index]
        return column.name or column.label or self._place.element

    def _report(self, run: Run, code: str, name: str) -> None:
        journal_of(run).report(
            Problem(code, self._place.element, self._table.line, 0, (("name", name),))
        )

    def _unique(self, hits: list[_Hit], run: Run) -> Feel:
        if len(hits) > 1:
            self._report(run, "dmn_not_unique", _numbers(hits))
            return None
        return hits[0].output

    def _any(self, hits: list[_Hit], run: Run) -> Feel:
        first = hits[0].output
        if any(key_of(hit.output, run) != key_of(first, run) for hit in hits[1:]):
            self._report(run, "dmn_outputs_differ", _numbers(hits))
            return None
        return first

    def _first(self, hits: list[_Hit], run: Run) -> Feel:
        return hits[0].output

    def _priority(self, hits: list[_Hit], run: Run) -> Feel:
        return self._ordered(hits, run)[0].output

    def _in_rule_order(self, hits: list[_Hit], run: Run) -> Feel:
        return [hit.output for hit in hits]

    def _in_output_order(self, hits: list[_Hit], run: Run) -> Feel:
        return [hit.output for hit in self._ordered(hits, run)]

    def _collected(self, hits: list[_Hit], run: Run) -> Feel:
        values: list[Feel] = [hit.output for hit in hits]
        aggregation = self._table.aggregation
        if aggregation is None:
            return values
        if len(self._table.outputs) > 1 and aggregation is not Aggregation.COUNT:
            self._report(run, "dmn_aggregation_of_many", aggregation.value)
            return None
        return invoke(LIBRARY[_FOLDS[aggregation]], [values], run)

    def _ordered(self, hits: list[_Hit], run: Run) -> list[_Hit]:
        """Return the hits by the rank of their outputs in the lists of output values."""
        return sorted(hits, key=lambda hit: self._ranks(hit.output, run))

    def _ranks(self, output: Feel, run: Run) -> list[int]:
        values = list(output.values()) if isinstance(output, dict) else [output]
        return [
            _rank(value, order, run)
            for value, order in zip(values, self._orders, strict=False)
            if order
        ]


_POLICIES: Final[dict[HitPolicy, Callable[[CompiledTable, list[_Hit], Run], Feel]]] = {
    HitPolicy.UNIQUE: CompiledTable._unique,
    HitPolicy.ANY: CompiledTable._any,
    HitPolicy.FIRST: CompiledTable._first,
    HitPolicy.PRIORITY: CompiledTable._priority,
    HitPolicy.RULE_ORDER: CompiledTable._in_rule_order,
    HitPolicy.OUTPUT_ORDER: CompiledTable._in_output_order,
    HitPolicy.COLLECT: CompiledTable._collected,
}


def _numbers(hits: list[_Hit]) -> str:
    return ", ".join(str(hit.index + 1) for hit in hits)


def _rank(value: Feel, order: list[Feel], run: Run) -> int:
    return next(
        (at for at, known in enumerate(order) if equal(value, known, run) is True), len(order)
    )


def _order_of(column: OutputColumn, place: Place) -> list[Feel]:
    """Return the output values in their order, highest priority first."""
    allowed = column.allowed or place.types.allowed_of(column.type_ref)
    if allowed is None:
        return []
    environment = Environment(names=place.names, vocabulary=place.vocabulary)
    try:
        tests = parse_unary_tests(allowed.text, environment)
    except Rejected:
        return []  # `Place.tests` has reported it
    compiler = Compiler(allowed.text, library=LIBRARY, types={})
    run = Run(environment.profile, None)
    return [compiler.compile(test.operand)(Scope({}, run)) for test in tests.tests]
