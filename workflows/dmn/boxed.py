"""Boxed expressions → evaluators (DMN 1.5, 10.2 and 10.3.2.13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from workflows.dmn.journal import Problem, journal_of
from workflows.dmn.model import (
    Boxed,
    BoxedConditional,
    BoxedContext,
    BoxedFilter,
    BoxedFunction,
    BoxedInvocation,
    BoxedIterator,
    BoxedList,
    BoxedRelation,
    DecisionTable,
    Entry,
    Text,
)
from workflows.dmn.place import Place
from workflows.dmn.table import CompiledTable
from workflows.expressions.access import item_scope
from workflows.expressions.calls import bind, closure, external_function, has_null
from workflows.expressions.iteration import domain_values
from workflows.expressions.runtime import Evaluator, Feel, Function, Parameter, Scope
from workflows.expressions.types import FunctionOf


def compile_box(box: Boxed, place: Place) -> Evaluator:
    """Return the evaluator of a boxed expression, held to its own typeRef."""
    evaluator: Evaluator = _COMPILERS[type(box)](box, place)
    if isinstance(box, Text | BoxedFunction):
        return evaluator  # a text is held already; a function's typeRef is that of its result
    return place.typed(evaluator, box.type_ref, box.line)


def compile_function(function: BoxedFunction, place: Place, name: str) -> Evaluator:
    """Return the evaluator that makes the function over the scope it stands in."""
    parameters = tuple(
        Parameter(parameter, place.type_of(kind, function.line), nullable=True)
        for parameter, kind in function.parameters
    )
    if function.kind.upper() != "FEEL" or function.body is None:
        return lambda scope: external_function(parameters)
    inner = place.seeing(parameter.name for parameter in parameters)
    body = compile_box(function.body, inner)
    wanted = place.type_of(function.type_ref, function.line)
    if not isinstance(wanted, FunctionOf):
        body = place.typed(body, function.type_ref, function.line)
    return lambda scope: closure(name, parameters, body, scope)


def _text(box: Text, place: Place) -> Evaluator:
    return place.expression(box)


def _table(box: DecisionTable, place: Place) -> Evaluator:
    return CompiledTable(box, place)


def _context(box: BoxedContext, place: Place) -> Evaluator:
    entries: list[tuple[str, Evaluator]] = []
    inner = place
    for entry in box.entries:
        evaluator = compile_box(entry.body, inner)
        if not _is_result_type(entry, place):
            evaluator = place.typed(evaluator, entry.type_ref, box.line)
        entries.append((entry.name, evaluator))
        if entry.name:
            inner = inner.seeing([entry.name])

    def context(scope: Scope) -> Feel:
        values: dict[str, Feel] = {}
        within = Scope(values, scope.run, scope)
        for name, evaluator in entries:
            scope.run.spend()
            value = evaluator(within)
            if not name:
                return value
            values[name] = value
        return values

    return context


def _is_result_type(entry: Entry, place: Place) -> bool:
    """Say whether the typeRef of a function's entry is that of its result, as before DMN 1.3."""
    if not isinstance(entry.body, BoxedFunction):
        return False
    return not isinstance(place.types.of(entry.type_ref), FunctionOf)


def _invocation(box: BoxedInvocation, place: Place) -> Evaluator:
    callee = place.expression(box.callee)
    bindings = [(name, compile_box(body, place)) for name, body in box.bindings]
    called = box.callee.text.strip()
    problem = Problem("dmn_invocation", place.element, box.line, 0, (("name", called),))

    def invoked(scope: Scope) -> Feel:
        scope.run.spend()
        function = callee(scope)
        given = {name: body(scope) for name, body in bindings}
        if isinstance(function, Function):  # a parameter without a binding is null
            names = (parameter.name for parameter in function.signatures[0].parameters)
            given = {**dict.fromkeys(names), **given}
        bound = bind(function, given, scope.run) if isinstance(function, Function) else None
        if bound is None:
            journal_of(scope.run).report(problem)
            return None
        signature, values = bound
        return None if has_null(signature, values) else signature.call(values, scope.run)

    return invoked


