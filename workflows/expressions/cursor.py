"""A place in the tokens, with what the parser knows so far: names in scope, limits, profile.

FEEL names are matched longest first against the names in scope (DMN 1.5, 10.3.1.2, rule 27).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from workflows.expressions.errors import (
    ExpressionRefused,
    ExpressionSyntax,
    ExpressionTooDeep,
    ExpressionTooLarge,
    ExpressionTooLong,
)
from workflows.expressions.lexer import Kind, Token, position_of, syntax_error, tokenize
from workflows.expressions.profile import Construct, Profile
from workflows.expressions.vocabulary import Vocabulary, Words

KEYWORDS: Final = frozenset(
    {
        *("and", "or", "not", "in", "between", "if", "then", "else", "for", "return"),
        *("some", "every", "satisfies", "instance", "true", "false", "null", "function"),
    }
)
_NAME_SYMBOLS: Final = frozenset(".-+*/'**")


class Cursor:
    """The parser's state over one source."""

    def __init__(
        self,
        source: str,
        profile: Profile,
        *,
        names: Iterable[str],
        library: Container[str],
        vocabulary: Vocabulary,
    ) -> None:
        if len(source) > profile.source_chars:
            raise ExpressionTooLong(
                f"expected at most {profile.source_chars} characters, got {len(source)}",
                limit=profile.source_chars,
                got=len(source),
            )
        self.source = source
        self.profile = profile
        self.tokens = tokenize(source)
        self.index = 0
        self.nodes = 0
        self.free: set[str] = set()
        self.placeholders = 0
        self._depth = 0
        self._scopes: list[set[str]] = [set(names)]
        self._library = library
        self._known = Vocabulary(self._scopes[0], outer=vocabulary)

    @property
    def token(self) -> Token:
        """The token at the cursor."""
        return self.tokens[self.index]

    def peek(self, ahead: int = 1) -> Token:
        """Return a later token; past the end it is the END token."""
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Step over the token at the cursor and return it."""
        token = self.tokens[self.index]
        if token.kind is not Kind.END:
            self.index += 1
        return token

    def at_symbol(self, *symbols: str) -> bool:
        """Say whether one of `symbols` stands at the cursor."""
        return self.token.kind is Kind.SYMBOL and self.token.text in symbols

    def at_word(self, *words: str) -> bool:
        """Say whether one of the key words `words` stands at the cursor."""
        return self.token.kind is Kind.NAME and self.token.text in words

    def accept(self, text: str) -> bool:
        """Step over the symbol or key word `text` if it stands at the cursor."""
        if self.token.kind in (Kind.SYMBOL, Kind.NAME) and self.token.text == text:
            self.index += 1
            return True
        return False

    def expect(self, *texts: str) -> Token:
        """Step over one of `texts`, or raise `ExpressionSyntax`."""
        for text in texts:
            if self.token.kind in (Kind.SYMBOL, Kind.NAME) and self.token.text == text:
                return self.advance()
        raise self.unexpected(" ".join(texts))

    def unexpected(self, expected: str) -> ExpressionSyntax:
        """Return the error for the token at the cursor."""
        return syntax_error(self.source, self.token.at, expected=expected, got=self.token.text)

    def refuse(self, construct: Construct, at: int) -> None:
        """Raise `ExpressionRefused` when the profile lacks `construct`."""
        if construct in self.profile.refused:
            line, column = position_of(self.source, at)
            raise ExpressionRefused(
                f"expected the {self.profile.name} profile, got {construct.value} "
                f"in line {line}, column {column}",
                construct=construct.value,
                line=line,
                column=column,
            )

    def count_node(self) -> None:
        """Account for one syntax node."""
        self.nodes += 1
        if self.nodes > self.profile.nodes:
            limit = self.profile.nodes
            raise ExpressionTooLarge(f"expected at most {limit} nodes, got more", limit=limit)

    @contextmanager
    def nested(self, levels: int = 1) -> Iterator[None]:
        """Account for nesting while the block runs."""
        self._depth += levels
        if self._depth > self.profile.nesting:
            limit = self.profile.nesting
            line, column = position_of(self.source, self.token.at)
            raise ExpressionTooDeep(
                f"expected at most {limit} levels, got more in line {line}, column {column}",
                limit=limit,
                line=line,
                column=column,
            )
        try:
            yield
        finally:
            self._depth -= levels

    @contextmanager
    def scope(self, *names: str) -> Iterator[None]:
        """Open a scope with `names` while the block runs."""
        self._scopes.append(set())
        for name in names:
            self.declare(name)
        try:
            yield
        finally:
            self._scopes.pop()

    def declare(self, name: str) -> None:
        """Put `name` into the innermost scope."""
        self._scopes[-1].add(name)
        self._known.learn(name)

    def is_local(self, name: str) -> bool:
        """Say whether a construct inside the expression binds `name`."""
        return any(name in scope for scope in self._scopes[1:])

    def is_builtin(self, name: str) -> bool:
        """Say whether `name` means a function of the library here."""
        return name in self._library and not any(name in scope for scope in self._scopes)

    def name(self) -> str:
        """Step over a name in the position of a variable; an unknown one may have several words."""
        if self.token.kind is not Kind.NAME or self.token.text in KEYWORDS:
            raise self.unexpected("<name>")
        return self._joined(self.advance().text)

    def member(self) -> str:
        """Step over the name after a dot, longest known first."""
        if self.token.kind is not Kind.NAME:
            raise self.unexpected("<name>")
        return self._joined(self.known_name() or self.advance().text)

    def _joined(self, name: str) -> str:
        while self.token.kind is Kind.NAME and self.token.gap and not self._ends_name():
            name += " " + self.advance().text
        return name

    def known_name(self) -> str | None:
        """Step over the longest known name at the cursor, or stay and return None."""
        for words, name in self._known.starting(self.token.text):
            if self._matches(words):
                self.index += len(words)
                return name
        return None

    def name_until(self, *ends: str) -> str:
        """Step over a new name, which ends before one of `ends` (rule 27)."""
        if self.token.kind is not Kind.NAME or self.token.text in ends:
            raise self.unexpected("<name>")
        name = self.advance().text
        while self._continues_name(ends):
            token = self.advance()
            name += (" " if token.gap else "") + token.text
        return name

    def _continues_name(self, ends: tuple[str, ...]) -> bool:
        token = self.token
        if token.text in ends or token.kind in (Kind.END, Kind.TEXT):
            return False
        return token.kind is not Kind.SYMBOL or token.text in _NAME_SYMBOLS

    def _ends_name(self) -> bool:
        return self.token.text in KEYWORDS or self.token.text == "external"

    def _matches(self, words: Words) -> bool:
        for ahead, (text, gap) in enumerate(words):
            token = self.peek(ahead)
            if token.text != text or (ahead and token.gap != gap):
                return False
        return True
