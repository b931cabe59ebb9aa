"""Types as written after `instance of`, in parameters and in `typeRef`: text → `TypeNode`."""

from __future__ import annotations

from typing import Final

from workflows.expressions.cursor import KEYWORDS, Cursor
from workflows.expressions.lexer import Kind
from workflows.expressions.tree import TypeNode

_WORDED: Final = (
    "days and time duration",
    "years and months duration",
    "day and time duration",
    "year and month duration",
    "date and time",
)


def parse_type(cursor: Cursor) -> TypeNode:
    """Parse one type at the cursor (DMN 1.5, 10.3.1.2, rules 52 to 54)."""
    at = cursor.token.at
    cursor.count_node()
    with cursor.nested():
        name = _type_name(cursor)
        if name in ("list", "range") and cursor.accept("<"):
            part = parse_type(cursor)
            cursor.expect(">")
            return TypeNode(at, name, (part,))
        if name == "context" and cursor.accept("<"):
            return _context_type(cursor, at)
        if name == "function" and cursor.accept("<"):
            return _function_type(cursor, at)
        return TypeNode(at, name)


def _type_name(cursor: Cursor) -> str:
    for worded in _WORDED:
        words = worded.split()
        if all(cursor.peek(ahead).text == word for ahead, word in enumerate(words)):
            cursor.index += len(words)
            return worded
    if cursor.token.kind is not Kind.NAME:
        raise cursor.unexpected("<type>")
    name = cursor.known_name() or cursor.advance().text
    while True:
        token = cursor.token
        if token.kind is Kind.NAME and token.gap and token.text not in KEYWORDS | {"external"}:
            name += " " + cursor.advance().text
        elif cursor.at_symbol(".") and cursor.peek().kind is Kind.NAME:
            cursor.advance()
            name += "." + (cursor.known_name() or cursor.advance().text)
        else:
            return name


def _context_type(cursor: Cursor, at: int) -> TypeNode:
    names: list[str] = []
    parts: list[TypeNode] = []
    while not cursor.accept(">"):
        if names:
            cursor.expect(",")
        names.append(cursor.name_until(":"))
        cursor.expect(":")
        parts.append(parse_type(cursor))
    return TypeNode(at, "context", tuple(parts), tuple(names))


def _function_type(cursor: Cursor, at: int) -> TypeNode:
    parts: list[TypeNode] = []
    while not cursor.accept(">"):
        if parts:
            cursor.expect(",")
        parts.append(parse_type(cursor))
    cursor.expect("->")
    return TypeNode(at, "function", tuple(parts), (), parse_type(cursor))
