"""Values as FEEL text, as the function `string` gives them (DMN 1.5, table 73)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from workflows.expressions import numbers, temporal_text
from workflows.expressions.errors import ExpressionSyntax, TextLimit
from workflows.expressions.lexer import Kind, tokenize
from workflows.expressions.runtime import Feel, Function, Range
from workflows.expressions.temporal import Date, DateTime, DaysTime, Time, YearsMonths

_PLAIN_KEY: Final = re.compile(r"[^\W\d]\w*(?: \w+)*")


_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
CHARS: Final = 1_000_000
_DEPTH: Final = 64


def text_of(value: Feel, *, chars: int = CHARS) -> str:
    """Return the text of `value`; texts inside of lists and contexts are quoted."""
    return value if isinstance(value, str) else literal(value, chars=chars)


def literal(value: Feel, *, chars: int = CHARS) -> str:
    """Return `value` as one would write it.

    Raise `TextLimit` past `chars` characters: values share parts, so a small one can be long.
    """
    pieces: list[str] = []
    left = chars
    for piece in _pieces(value, 0):
        left -= len(piece) + 1
        if left < 0:
            raise _too_long(chars)
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: Feel, depth: int) -> Iterator[str]:
    if depth > _DEPTH:
        raise _too_long(_DEPTH)
    if isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield ", " if index else ""
            yield from _pieces(item, depth + 1)
        yield "]"
    elif isinstance(value, Mapping):
        yield "{"
        for index, (name, item) in enumerate(value.items()):
            yield (", " if index else "") + _key(name) + ": "
            yield from _pieces(item, depth + 1)
        yield "}"
    else:
        yield _atom(value)


def _atom(value: Feel) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Decimal):
        return numbers.text_of(value)
    if isinstance(value, Date | Time | DateTime | DaysTime | YearsMonths):
        return temporal_text.text_of(value)
    if isinstance(value, Range):
        return _range(value)
    return f"function {value.name}" if isinstance(value, Function) else ""


def _too_long(limit: int) -> TextLimit:
    return TextLimit(f"expected at most {limit} characters, got more", limit=limit)


def quoted(text: str) -> str:
    """Return `text` as a FEEL string literal, without control characters."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"


def _key(name: str) -> str:
    if _PLAIN_KEY.fullmatch(name):
        return name
    try:
        kinds = {token.kind for token in tokenize(name)[:-1]}
    except ExpressionSyntax:
        return quoted(name)
    return name if kinds <= {Kind.NAME, Kind.NUMBER} and kinds else quoted(name)


def _range(value: Range) -> str:
    if value.low is None or value.high is None:
        sign = ("<" if value.low is None else ">") + (
            "=" if value.low_included or value.high_included else ""
        )
        return f"({sign}{_atom(value.high if value.low is None else value.low)})"
    opening = "[" if value.low_included else "("
    closing = "]" if value.high_included else ")"
    return f"{opening}{_atom(value.low)}..{_atom(value.high)}{closing}"