def _function(box: BoxedFunction, place: Place) -> Evaluator:
    return compile_function(box, place, "function")


def _list(box: BoxedList, place: Place) -> Evaluator:
    items = [compile_box(item, place) for item in box.items]

    def listed(scope: Scope) -> Feel:
        scope.run.spend(len(items))
        return [item(scope) for item in items]

    return listed


def _relation(box: BoxedRelation, place: Place) -> Evaluator:
    names = [name for name, _ in box.columns]
    rows = [
        [
            place.typed(compile_box(cell, place), kind, box.line)
            for cell, (_, kind) in zip(row, box.columns, strict=True)
        ]
        for row in box.rows
    ]

    def related(scope: Scope) -> Feel:
        scope.run.spend(len(rows) * len(names))
        return [{name: cell(scope) for name, cell in zip(names, row, strict=True)} for row in rows]

    return related


def _conditional(box: BoxedConditional, place: Place) -> Evaluator:
    condition, yes, no = (compile_box(part, place) for part in (box.condition, box.yes, box.no))

    def chosen(scope: Scope) -> Feel:
        scope.run.spend()
        verdict = condition(scope)
        if not isinstance(verdict, bool):
            return None
        return yes(scope) if verdict else no(scope)

    return chosen


def _filter(box: BoxedFilter, place: Place) -> Evaluator:
    source = compile_box(box.source, place)
    match = compile_box(box.match, replace(place.seeing(["item"]), in_filter=True))

    def filtered(scope: Scope) -> Feel:
        value = source(scope)
        items: list[Feel] = [] if value is None else [value]
        kept: list[Feel] = []
        for item in value if isinstance(value, list) else items:
            scope.run.spend()
            verdict = match(item_scope(item, scope))
            if not isinstance(verdict, bool):
                return None
            if verdict:
                kept.append(item)
        return kept

    return filtered


def _iterator(box: BoxedIterator, place: Place) -> Evaluator:
    source = compile_box(box.source, place)
    body = compile_box(box.body, place.seeing([box.variable, "partial"]))
    fold = {"for": _collected, "every": _every, "some": _some}[box.kind]

    def iterated(scope: Scope) -> Feel:
        values = domain_values(source(scope), scope.run)
        return None if values is None else fold(list(values), box.variable, body, scope)

    return iterated


def _collected(values: list[Feel], name: str, body: Evaluator, scope: Scope) -> Feel:
    results: list[Feel] = []
    for value in values:
        scope.run.checked_list(len(results) + 1)
        names: Mapping[str, Feel] = {name: value, "partial": list(results)}
        results.append(body(Scope(names, scope.run, scope)))
    return results


def _verdicts(values: list[Feel], name: str, body: Evaluator, scope: Scope) -> list[Feel]:
    scope.run.spend(len(values))
    return [body(Scope({name: value}, scope.run, scope)) for value in values]


def _every(values: list[Feel], name: str, body: Evaluator, scope: Scope) -> Feel:
    verdicts = _verdicts(values, name, body, scope)
    return all(verdicts) if all(isinstance(verdict, bool) for verdict in verdicts) else None


def _some(values: list[Feel], name: str, body: Evaluator, scope: Scope) -> Feel:
    verdicts = _verdicts(values, name, body, scope)
    return any(verdicts) if all(isinstance(verdict, bool) for verdict in verdicts) else None


_COMPILERS: Final[dict[type, Callable[..., Evaluator]]] = {
    Text: _text,
    DecisionTable: _table,
    BoxedContext: _context,
    BoxedInvocation: _invocation,
    BoxedFunction: _function,
    BoxedList: _list,
    BoxedRelation: _relation,
    BoxedConditional: _conditional,
    BoxedFilter: _filter,
    BoxedIterator: _iterator,
}
