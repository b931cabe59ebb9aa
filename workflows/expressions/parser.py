"""Tokens → syntax tree, by precedence climbing over the levels of DMN 1.5, 10.3.1.2.

From loose to tight: or, and, comparison, additive, multiplicative, power, negation, instance of,
then path, filter and invocation. The forms with key words live in `forms`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from workflows.expressions import forms
from workflows.expressions.cursor import Cursor
from workflows.expressions.lexer import Kind, text_value
from workflows.expressions.numbers import CONTEXT, attempt
from workflows.expressions.profile import Construct
from workflows.expressions.tree import (
    Between,
    Call,
    Chain,
    Filter,
    InstanceOf,
    ListLiteral,
    Literal,
    Logic,
    Membership,
    Name,
    Negative,
    Node,
    Path,
    RangeLiteral,
    Temporal,
    Test,
    Tests,
)
from workflows.expressions.typenames import parse_type

_COMPARISONS: Final = ("=", "!=", "<", "<=", ">", ">=")
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_OR, _AND, _COMPARISON, _ADDITIVE, _MULTIPLICATIVE, _POWER = range(1, 7)
_LEVELS: Final = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys((*_COMPARISONS, "between", "in"), _COMPARISON),
    **dict.fromkeys("+-", _ADDITIVE),
    **dict.fromkeys("*/", _MULTIPLICATIVE),
    "**": _POWER,
}
_OPERATOR_KINDS: Final = (Kind.SYMBOL, Kind.NAME)
_JOINTS: Final = frozenset("-+*/'.")
_CLOSERS: Final = frozenset(")],}") | {
    "and",
    "or",
    "then",
    "else",
    "return",
    "satisfies",
    "..",
    ".",
}
PLACEHOLDER: Final = "?"


def parse_whole(cursor: Cursor) -> Node:
    """Parse one expression that takes up the whole source."""
    node = parse_expression(cursor)
    if cursor.token.kind is not Kind.END:
        raise cursor.unexpected("<operator> or <end>")
    return node


def parse_tests(cursor: Cursor) -> Tests:
    """Parse unary tests that take up the whole source (rule 15)."""
    at = cursor.token.at
    if cursor.at_symbol("-") and cursor.peek().kind is Kind.END:
        return Tests(at, (), False, True)
    start = cursor.index
    if cursor.at_word("not") and cursor.peek().text == "(":
        cursor.index += 2
        tests = _test_list(cursor)
        cursor.expect(")")
        if cursor.token.kind is Kind.END:
            return Tests(at, tests, True, False)
        cursor.index = start  # an expression that begins with the function `not`
    tests = _test_list(cursor)
    if cursor.at_word("and") and tests[-1].operator:
        raise cursor.unexpected("<end> (a range is written [3..9))")
    if cursor.token.kind is not Kind.END:
        raise cursor.unexpected("<end>")
    return Tests(at, tests, False, False)


def parse_expression(cursor: Cursor) -> Node:
    """Parse one expression of any kind at the cursor."""
    with cursor.nested():
        return _binary(cursor, _OR)


def _binary(cursor: Cursor, level: int) -> Node:
    at = cursor.token.at
    left = _prefix(cursor)
    while True:
        found = _LEVELS.get(cursor.token.text, 0) if cursor.token.kind in _OPERATOR_KINDS else 0
        if found == 0 or found < level:
            return left
        cursor.count_node()
        left = _operation(cursor, at, left, found)


def _operation(cursor: Cursor, at: int, left: Node, level: int) -> Node:
    """Parse the operators of one level after `left`; each operand binds tighter than the level."""
    if level in (_OR, _AND):
        return _logic(cursor, at, left, level)
    if cursor.accept("between"):
        low = _binary(cursor, _ADDITIVE)
        cursor.expect("and")
        return Between(at, left, low, _binary(cursor, _ADDITIVE))
    if cursor.accept("in"):
        return Membership(at, left, _membership_tests(cursor))
    if level == _COMPARISON:
        return Chain(at, left, ((cursor.advance().text, _binary(cursor, _ADDITIVE)),))
    rest: list[tuple[str, Node]] = []
    while cursor.token.kind is Kind.SYMBOL and _LEVELS.get(cursor.token.text) == level:
        operator = cursor.advance()
        if level == _POWER:
            cursor.refuse(Construct.POWER, operator.at)
        rest.append((operator.text, _binary(cursor, level + 1)))
        cursor.count_node()
    return Chain(at, left, tuple(rest))


def _logic(cursor: Cursor, at: int, left: Node, level: int) -> Node:
    word = "and" if level == _AND else "or"
    parts = [left]
    while cursor.accept(word):
        parts.append(_binary(cursor, level + 1))
        cursor.count_node()
    return Logic(at, level == _AND, tuple(parts))


def _membership_tests(cursor: Cursor) -> Tests:
    at = cursor.token.at
    if cursor.at_symbol("(") and not _is_range_ahead(cursor):
        cursor.advance()
        tests = _test_list(cursor)
        cursor.expect(")")
        return Tests(at, tests, False, False)
    return Tests(at, (_test(cursor, _arithmetic),), False, False)


def _is_range_ahead(cursor: Cursor) -> bool:
    """Look whether the bracket at the cursor opens a range: `..` at its own level."""
    level = 0
    ahead = 0
    while cursor.peek(ahead).kind is not Kind.END:
        text = cursor.peek(ahead).text
        if cursor.peek(ahead).kind is Kind.SYMBOL:
            if level == 1 and text == "..":
                return True
            level += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if level == 0:
            return False
        ahead += 1
    return False


def _test_list(cursor: Cursor) -> tuple[Test, ...]:
    tests = [_test(cursor, parse_expression)]
    while cursor.accept(","):
        tests.append(_test(cursor, parse_expression))
    return tuple(tests)


def _test(cursor: Cursor, operand: Callable[[Cursor], Node]) -> Test:
    at = cursor.token.at
    before = cursor.placeholders
    cursor.count_node()
    operator = cursor.advance().text if cursor.at_symbol(*_COMPARISONS) else ""
    node = _arithmetic(cursor) if operator else operand(cursor)
    return Test(at, operator, node, cursor.placeholders > before)


def _arithmetic(cursor: Cursor) -> Node:
    return _binary(cursor, _ADDITIVE)


def _prefix(cursor: Cursor) -> Node:
    at = cursor.token.at
    if cursor.at_symbol("-"):
        cursor.advance()
        cursor.count_node()
        with cursor.nested():
            operand = _prefix(cursor)
        if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
            return Literal(at, -operand.value)
        return Negative(at, operand)
    node = _postfix(cursor)
    while cursor.accept("instance"):
        cursor.expect("of")
        node = InstanceOf(at, node, parse_type(cursor))
    return node


def _postfix(cursor: Cursor) -> Node:
    at = cursor.token.at
    node = _primary(cursor)
    levels = -1  # the first argument or filter is nested by its own expression
    while cursor.at_symbol(".", "[", "("):
        levels += 1
        cursor.count_node()
        with cursor.nested(levels):
            if cursor.at_symbol("("):
                node = _call(cursor, node)
            elif cursor.at_symbol("["):
                if cursor.peek().text in _CLOSERS or cursor.peek().kind is Kind.END:
                    return node  # the end of a range such as [1..5[
                node = _filter(cursor, node)
            else:
                cursor.advance()
                node = Path(at, node, cursor.member())
    return node


def _filter(cursor: Cursor, source: Node) -> Node:
    at = cursor.expect("[").at
    cursor.refuse(Construct.FILTER, at)
    free = set(cursor.free)
    with cursor.scope("item"):
        condition = parse_expression(cursor)
    cursor.free = free  # a name in a filter may be an entry of the items
    cursor.expect("]")
    return Filter(at, source, condition)


def _call(cursor: Cursor, function: Node) -> Node:
    at = cursor.expect("(").at
    if not isinstance(function, Name) or not function.builtin:
        cursor.refuse(Construct.FUNCTION, at)
    names: list[str] = []
    arguments: list[Node] = []
    named = _is_named_call(cursor)
    while not cursor.accept(")"):
        if arguments:
            cursor.expect(",")
        if named:
            names.append(cursor.name_until(":"))
            cursor.expect(":")
        arguments.append(parse_expression(cursor))
    return Call(at, function, tuple(arguments), tuple(names))


def _is_named_call(cursor: Cursor) -> bool:
    ahead = 0
    while cursor.peek(ahead).kind in (Kind.NAME, Kind.NUMBER) or cursor.peek(ahead).text in _JOINTS:
        ahead += 1
    return ahead > 0 and cursor.peek(ahead).text == ":"


def _primary(cursor: Cursor) -> Node:
    cursor.count_node()
    token = cursor.token
    if token.kind is Kind.NUMBER:
        return _number(cursor)
    if token.kind is Kind.TEXT:
        cursor.advance()
        return Literal(token.at, text_value(cursor.source, token))
    if token.kind is Kind.SYMBOL:
        return _bracketed(cursor)
    if token.kind is Kind.NAME:
        return _worded(cursor)
    raise cursor.unexpected("<expression>")


def _number(cursor: Cursor) -> Node:
    token = cursor.token
    value = attempt(CONTEXT.create_decimal, Decimal(token.text))
    if value is None:
        raise cursor.unexpected("<number>")
    cursor.advance()
    return Literal(token.at, value)


def _bracketed(cursor: Cursor) -> Node:
    token = cursor.token
    if token.text == "@" and cursor.peek().kind is Kind.TEXT:
        cursor.advance()
        return Temporal(token.at, text_value(cursor.source, cursor.advance()))
    if token.text == "{":
        return forms.parse_context(cursor, parse_expression)
    if token.text == "(":
        return _parenthesis(cursor)
    if token.text in ("[", "]"):
        return _square(cursor)
    raise cursor.unexpected("<expression>")


def _parenthesis(cursor: Cursor) -> Node:
    at = cursor.expect("(").at
    if cursor.at_symbol(*_COMPARISONS):
        operator = cursor.advance().text
        end = _arithmetic(cursor)
        cursor.expect(")")
        return _half_range(at, operator, end)
    node = parse_expression(cursor)
    if cursor.at_symbol(".."):
        return _range(cursor, at, node, low_included=False)
    cursor.expect(")")
    return node


def _half_range(at: int, operator: str, end: Node) -> Node:
    if operator in ("<", "<="):
        return RangeLiteral(at, None, end, False, operator == "<=")
    if operator in (">", ">="):
        return RangeLiteral(at, end, None, operator == ">=", False)
    if operator == "=":
        return RangeLiteral(at, end, end, True, True)
    return Chain(at, Literal(at, None), ((operator, end),))


def _square(cursor: Cursor) -> Node:
    opening = cursor.advance()
    if opening.text == "[" and cursor.accept("]"):
        return ListLiteral(opening.at, ())
    first = parse_expression(cursor)
    if cursor.at_symbol("..") or opening.text == "]":
        return _range(cursor, opening.at, first, low_included=opening.text == "[")
    items = [first]
    while cursor.accept(","):
        items.append(parse_expression(cursor))
    cursor.expect("]")
    return ListLiteral(opening.at, tuple(items))


def _range(cursor: Cursor, at: int, low: Node, *, low_included: bool) -> Node:
    cursor.expect("..")
    high = parse_expression(cursor)
    closing = cursor.expect("]", ")", "[")
    return RangeLiteral(at, low, high, low_included, closing.text == "]")


def _worded(cursor: Cursor) -> Node:
    token = cursor.token
    known = cursor.known_name()
    if known is not None:
        return _variable(cursor, token.at, known)
    if token.text in ("for", "some", "every", "if", "function"):
        return _form(cursor)
    if token.text in _CONSTANTS:
        cursor.advance()
        return Literal(token.at, _CONSTANTS[token.text])
    return _variable(cursor, token.at, cursor.name())


def _form(cursor: Cursor) -> Node:
    word = cursor.token.text
    if word == "if":
        return forms.parse_conditional(cursor, parse_expression)
    if word == "for":
        return forms.parse_for(cursor, parse_expression)
    if word == "function":
        return forms.parse_function(cursor, parse_expression)
    return forms.parse_quantified(cursor, parse_expression)


def _variable(cursor: Cursor, at: int, name: str) -> Node:
    if name == PLACEHOLDER:
        cursor.refuse(Construct.PLACEHOLDER, at)
        cursor.placeholders += 1
        return Name(at, name, True, False)
    local = cursor.is_local(name)
    builtin = not local and cursor.is_builtin(name) and cursor.at_symbol("(")
    if not builtin and not local:  # a variable may have the name of a function: `number`, `date`
        cursor.free.add(name)
    return Name(at, name, local, builtin)
