"""Hostile sources: each meets a limit that has a name, within a second, and never Python."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import workflows.dmn
import workflows.expressions
from dossier.errors import Rejected
from workflows.expressions import compile_expression, errors
from workflows.expressions.profile import MODEL

Shown = Callable[..., str]
_DOUBLING = "for i in 1..100 return [partial[-1], partial[-1]]"
_LETTERS = 'string join(for j in 1..1000 return "a")'


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("for i in 1..99999999999 return i", errors.ListLimit),
        ("for i in 1..100000, j in 1..100000 return 1", errors.ListLimit),
        ("some a in 1..999, b in 1..999, c in 1..999 satisfies a < 0", errors.StepLimit),
        ("{f: function(n) f(n + 1), r: f(1)}.r", errors.CallDepthLimit),
        ("{f: function(n) [f(n), f(n)], r: f(1)}.r", errors.CallDepthLimit),
        (f"string({_DOUBLING})", errors.TextLimit),
        (f"[{_DOUBLING}][1] = [{_DOUBLING}][1]", errors.StepLimit),
        (f"flatten({_DOUBLING})", errors.StepLimit),
        (f"index of({_DOUBLING}, 1)", errors.StepLimit),
        (f"count(distinct values({_DOUBLING}))", errors.StepLimit),
        (f"for i in 1..99999 return substring({_LETTERS}, 2)", errors.StepLimit),
        (
            'for i in 1..99 return if i = 1 then "ab" else partial[-1] + partial[-1]',
            errors.TextLimit,
        ),
        (f'matches({_LETTERS}, "((a+)+)\\1*b")', errors.StepLimit),
        ('matches("a", "((a{1000}){1000})")', errors.PatternLimit),
        ('matches("a", "a{99999}")', errors.PatternLimit),
        ('matches("a", "' + "(" * 60 + "a" + ")" * 60 + '")', errors.PatternLimit),
        ("(" * 200 + "1" + ")" * 200, errors.ExpressionTooDeep),
        ("[" * 200 + "]" * 200, errors.ExpressionTooDeep),
        ("-" * 500 + "1", errors.ExpressionTooDeep),
        ("{a:" * 200 + "1" + "}" * 200, errors.ExpressionTooDeep),
        ("a" + ".b" * 500, errors.ExpressionTooDeep),
        ("a" + "[1]" * 500, errors.ExpressionTooDeep),
        ("if a then " * 200 + "1" + " else 2" * 200, errors.ExpressionTooDeep),
        ("1" + " + 1" * 30_000, errors.ExpressionTooLong),
        ("1" + "+1" * 25_000, errors.ExpressionTooLarge),
        ("1 /*" + "*" * 60_000, errors.ExpressionSyntax),
        ('"' + "a" * 1_000_000 + '"', errors.ExpressionTooLong),
    ],
)
def test_a_limit_ends_it(feel: Shown, source: str, limit: type[Rejected]) -> None:
    with pytest.raises(limit):
        feel(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('matches(string join(for j in 1..200 return "a"), "(a*)*(a*)*b")', "false"),
        ('matches("a", "(?:(?:(?:){1000}){1000}){1000}")', "true"),
        ('split(string join(for j in 1..99 return "a"), "(a|aa)+$")', '["", ""]'),
        ("9 ** (9 ** 99)", "null"),
        ("1.000000001 ** 9999999999999999", "null"),
        ("exp(9999999999)", "null"),
        ("1e6144 * 10", "null"),
        ("0 / 0", "null"),
        ('number("NaN")', "null"),
        ('number("1e9999999")', "null"),
        ('date("' + "9" * 50 + '-01-01")', "null"),
        ('duration("P' + "9" * 60 + 'Y")', "null"),
        ('duration("P999999999999999999D") * 1e300', "null"),
        ("decimal(1, 999999999999)", "null"),
        ('@"2026-11-23" + duration("P999999999999999999Y")', "null"),
        ('"a".__class__', "null"),
        ("{a: 1}.__class__.__mro__", "null"),
        ("[].append", "[]"),
        ("__import__", "null"),
        ('__import__("os")', "null"),
        ('eval("1")', "null"),
        ("(function(x) x).__globals__", "null"),
        ("count.__code__", "null"),
        ('@"2026-11-23".replace', "null"),
        ("1.real", "null"),
        ("{f: exec}.f", "null"),
    ],
)
def test_nothing_leads_to_python_or_to_a_stall(feel: Shown, source: str, expected: str) -> None:
    assert feel(source) == expected


@pytest.mark.parametrize(
    "source", ["lambda x: x", "a if b else c", "[x for x in y]", "import os; x", "x := 1", "f'{x}'"]
)
def test_pythons_own_forms_are_no_feel(feel: Shown, source: str) -> None:
    with pytest.raises(errors.ExpressionSyntax):
        feel(source)


def test_host_objects_show_their_entries_only() -> None:
    found = compile_expression("x.__class__ = null and x.keys = null and x.items = null")
    assert found.evaluate({"x": {"a": 1}}) is True  # type: ignore[dict-item]  # ints are taken


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("x" * 2_001, errors.ExpressionTooLong),
        ("[" + ", ".join(["1"] * 201) + "]", errors.ExpressionTooLarge),
        ("(" * 33 + "1" + ")" * 33, errors.ExpressionTooDeep),
    ],
)
def test_the_model_profile_is_smaller(source: str, limit: type[Rejected]) -> None:
    with pytest.raises(limit):
        compile_expression(source)


def test_the_model_profile_limits_evaluation() -> None:
    rows: list[object] = ["x" * 1000] * 100
    with pytest.raises(errors.ResultLimit):
        compile_expression("rows").evaluate({"rows": rows})  # type: ignore[dict-item]  # a list of texts
    pairs = "some a in rows, b in rows, c in rows satisfies a != b"
    with pytest.raises(errors.StepLimit):
        compile_expression(pairs).evaluate({"rows": rows})  # type: ignore[dict-item]  # a list of texts
    assert compile_expression("count(rows)").evaluate({"rows": rows}) == 100  # type: ignore[dict-item]  # a list of texts
    assert MODEL.steps == 10_000


def test_no_file_of_the_language_calls_the_interpreter() -> None:
    banned = {"eval", "exec", "compile", "__import__", "getattr", "setattr", "globals", "open"}
    for package in (workflows.expressions, workflows.dmn):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in banned, path
