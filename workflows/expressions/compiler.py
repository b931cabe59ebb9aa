"""Syntax tree → closures. Each node becomes one Python function from scope to value, made once.

No text is ever handed to Python: a closure only calls the functions named in this package.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from workflows.expressions import access, arithmetic, calls, compare, iteration
from workflows.expressions.conversion import is_instance
from workflows.expressions.runtime import MISSING, Evaluator, Feel, Function, Missing, Range, Scope
from workflows.expressions.temporal_text import parse_literal
from workflows.expressions.tree import (
    Between,
    Call,
    Chain,
    Conditional,
    ContextLiteral,
    Filter,
    For,
    FunctionLiteral,
    InstanceOf,
    ListLiteral,
    Literal,
    Logic,
    Membership,
    Name,
    Negative,
    Node,
    Path,
    Quantified,
    RangeLiteral,
    Temporal,
    Test,
    Tests,
)
from workflows.expressions.types import Restricted, Type, resolve

_NUMERIC: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Compiler:
    """Turns the nodes of one source into evaluators."""

    def __init__(
        self, source: str, *, library: Mapping[str, Function], types: Mapping[str, Type]
    ) -> None:
        self.source = source
        self.library = library
        self.types = types

    def compile(self, node: Node) -> Evaluator:
        """Return the evaluator of `node`."""
        compiled: Evaluator = _COMPILERS[type(node)](self, node)
        return compiled

    def tests(self, tests: Tests) -> Evaluator:
        """Return the evaluator of unary tests; the scope must hold the value as `?`."""
        if tests.irrelevant:
            return lambda scope: True
        compiled = [_test(self, test) for test in tests.tests]
        negated = tests.negated
        if len(compiled) == 1 and not negated:
            return compiled[0]

        def tested(scope: Scope) -> Feel:
            verdict = compare.disjunction([_truth(test(scope)) for test in compiled])
            return (None if verdict is None else not verdict) if negated else verdict

        return tested


def _tested(scope: Scope) -> Feel:
    value: Feel | Missing = scope.values.get("?", MISSING)
    if value is MISSING:
        value = scope.find("?")
    return None if isinstance(value, Missing) else value


def _truth(value: Feel) -> bool | None:
    return value if isinstance(value, bool) else None


def _literal(compiler: Compiler, node: Literal) -> Evaluator:
    value = node.value
    return lambda scope: value


def _temporal(compiler: Compiler, node: Temporal) -> Evaluator:
    value = parse_literal(node.text)
    return lambda scope: value


def _name(compiler: Compiler, node: Name) -> Evaluator:
    name, source, at = node.name, compiler.source, node.at
    fallback = compiler.library.get(name)

    def variable(scope: Scope) -> Feel:
        value: Feel | Missing = scope.values.get(name, MISSING)
        if value is MISSING:
            value = scope.find(name)
            if value is MISSING:
                if fallback is None:
                    scope.run.note("feel_unknown_name", source, at, name=name)
                return fallback
        return value  # type: ignore[return-value]  # MISSING was handled above

    return variable


def _list(compiler: Compiler, node: ListLiteral) -> Evaluator:
    items = [compiler.compile(item) for item in node.items]

    def listed(scope: Scope) -> Feel:
        scope.run.spend(len(items))
        return [item(scope) for item in items]

    return listed


def _context(compiler: Compiler, node: ContextLiteral) -> Evaluator:
    entries = [(name, compiler.compile(value)) for name, value in node.entries]

    def context(scope: Scope) -> Feel:
        scope.run.spend(len(entries))
        values: dict[str, Feel] = {}
        inner = Scope(values, scope.run, scope)
        for name, value in entries:
            values[name] = value(inner)
        return values

    return context


def _range(compiler: Compiler, node: RangeLiteral) -> Evaluator:
    low = None if node.low is None else compiler.compile(node.low)
    high = None if node.high is None else compiler.compile(node.high)
    flags = (node.low_included, node.high_included)

    def ranged(scope: Scope) -> Feel:
        start = None if low is None else low(scope)
        end = None if high is None else high(scope)
        if (low and compare.order(start, start) is None) or (
            high and compare.order(end, end) is None
        ):
            return None  # an end that is null or has no order
        if low and high:
            standing = compare.order(start, end)
            if standing is None or standing > 0:
                return None  # the ends do not belong together, or stand in the wrong order
        return Range(start, end, *flags)

    return ranged


def _chain(compiler: Compiler, node: Chain) -> Evaluator:
    if node.rest[0][0] in _NUMERIC:
        return _comparison(compiler, node)
    first = compiler.compile(node.first)
    rest = [(arithmetic.OPERATORS[sign], compiler.compile(part)) for sign, part in node.rest]
    source, at = compiler.source, node.at

    def calculated(scope: Scope) -> Feel:
        run = scope.run
        value = first(scope)
        for operation, operand in rest:
            run.spend()
            other = operand(scope)
            result = operation(value, other)
            if result is None and value is not None and other is not None:
                run.note("feel_no_result", source, at)
            if isinstance(result, str):
                run.checked_text(len(result))
            value = result
        return value

    return calculated


def _comparison(compiler: Compiler, node: Chain) -> Evaluator:
    sign = node.rest[0][0]
    left, right = compiler.compile(node.first), compiler.compile(node.rest[0][1])
    numeric = _NUMERIC[sign]
    if isinstance(node.rest[0][1], Literal) and isinstance(node.rest[0][1].value, Decimal):
        return _compared_with(sign, left, node.rest[0][1].value)

    def compared(scope: Scope) -> Feel:
        run = scope.run
        run.left -= 1
        if run.left < 0:
            run.spend(0)
        one, other = left(scope), right(scope)
        if type(one) is Decimal and type(other) is Decimal:
            return numeric(one, other)
        return compare.compare(sign, one, other, run)

    return compared


def _compared_with(sign: str, left: Evaluator, number: Decimal) -> Evaluator:
    """Return the comparison with a number as written, the commonest of conditions."""
    numeric = _NUMERIC[sign]

    def compared(scope: Scope) -> Feel:
        run = scope.run
        run.left -= 1
        if run.left < 0:
            run.spend(0)
        value = left(scope)
        if type(value) is Decimal:
            return numeric(value, number)
        return compare.compare(sign, value, number, run)

    return compared


def _logic(compiler: Compiler, node: Logic) -> Evaluator:
    parts = [compiler.compile(part) for part in node.parts]
    decisive = not node.conjunction

    def decided(scope: Scope) -> Feel:
        scope.run.spend(len(parts))
        unknown = False
        for part in parts:
            value = part(scope)
            if value is decisive:
                return decisive
            unknown = unknown or not isinstance(value, bool)
        return None if unknown else not decisive

    return decided


def _negative(compiler: Compiler, node: Negative) -> Evaluator:
    operand = compiler.compile(node.operand)

    def negated(scope: Scope) -> Feel:
        scope.run.spend()
        return arithmetic.negative(operand(scope))

    return negated


def _between(compiler: Compiler, node: Between) -> Evaluator:
    operand, low, high = (compiler.compile(n) for n in (node.operand, node.low, node.high))

    def between(scope: Scope) -> Feel:
        scope.run.spend()
        value = operand(scope)
        above = compare.compare(">=", value, low(scope), scope.run)
        below = compare.compare("<=", value, high(scope), scope.run)
        return compare.conjunction([above, below])

    return between


def _membership(compiler: Compiler, node: Membership) -> Evaluator:
    operand = compiler.compile(node.operand)
    tests = compiler.tests(node.tests)

    def included(scope: Scope) -> Feel:
        scope.run.spend()
        return tests(Scope({"?": operand(scope)}, scope.run, scope))

    return included


def _test(compiler: Compiler, test: Test) -> Evaluator:
    operand = compiler.compile(test.operand)
    sign, placeholder = test.operator, test.placeholder
    may_be_unknown = placeholder or isinstance(test.operand, RangeLiteral)  # an end may be null
    numeric = _NUMERIC.get(sign)

    def compared(scope: Scope) -> Feel:
        scope.run.spend()
        one, other = _tested(scope), operand(scope)
        if numeric and type(one) is Decimal and type(other) is Decimal:
            return numeric(one, other)
        return compare.compare(sign, one, other, scope.run)

    def matched(scope: Scope) -> Feel:
        scope.run.spend()
        value = operand(scope)
        if type(value) is str and type(tested := _tested(scope)) is str:
            return value == tested
        if placeholder and isinstance(value, bool):
            return value
        tested = _tested(scope)
        if isinstance(value, bool) and not isinstance(tested, bool):
            return value
        if may_be_unknown and value is None:
            return None
        return compare.member(tested, value, scope.run)

    return compared if sign else matched


def _instance_of(compiler: Compiler, node: InstanceOf) -> Evaluator:
    operand = compiler.compile(node.operand)
    wanted = resolve(node.type_name, compiler.types)
    while isinstance(wanted, Restricted):
        wanted = wanted.inner  # allowed values are no part of what a value is
    source, at, name = compiler.source, node.type_name.at, node.type_name.name

    def instance(scope: Scope) -> Feel:
        scope.run.spend()
        value = operand(scope)
        if wanted is None:
            scope.run.note("feel_unknown_type", source, at, name=name)
            return None
        return is_instance(value, wanted, scope.run)

    return instance


def _conditional(compiler: Compiler, node: Conditional) -> Evaluator:
    condition, yes, no = (compiler.compile(n) for n in (node.condition, node.yes, node.no))

    def chosen(scope: Scope) -> Feel:
        scope.run.spend()
        return yes(scope) if condition(scope) is True else no(scope)

    return chosen


_COMPILERS: Final[dict[type, Callable[..., Evaluator]]] = {
    Literal: _literal,
    Temporal: _temporal,
    Name: _name,
    ListLiteral: _list,
    ContextLiteral: _context,
    RangeLiteral: _range,
    Chain: _chain,
    Logic: _logic,
    Negative: _negative,
    Between: _between,
    Membership: _membership,
    InstanceOf: _instance_of,
    Conditional: _conditional,
    For: iteration.compile_for,
    Quantified: iteration.compile_quantified,
    Path: access.compile_path,
    Filter: access.compile_filter,
    Call: calls.compile_call,
    FunctionLiteral: calls.compile_function,
}
