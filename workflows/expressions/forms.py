"""The forms that open with a key word or a brace: if, for, some, every, function, context, list.

Each takes the parser of a whole expression as `expression`, so this room does not know operators.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeAlias

from workflows.expressions.cursor import Cursor
from workflows.expressions.lexer import Kind, text_value
from workflows.expressions.profile import Construct
from workflows.expressions.tree import (
    Conditional,
    ContextLiteral,
    Domain,
    For,
    FunctionLiteral,
    Node,
    Quantified,
    TypeNode,
)
from workflows.expressions.typenames import parse_type

Parse: TypeAlias = Callable[[Cursor], Node]


def parse_conditional(cursor: Cursor, expression: Parse) -> Node:
    """Parse `if … then … else …` (rule 45)."""
    at = cursor.expect("if").at
    condition = expression(cursor)
    cursor.expect("then")
    yes = expression(cursor)
    cursor.expect("else")
    return Conditional(at, condition, yes, expression(cursor))


def parse_for(cursor: Cursor, expression: Parse) -> Node:
    """Parse `for … return …` (rule 44)."""
    at = cursor.expect("for").at
    cursor.refuse(Construct.FOR, at)
    with ExitStack() as stack:
        domains = _domains(cursor, expression, stack, end="return")
        stack.enter_context(cursor.scope("partial"))
        return For(at, domains, expression(cursor))


def parse_quantified(cursor: Cursor, expression: Parse) -> Node:
    """Parse `some … satisfies …` or `every … satisfies …` (rule 46)."""
    word = cursor.advance()
    with ExitStack() as stack:
        domains = _domains(cursor, expression, stack, end="satisfies")
        return Quantified(word.at, word.text == "every", domains, expression(cursor))


def parse_function(cursor: Cursor, expression: Parse) -> Node:
    """Parse `function(a: type, b) body` or `function(…) external {…}` (rule 55)."""
    at = cursor.expect("function").at
    cursor.refuse(Construct.FUNCTION, at)
    cursor.expect("(")
    parameters: list[tuple[str, TypeNode | None]] = []
    while not cursor.accept(")"):
        if parameters:
            cursor.expect(",")
        name = cursor.name_until(":", ",", ")")
        parameters.append((name, parse_type(cursor) if cursor.accept(":") else None))
    with cursor.scope(*(name for name, _ in parameters)):
        external = cursor.accept("external")
        return FunctionLiteral(at, tuple(parameters), expression(cursor), external)


def parse_context(cursor: Cursor, expression: Parse) -> Node:
    """Parse `{name: value, "text": value}` (rule 57); later entries see the earlier ones."""
    at = cursor.expect("{").at
    entries: list[tuple[str, Node]] = []
    with cursor.scope():
        while not cursor.accept("}"):
            if entries:
                cursor.expect(",")
            key_token = cursor.token
            key = _key(cursor)
            if any(key == known for known, _ in entries):
                cursor.index = cursor.tokens.index(key_token)
                raise cursor.unexpected("<distinct key>")
            cursor.expect(":")
            entries.append((key, expression(cursor)))
            cursor.declare(key)
    return ContextLiteral(at, tuple(entries))


def _key(cursor: Cursor) -> str:
    if cursor.token.kind is Kind.TEXT:
        return text_value(cursor.source, cursor.advance())
    return cursor.name_until(":")


def _domains(
    cursor: Cursor, expression: Parse, stack: ExitStack, *, end: str
) -> tuple[Domain, ...]:
    domains: list[Domain] = []
    while not domains or cursor.accept(","):
        name = cursor.name_until("in")
        cursor.expect("in")
        source = expression(cursor)
        stop = expression(cursor) if cursor.accept("..") else None
        domains.append(Domain(name, source, stop))
        stack.enter_context(cursor.scope(name))
    cursor.expect(end)
    return tuple(domains)
