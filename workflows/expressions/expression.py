"""One compiled expression or list of unary tests, and its evaluation within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from workflows.expressions.builtins import (
    LIBRARY,
    LIBRARY_WORDS,
    MODEL_LIBRARY,
    MODEL_WORDS,
)
from workflows.expressions.compiler import Compiler
from workflows.expressions.cursor import Cursor
from workflows.expressions.errors import CallDepthLimit, ExpressionTooDeep, ResultLimit
from workflows.expressions.parser import parse_tests, parse_whole
from workflows.expressions.profile import DMN, MODEL, Construct, Profile
from workflows.expressions.runtime import Evaluator, Feel, Function, Run, Scope
from workflows.expressions.tree import Tests
from workflows.expressions.types import Type
from workflows.expressions.values import DEPTH, Value, from_feel, to_feel
from workflows.expressions.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """A compiled expression of a model."""

    source: str
    names: frozenset[str]  # the variables it reads
    profile: Profile
    evaluator: Evaluator

    def evaluate(self, values: Mapping[str, Value], *, at: datetime | None = None) -> Value:
        """Return the value over `values`; a missing name is null.

        `at` is the present for `now()` and `today()`. Raise a leaf of `errors` on a breach of a
        limit, on a value outside the closed set, and when the present is asked for in vain.
        """
        known: dict[str, Feel] = {}
        for name in self.names:
            if name in values:
                known[name] = to_feel(values[name])
        try:
            result = self.evaluator(Scope(known, Run(self.profile, at)))
        except RecursionError as exc:
            raise _too_deep_calls(self.profile) from exc
        if result is True or result is False:
            return result
        check_size(result, self.profile)
        return from_feel(result)


def compile_expression(
    source: str, *, profile: Profile = MODEL, names: Iterable[str] = ()
) -> Expression:
    """Return the compiled form of `source`; raise a leaf of `errors` with line and column.

    `names` are variables whose names have spaces or symbols; plain ones need no mention.
    The last few thousand sources stay compiled.
    """
    return compiled_expression(source, profile, tuple(names))


@lru_cache(maxsize=4096)
def compiled_expression(source: str, profile: Profile, names: tuple[str, ...]) -> Expression:
    """Return the expression out of the cache; an expression never changes, so it can be shared."""
    environment = Environment(profile=profile, names=frozenset(names))
    evaluator, free = compile_feel(source, environment)
    return Expression(source=source, names=free, profile=profile, evaluator=evaluator)


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """What a source may refer to: variables, names of entries that paths use, and types."""

    profile: Profile = DMN
    names: frozenset[str] = frozenset()
    vocabulary: Vocabulary | None = None  # when more is known than the names of the library
    types: Mapping[str, Type] = field(default_factory=dict)


def compile_feel(source: str, environment: Environment) -> tuple[Evaluator, frozenset[str]]:
    """Return the evaluator of an expression and the names it leaves free."""
    return _compiled(source, environment, lambda compiler, c: compiler.compile(parse_whole(c)))


def compile_tests(source: str, environment: Environment) -> tuple[Evaluator, frozenset[str]]:
    """Return the evaluator of unary tests, over a scope that holds the value as `?`."""
    return _compiled(source, environment, lambda compiler, c: compiler.tests(parse_tests(c)))


def parse_unary_tests(source: str, environment: Environment) -> Tests:
    """Return the tree of unary tests, for those who analyse tables."""
    return parse_tests(_cursor(source, environment))


def _compiled(
    source: str, environment: Environment, build: Callable[[Compiler, Cursor], Evaluator]
) -> tuple[Evaluator, frozenset[str]]:
    library = library_of(environment.profile)
    cursor = _cursor(source, environment)
    compiler = Compiler(source, library=library, types=environment.types)
    try:
        evaluator = build(compiler, cursor)
    except RecursionError as exc:
        raise _too_deep(environment.profile) from exc
    return evaluator, frozenset(cursor.free)


def _cursor(source: str, environment: Environment) -> Cursor:
    return Cursor(
        source,
        environment.profile,
        names=environment.names,
        library=library_of(environment.profile),
        vocabulary=environment.vocabulary or _words_of(environment.profile),
    )


def vocabulary_of(names: Iterable[str]) -> Vocabulary:
    """Return the vocabulary of the full library with `names`, to be made once per model."""
    return Vocabulary(names, outer=LIBRARY_WORDS)


def _words_of(profile: Profile) -> Vocabulary:
    return MODEL_WORDS if Construct.FULL_LIBRARY in profile.refused else LIBRARY_WORDS


def library_of(profile: Profile) -> Mapping[str, Function]:
    """Return the functions that `profile` has."""
    return MODEL_LIBRARY if Construct.FULL_LIBRARY in profile.refused else LIBRARY


def guarded(evaluator: Evaluator, scope: Scope) -> Feel:
    """Return the value of `evaluator`; exhausted Python frames count as a breach of call depth."""
    try:
        return evaluator(scope)
    except RecursionError as exc:
        raise _too_deep_calls(scope.run.profile) from exc


def check_size(value: Feel, profile: Profile) -> None:
    """Raise `ResultLimit` when `value` would be larger than the profile allows, roughly in JSON."""
    left = profile.result_bytes
    open_values: list[tuple[Feel, int]] = [(value, 0)]
    while open_values and left >= 0:
        current, depth = open_values.pop()
        left = left - 8 if depth <= DEPTH else -1
        if isinstance(current, str):
            left -= len(current.encode("utf-8", "surrogatepass"))
        elif isinstance(current, list):
            left -= len(current)
            open_values.extend((item, depth + 1) for item in current[: max(left, 0)])
        elif isinstance(current, Mapping):
            left -= sum(len(key) for key in current)
            open_values.extend((item, depth + 1) for item in current.values())
        elif isinstance(current, Decimal):
            left -= 8
    if left < 0:
        limit = profile.result_bytes
        raise ResultLimit(f"expected a result of at most {limit} bytes, got more", limit=limit)


def _too_deep_calls(profile: Profile) -> CallDepthLimit:
    limit = profile.call_depth
    return CallDepthLimit(f"expected at most {limit} nested calls, got too deep ones", limit=limit)


def _too_deep(profile: Profile) -> ExpressionTooDeep:
    return ExpressionTooDeep(
        f"expected at most {profile.nesting} levels, got more",
        limit=profile.nesting,
        line=1,
        column=1,
    )
