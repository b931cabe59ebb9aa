"""Foreign spellings → our language: `${…}` and `#{…}` (JUEL), a leading `=` (FEEL of Zeebe).

What has a counterpart is rewritten; beans, method calls and assignments are refused.
"""

from __future__ import annotations

import re
from typing import Final

from dossier.errors import Rejected
from workflows.expressions.errors import ExpressionRefused, PrefixRefused
from workflows.expressions.expression import compile_expression

_JUEL: Final = re.compile(r"\s*[$#]\{(.*)\}\s*", re.DOTALL)
_TOKEN: Final = re.compile(
    r"(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|\[\s*['\"](?P<member>[A-Za-z_]\w*)['\"]\s*\]"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/<>!?:().,\[\]=])|(?P<space>\s+)",
    re.DOTALL,
)
_PLACE: Final = re.compile(r"[$#]\{([^{}]*)\}")
_WORDS: Final = {
    "and": "and", "or": "or", "eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">",
    "ge": ">=", "div": "/", "true": "true", "false": "false", "null": "null",
}  # fmt: skip
_SYMBOLS: Final = {"&&": " and ", "||": " or ", "==": "="}
_REFUSED_WORDS: Final = frozenset({"instanceof", "mod", "empty"})


def translate(source: str, *, joins: bool = False) -> str:
    """Return `source` in our language; raise `PrefixRefused` where it has no counterpart.

    A text without a prefix comes back as it is, also when it is no expression at all. `joins` lets
    texts and expressions stand in a row, which makes a text of them: no place for a condition.
    """
    stripped = source.strip()
    if stripped.startswith("=") and not stripped.startswith("=="):
        return _checked(stripped[1:].strip(), source)
    match = _JUEL.fullmatch(source)
    if match is not None and "${" not in match.group(1) and "#{" not in match.group(1):
        return _checked(_from_juel(match.group(1), source), source)
    if "${" not in source and "#{" not in source:
        return source
    if not joins:
        raise _refused(source)
    return _checked(_from_composite(stripped, source), source)


def _from_composite(text: str, source: str) -> str:
    """Translate texts and expressions in a row: they are strung together."""
    parts = []
    for number, part in enumerate(_PLACE.split(text)):
        if "${" in part or "#{" in part:
            raise _refused(source)
        if number % 2:
            parts.append(f"string({_from_juel(part, source)})")
        elif part:
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            parts.append(f'"{escaped}"')
    return " + ".join(parts)


def _checked(translated: str, source: str) -> str:
    try:
        compile_expression(translated)
    except ExpressionRefused:
        raise
    except Rejected as exc:
        raise _refused(source) from exc
    return translated


def _from_juel(body: str, source: str) -> str:
    words: list[str] = []
    pending = 0  # open `not(` that the next operand closes
    position = 0
    while position < len(body):
        match = _TOKEN.match(body, position)
        if match is None:
            raise _refused(source)
        position = match.end()
        kind, text = match.lastgroup or "", match.group()
        if kind == "member":
            words.append("." + match["member"])
            continue
        if text in ("!", "not"):
            position += len(body[position:]) - len(body[position:].lstrip())
            words.append("not(")
            pending += 1
            continue
        if kind != "space" and pending and text == "(":
            position = _closing(body, match.start(), source)
            words.append(_from_juel(body[match.end() : position - 1], source) + ")" * pending)
            pending = 0
            continue
        words.append(_word(kind, text, body, position, source))
        if (
            pending
            and kind != "space"
            and not re.match(r"\s*\.|\w", body[position:])
            and text != "."
        ):
            words.append(")" * pending)
            pending = 0
    return "".join(words).strip()


def _word(kind: str, text: str, body: str, position: int, source: str) -> str:
    if kind == "space" or kind == "number":
        return text
    if kind == "text":
        inner = text[1:-1].replace("\\'", "'") if text[0] == "'" else text[1:-1]
        return '"' + (inner.replace('"', '\\"') if text[0] == "'" else inner) + '"'
    if kind == "word":
        if text in _REFUSED_WORDS or body[position:].lstrip().startswith("("):
            raise _refused(source)
        return _WORDS.get(text, text)
    if text in ("=", "?", ":", "[", "]"):
        raise _refused(source)
    return _SYMBOLS.get(text, text)


def _closing(body: str, start: int, source: str) -> int:
    level = 0
    for offset, character in enumerate(body[start:], start):
        level += (character == "(") - (character == ")")
        if level == 0:
            return offset + 1
    raise _refused(source)


def _refused(source: str) -> PrefixRefused:
    shown = source if len(source) <= 80 else source[:80] + "…"
    return PrefixRefused(
        f"expected an expression with a counterpart in FEEL, got {shown}", got=shown
    )
