"""Text → tokens. Knows characters only; what a run of words names, the parser decides.

FEEL names may hold spaces and symbols, so each token remembers whether a gap stood before it.
Clause numbers are those of DMN 1.5, 10.3.1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from workflows.expressions.errors import ExpressionSyntax

# Grammar rules 27 to 29: the characters of a name.
_START: Final = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd"
    "\U00010000-\U000effff"
)
_PART: Final = _START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
_SPACE: Final = " \t-\r\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
_GAP: Final = re.compile(rf"(?:[{_SPACE}]+|//[^\n\r]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_TOKEN: Final = re.compile(
    rf"(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"|(?P<text>\"(?:[^\"\\]|\\.)*\")"
    rf"|(?P<name>(?:(?![{_SPACE}])[{_START}])(?:(?![{_SPACE}])[{_PART}])*)"
    r"|(?P<symbol>\*\*|\.\.|<=|>=|!=|->|[^\"\s])",  # a name may hold any symbol
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_SIMPLE_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


class Kind(Enum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `text` as written, `at` its offset, `gap` whether white space stood before it."""

    kind: Kind
    text: str
    at: int
    gap: bool


def tokenize(source: str) -> list[Token]:
    """Return the tokens of `source`, ending in one END token; raise `ExpressionSyntax`."""
    tokens: list[Token] = []
    position = 0
    while True:
        start = _skip_gap(source, position)
        if start == len(source):
            tokens.append(Token(Kind.END, "", start, start > position))
            return tokens
        match = _TOKEN.match(source, start)
        if match is None:
            raise syntax_error(source, start, expected="<closing quote>", got=source[start])
        kind = Kind(match.lastgroup)
        tokens.append(Token(kind, match.group(), start, start > position))
        position = match.end()


def text_value(source: str, token: Token) -> str:
    """Return what a text token denotes, escapes resolved (rule 35)."""
    inner = token.text[1:-1]
    if "\\" not in inner:
        return inner

    def replaced(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "uU" and len(code) > 1:
            point = int(code[1:], 16)
            if point <= 0x10FFFF:
                return chr(point)
        # A backslash before anything else is a character like others (rule 35).
        return _SIMPLE_ESCAPES.get(code, match.group())

    value = _ESCAPE.sub(replaced, inner)
    try:  # a pair of \u escapes may spell one character beyond the basic plane
        return value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as exc:
        raise syntax_error(source, token.at, expected="<character>", got="surrogate") from exc


def position_of(source: str, at: int) -> tuple[int, int]:
    """Return the line and column of offset `at`, both counted from 1."""
    before = source[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def syntax_error(source: str, at: int, *, expected: str, got: str) -> ExpressionSyntax:
    """Return the error for offset `at`; words in angle brackets are terms of the grammar."""
    line, column = position_of(source, at)
    shown = got if len(got) <= 40 else got[:40] + "…"
    return ExpressionSyntax(
        f"expected {expected}, got {shown or '<end>'} in line {line}, column {column}",
        line=line,
        column=column,
        expected=expected,
        got=shown or "<end>",
    )


def _skip_gap(source: str, position: int) -> int:
    match = _GAP.match(source, position)
    end = match.end() if match else position
    if source.startswith("/*", end):
        raise syntax_error(source, end, expected="<end of comment>", got="")
    return end
