"""Any text is an expression that evaluates within its limits, or one of our errors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import Rejected
from workflows.expressions import compile_expression, compile_script, printing, translate
from workflows.expressions.expression import (
    Environment,
    compile_feel,
    compile_tests,
    guarded,
)
from workflows.expressions.profile import DMN
from workflows.expressions.regex import compile_pattern, search
from workflows.expressions.runtime import Run, Scope

_WORDS = (
    *("1", "0", "2.5", "-", "+", "*", "/", "**", "..", "(", ")", "[", "]", "{", "}", ",", ":"),
    *("<", "<=", ">", "=", "!=", "and", "or", "not", "in", "between", "if", "then", "else"),
    *("for", "return", "some", "every", "satisfies", "function", "instance of", "list<", "number"),
    *("a", "b c", "item", "partial", "?", ".", "null", "true", "count", "sum", "string", "sort"),
    *('"x"', '@"2026-11-23"', '@"P1D"', '"\\u0041"', "date", "//", "/*", "*/", "\n", ";", "'"),
)
_SOURCES = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(_WORDS), max_size=24).map(" ".join),
    st.lists(st.sampled_from(_WORDS), max_size=24).map("".join),
)
_PATTERNS = st.text(alphabet="ab|*+?(){}[]^$.\\123,-pdwsPL:", max_size=24)


@given(_SOURCES)
def test_any_text_evaluates_or_is_refused(source: str) -> None:
    for compiled in (compile_feel, compile_tests):
        run = Run(DMN, None)
        run.left = 20_000  # the same limit, reached sooner
        try:
            evaluator, _ = compiled(source, Environment(names=frozenset({"b c"})))
            value = guarded(evaluator, Scope({"?": None, "a": [None, True]}, run))
            printing.literal(value)
        except Rejected:
            continue


@given(_SOURCES)
def test_any_text_is_a_model_expression_or_is_refused(source: str) -> None:
    for accepted in (compile_expression, compile_script, translate):
        try:
            accepted(source)
        except Rejected:
            continue


@given(_PATTERNS, st.text(alphabet="ab1-", max_size=12))
def test_any_pattern_matches_within_the_budget(pattern: str, text: str) -> None:
    run = Run(DMN, None)
    run.left = 20_000
    try:
        compiled = compile_pattern(pattern, "")
        if compiled is not None:
            search(compiled, text, 0, run)
    except Rejected:
        return
