"""Script tasks: a list of assignments, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workflows.expressions.cursor import KEYWORDS
from workflows.expressions.errors import ExpressionSyntax, ExpressionTooLarge, ExpressionTooLong
from workflows.expressions.expression import Expression, compile_expression
from workflows.expressions.lexer import Kind, position_of, syntax_error, tokenize
from workflows.expressions.profile import MODEL
from workflows.expressions.values import Value

ASSIGNMENTS: Final = 64
SOURCE_CHARS: Final = ASSIGNMENTS * 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """Compiled assignments, in their order."""

    source: str
    assignments: tuple[tuple[str, Expression], ...]

    @property
    def names(self) -> frozenset[str]:
        """The variables that the script reads before it writes them."""
        read: set[str] = set()
        written: set[str] = set()
        for target, expression in self.assignments:
            read |= expression.names - written
            written.add(target)
        return frozenset(read)

    @property
    def writes(self) -> frozenset[str]:
        """The variables that the script writes."""
        return frozenset(target for target, _ in self.assignments)

    def run(self, values: Mapping[str, Value], *, at: datetime | None = None) -> dict[str, Value]:
        """Return what the script writes over `values`; each line sees the ones before it."""
        written: dict[str, Value] = {}
        for target, expression in self.assignments:
            known = {
                name: written[name] if name in written else values[name]
                for name in expression.names
                if name in written or name in values
            }
            written[target] = expression.evaluate(known, at=at)
        return written


def compile_script(source: str) -> Script:
    """Return the script of lines `name = expression`, one per line or parted by `;`.

    Raise a leaf of `errors` for anything else; its line and column are those of `source`.
    """
    if len(source) > SOURCE_CHARS:
        raise ExpressionTooLong(
            f"expected at most {SOURCE_CHARS} characters, got {len(source)}",
            limit=SOURCE_CHARS,
            got=len(source),
        )
    assignments = [_assignment(source, start, end) for start, end in _statements(source)]
    if len(assignments) > ASSIGNMENTS:
        raise ExpressionTooLarge(
            f"expected at most {ASSIGNMENTS} assignments, got more", limit=ASSIGNMENTS
        )
    return Script(source=source, assignments=tuple(assignments))


def _statements(source: str) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each statement: a `;`, or a new line outside of brackets, ends it."""
    tokens = tokenize(source)
    start = 0
    level = 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        breaks = before is not None and "\n" in source[before.at + len(before.text) : token.at]
        ends = token.kind is Kind.END or (level == 0 and (token.text == ";" or breaks))
        if ends and start < token.at and before is not None and before.at >= start:
            yield start, token.at
        if ends:
            start = token.at + (token.text == ";")
        if token.kind is Kind.SYMBOL:
            level += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))


def _assignment(source: str, start: int, end: int) -> tuple[str, Expression]:
    tokens = [token for token in tokenize(source[:end]) if token.at >= start]
    name, sign = tokens[0], tokens[1]
    if name.kind is not Kind.NAME or name.text in KEYWORDS:
        raise syntax_error(source, name.at, expected="<name>", got=name.text)
    if sign.text != "=":
        raise syntax_error(source, sign.at, expected="=", got=sign.text)
    body = sign.at + 1
    try:
        return name.text, compile_expression(source[body:end].strip(), profile=MODEL)
    except ExpressionSyntax as exc:
        blank = len(source[body:end]) - len(source[body:end].lstrip())
        raise _moved(exc, source, body + blank) from exc


def _moved(error: ExpressionSyntax, source: str, offset: int) -> ExpressionSyntax:
    """Return `error` with its position counted from the start of the script."""
    line, column = position_of(source, offset)
    at_line, at_column = int(error.parameters["line"]), int(error.parameters["column"])
    return ExpressionSyntax(
        error.message,
        line=line + at_line - 1,
        column=at_column if at_line > 1 else column + at_column - 1,
        expected=error.parameters["expected"],
        got=error.parameters["got"],
    )
