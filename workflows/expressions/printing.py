"""Values as FEEL text, as the function `string` gives them (DMN 1.5, table 73)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from workflows.expressions import numbers, temporal_text
from workflows.expressions.errors import ExpressionSyntax
from workflows.expressions.lexer import Kind, tokenize
from workflows.expressions.runtime import Feel, Function, Range
from workflows.expressions.temporal import Date, DateTime, DaysTime, Time, YearsMonths

_PLAIN_KEY: Final = re.compile(r"[^\W\d]\w*(?: \w+)*")


def text_of(value: Feel) -> str:
    """Return the text of `value`; texts inside of lists and contexts are quoted."""
    return value if isinstance(value, str) else literal(value)


def literal(value: Feel) -> str:
    """Return `value` as one would write it."""
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
    return _composed(value)


def _composed(value: Feel) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, Mapping):
        entries = (f"{_key(name)}: {literal(item)}" for name, item in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, Range):
        return _range(value)
    return f"function {value.name}" if isinstance(value, Function) else ""


def quoted(text: str) -> str:
    """Return `text` as a FEEL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


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
        return f"({sign}{literal(value.high if value.low is None else value.low)})"
    opening = "[" if value.low_included else "("
    closing = "]" if value.high_included else ")"
    return f"{opening}{literal(value.low)}..{literal(value.high)}{closing}"
