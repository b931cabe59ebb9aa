"""The language itself: operators, three-valued logic, ranges, lists, contexts, functions, names."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from workflows.expressions.errors import ExpressionSyntax
from workflows.expressions.expression import Environment, compile_feel

Shown = Callable[..., str]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0.3333333333333333333333333333333333"),
        ("1 - 2 - 3", "-4"),
        ("2 + 3 * 4", "14"),
        ("-5 ** 2", "25"),
        ("2 ** 3 ** 2", "64"),
        ("10 / 0", "null"),
        ("--1", "1"),
        ("1.50 = 1.5", "true"),
        ('"a" + "b"', '"ab"'),
        ('"a" + 1', "null"),
        ("1 + null", "null"),
        ("99999999999 ** 99999999", "null"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012340"),
    ],
)
def test_arithmetic_is_decimal_with_34_digits(feel: Shown, source: str, expected: str) -> None:
    assert feel(source) == expected


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        ("true", "true", "true", "true"),
        ("true", "false", "false", "true"),
        ("true", "null", "null", "true"),
        ("false", "null", "false", "null"),
        ("null", "null", "null", "null"),
        ("false", "1", "false", "null"),
        ('"x"', "true", "null", "true"),
    ],
)
def test_logic_has_three_values(feel: Shown, left: str, right: str, both: str, either: str) -> None:
    assert feel(f"{left} and {right}") == both
    assert feel(f"{right} and {left}") == both
    assert feel(f"{left} or {right}") == either
    assert feel(f"{right} or {left}") == either


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("null = null", "true"),
        ("1 = null", "false"),
        ('1 = "1"', "null"),
        ('1 != "1"', "null"),
        ("[1, 2] = [1, 2]", "true"),
        ("[1, 2] = [2, 1]", "false"),
        ("{a: 1, b: 2} = {b: 2, a: 1}", "true"),
        ("{a: 1} = {a: 1, b: 2}", "false"),
        ("[1..2] = [1..2]", "true"),
        ("[1..2] = [1..2)", "false"),
        ('"b" > "a"', "true"),
        ('"b" > 1', "null"),
        ("1 < null", "null"),
        ("5 between 1 and 10", "true"),
        ("5 between 6 and null", "false"),
        ("null between 1 and 2", "null"),
        ("1 instance of number", "true"),
        ("null instance of number", "false"),
        ("[1, 2] instance of list<number>", "true"),
        ('[1, "a"] instance of list<number>', "false"),
        ("{a: 1} instance of context<a: number>", "true"),
        ("{a: 1} instance of context<a: number, b: string>", "false"),
        ("[1..2] instance of range<number>", "true"),
        ('duration("P1Y") instance of years and months duration', "true"),
        ('@"2020-01-01T00:00:00" instance of date and time', "true"),
        ("(function(a) a) instance of function<Any> -> Any", "true"),
    ],
)
def test_comparisons(feel: Shown, source: str, expected: str) -> None:
    assert feel(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 in [1..3]", "true"),
        ("3 in [1..3)", "false"),
        ("3 in ]1..3]", "true"),
        ("3 in [1..3[", "false"),
        ("5 in (> 3, 1)", "true"),
        ("5 in > 6", "false"),
        ("2 in [1, 2]", "true"),
        ("[1, 2] in [[1, 2], [3]]", "true"),
        ("null in [1, null]", "true"),
        ('"b" in ["a".."c"]', "true"),
        ('"b" in [1..3]', "null"),
        ("(>= 5).start", "5"),
        ("[1..5].end included", "true"),
        ("[5..1]", "null"),
        ("[1..null]", "null"),
        ('[1.."a"]', "null"),
        ("7 in (< 5)", "false"),
        ('@"2026-11-23" in [@"2026-01-01"..@"2026-12-31"]', "true"),
    ],
)
def test_ranges_and_membership(feel: Shown, source: str, expected: str) -> None:
    assert feel(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[1, 2, 3][1]", "1"),
        ("[1, 2, 3][-1]", "3"),
        ("[1, 2, 3][0]", "null"),
        ("[1, 2, 3][4]", "null"),
        ("[1, 2, 3][item > 1]", "[2, 3]"),
        ("[{a: 1}, {a: 2}][a = 2]", "[{a: 2}]"),
        ("[{item: 1}, {item: 2}][item = 2]", "[{item: 2}]"),
        ("[{a: 1}, {b: 2}][a = 1]", "[{a: 1}]"),
        ("[][item > 1]", "[]"),
        ("null[item > 1]", "[]"),
        ("5[1]", "5"),
        ("[1, 2, 3][true]", "[1, 2, 3]"),
        ("[{a: 1}, {a: 2}].a", "[1, 2]"),
        ("[{a: 1}, {b: 2}].a", "[1, null]"),
        ("{a: {b: 1}}.a.b", "1"),
        ("{a: 1}.b", "null"),
        ("null.b", "null"),
        ("{a: 1, b: a + 1}.b", "2"),
        ('{"a b": 1}.a b', "1"),
        ("{a+b: 1, c: a+b + 1}.c", "2"),
    ],
)
def test_lists_and_contexts(feel: Shown, source: str, expected: str) -> None:
    assert feel(source) == expected


def test_refuses_a_key_that_stands_twice(feel: Shown) -> None:
    with pytest.raises(ExpressionSyntax):
        feel("{a: 1, a: 2}")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if true then 1 else 2", "1"),
        ("if null then 1 else 2", "2"),
        ("for i in [1, 2], j in [3, 4] return i * j", "[3, 4, 6, 8]"),
        ("for i in 3..1 return i", "[3, 2, 1]"),
        ("for i in [1..4) return i", "[1, 2, 3]"),
        ('for d in @"2026-02-27"..@"2026-03-01" return d.day', "[27, 28, 1]"),
        ("for i in 1..4 return if i = 1 then 1 else i * partial[-1]", "[1, 2, 6, 24]"),
        ("for i in null return i", "null"),
        ("for i in 5 return i", "[5]"),
        ("some x in [1, 2] satisfies x > 1", "true"),
        ("every x in [1, 2] satisfies x > 1", "false"),
        ("some x in [] satisfies x > 1", "false"),
        ("every x in [] satisfies x > 1", "true"),
        ("some x in [1, null] satisfies x > 1", "null"),
        ("(function(x) x + 1)(2)", "3"),
        ("(function(x: number, y: number) x - y)(y: 1, x: 5)", "4"),
        ('(function(x: number) x)("a")', "null"),
        ("(function(x: number) x)([1])", "1"),
        ("(function(x) x)(1, 2)", "null"),
        ("{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(5)}.r", "120"),
        ("{f: function(x) function(y) x + y, r: f(1)(2)}.r", "3"),
        ("unknown(1)", "null"),
        ('(function(x) external {java: {class: "a"}})(1)', "null"),
        ("1 // one\n + /* two */ 2", "3"),
        (r'"a\"b\\\u0041\U01F40E\n"', r'"a\"b\\A🐎\n"'),
        (r'"\uD83D\uDC0E"', '"🐎"'),
        (r'"\d"', r'"\\d"'),
    ],
)
def test_forms(feel: Shown, source: str, expected: str) -> None:
    assert feel(source) == expected


def test_names_match_longest_first(feel: Shown) -> None:
    assert feel("a - b", **{"a": Decimal(5), "b": Decimal(2)}) == "3"
    assert feel("a-b + 1", **{"a": Decimal(5), "b": Decimal(2), "a-b": Decimal(9)}) == "10"
    assert feel("Tuổi người nộp > 17", **{"Tuổi người nộp": Decimal(18)}) == "true"
    assert feel("date and time and true", **{"date and time": True}) == "true"
    assert feel("count(list) + count", **{"count": Decimal(1), "list": [None]}) == "2"
    assert feel("🐎 * 2", **{"🐎": Decimal(4)}) == "8"


def test_an_unknown_name_is_null(feel: Shown) -> None:
    assert feel("missing") == "null"
    assert feel("missing.entry = null") == "true"


@pytest.mark.parametrize(
    ("source", "line", "column", "expected", "got"),
    [
        ("1 +", 1, 4, "<expression>", "<end>"),
        ("(1 + 2", 1, 7, ")", "<end>"),
        ("if a then b", 1, 12, "else", "<end>"),
        ("[1, 2", 1, 6, "]", "<end>"),
        ("1 +\n  * 2", 2, 3, "<expression>", "*"),
        ('"open', 1, 1, "<closing quote>", '"'),
        ("a = = b", 1, 5, "<expression>", "="),
        ("x instance number", 1, 12, "of", "number"),
        ("for in [1] return x", 1, 5, "<name>", "in"),
        (">= 3 and < 9", 1, 1, "<expression>", ">="),
        ("1 2", 1, 3, "<operator> or <end>", "2"),
        ("a /* b", 1, 3, "<end of comment>", "<end>"),
        ("`a`", 1, 1, "<expression>", "`"),
    ],
)
def test_errors_name_the_position_and_what_was_expected(
    source: str, line: int, column: int, expected: str, got: str
) -> None:
    with pytest.raises(ExpressionSyntax) as caught:
        compile_feel(source, Environment())
    found = caught.value.parameters
    assert (found["line"], found["column"]) == (line, column)
    assert (found["expected"], found["got"]) == (expected, got)
