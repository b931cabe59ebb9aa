"""Known names of several words or symbols, found by their first word, longest first (rule 27)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from workflows.expressions.errors import ExpressionSyntax
from workflows.expressions.lexer import tokenize

Words: TypeAlias = tuple[tuple[str, bool], ...]  # the tokens of a name, each with its gap


class Vocabulary:
    """Names by their first token, with an outer vocabulary behind them that never changes."""

    def __init__(self, names: Iterable[str] = (), *, outer: Vocabulary | None = None) -> None:
        self._outer = outer
        self._known: dict[str, list[tuple[Words, str]]] = {}
        for name in names:
            self.learn(name)

    def learn(self, name: str) -> None:
        """Add a name; one that FEEL cannot write is left out, `get value` alone reaches it."""
        words = _words_of(name)
        if not words:
            return
        known = self._known.setdefault(words[0][0], [])
        if all(entry[0] != words for entry in known):
            known.append((words, name))
            known.sort(key=lambda entry: -len(entry[0]))

    def starting(self, first: str) -> Iterator[tuple[Words, str]]:
        """Yield the names whose first token is `first`, the longest first."""
        own = self._known.get(first, [])
        outer = [] if self._outer is None else list(self._outer.starting(first))
        if not (own and outer):
            yield from own or outer
        else:
            yield from sorted((*own, *outer), key=lambda entry: -len(entry[0]))


def _words_of(name: str) -> Words:
    if name.isidentifier() and name.isascii():
        return ((name, False),)
    try:
        return tuple((token.text, token.gap) for token in tokenize(name)[:-1])
    except ExpressionSyntax:
        return ()
