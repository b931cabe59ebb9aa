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
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/<>!?:().,\[\]=])|(?P<space>\s+)",
    re.DOTALL,
)
_WORDS: Final = {
    "and": "and", "or": "or", "eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">",
    "ge": ">=", "div": "/", "true": "true", "false": "false", "null": "null",
}  # fmt: skip
_SYMBOLS: Final = {"&&": " and ", "||": " or ", "==": "="}
_REFUSED_WORDS: Final = frozenset({"instanceof", "mod", "empty"})


def translate(source: str) -> str:
    """Return `source` in our language; raise `PrefixRefused` where it has no counterpart.

    A text without a prefix comes back as it is, also when it is no expression at all.
    """
    stripped = source.strip()
    if stripped.startswith("=") and not stripped.startswith("=="):
        return _checked(stripped[1:].strip(), source)
    match = _JUEL.fullmatch(source)
    if match is None:
        if stripped.startswith(("${", "#{")):
            raise _refused(source)
        return source
    if "${" in match.group(1) or "#{" in match.group(1):
        raise _refused(source)
    return _checked(_from_juel(match.group(1), source), source)


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
        if text == "!":
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
