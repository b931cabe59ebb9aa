"""Functions on texts (DMN 1.5, table 75). Positions count characters (code points) from 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from workflows.expressions import regex
from workflows.expressions.builtins.signature import (
    LIST,
    NUMBER,
    STRING,
    budgeted,
    nullable,
    parameter,
    plain,
    table,
)
from workflows.expressions.numbers import truncated
from workflows.expressions.runtime import Feel, Function, Run


def _substring(text: str, start: Decimal, length: Decimal | None = None) -> Feel:
    first = truncated(start)
    size = len(text) if length is None else truncated(length)
    if first is None or size is None or first == 0 or abs(first) > len(text) or size < 1:
        return None
    begin = first - 1 if first > 0 else len(text) + first
    return text[begin : begin + size]


def _before(text: str, match: str) -> Feel:
    return text.partition(match)[0] if match and match in text else ""


def _after(text: str, match: str) -> Feel:
    return text.partition(match)[2] if match else text


def _upper(run: Run, text: str) -> Feel:
    result = text.upper()
    run.checked_text(len(result))
    return result


def _lower(run: Run, text: str) -> Feel:
    result = text.lower()
    run.checked_text(len(result))
    return result


def _replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> Feel:
    compiled = regex.compile_pattern(pattern, flags or "")
    if "q" in (flags or ""):  # the replacement is taken as it is too
        replacement = replacement.replace("\\", "\\\\").replace("$", "\\$")
    return None if compiled is None else regex.replace(compiled, text, replacement, run)


def _matches(run: Run, text: str, pattern: str, flags: str | None = None) -> Feel:
    compiled = regex.compile_pattern(pattern, flags or "")
    return None if compiled is None else regex.search(compiled, text, 0, run) is not None


def _split(run: Run, text: str, delimiter: str) -> Feel:
    compiled = regex.compile_pattern(delimiter, "")
    return None if compiled is None else regex.split(compiled, text, run)


def _join(run: Run, items: list[Feel], delimiter: str | None = None) -> Feel:
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) + items.count(None) < len(items):
        return None
    run.checked_text(sum(map(len, texts)) + len(delimiter or "") * len(texts))
    return (delimiter or "").join(texts)


_STRING: Final = parameter("string", STRING)
_MATCH: Final = parameter("match", STRING)
_INPUT: Final = parameter("input", STRING)
_PATTERN: Final = parameter("pattern", STRING)
_FLAGS: Final = nullable("flags", STRING)

FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "substring": (
            plain(
                _substring,
                _STRING,
                parameter("start position", NUMBER),
                nullable("length", NUMBER),
                optional=1,
            ),
        ),
        "string length": (plain(lambda text: Decimal(len(text)), _STRING),),
        "upper case": (budgeted(_upper, _STRING),),
        "lower case": (budgeted(_lower, _STRING),),
        "substring before": (plain(_before, _STRING, _MATCH),),
        "substring after": (plain(_after, _STRING, _MATCH),),
        "replace": (
            budgeted(
                _replace, _INPUT, _PATTERN, parameter("replacement", STRING), _FLAGS, optional=1
            ),
        ),
        "contains": (plain(lambda text, match: match in text, _STRING, _MATCH),),
        "starts with": (plain(lambda text, match: text.startswith(match), _STRING, _MATCH),),
        "ends with": (plain(lambda text, match: text.endswith(match), _STRING, _MATCH),),
        "matches": (budgeted(_matches, _INPUT, _PATTERN, _FLAGS, optional=1),),
        "split": (budgeted(_split, _STRING, parameter("delimiter", STRING)),),
        "string join": (
            budgeted(_join, parameter("list", LIST), nullable("delimiter", STRING), optional=1),
        ),
    }
)
