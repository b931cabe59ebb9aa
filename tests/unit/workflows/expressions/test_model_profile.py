"""Expressions of a procedure: the subset, compiled once, over plain Python values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from workflows.expressions import Value, YearsMonths, compile_expression, compile_script
from workflows.expressions.errors import (
    ExpressionRefused,
    ExpressionSyntax,
    ExpressionTooLarge,
    InstantMissing,
    ValueRefused,
)
from workflows.expressions.expression import compiled_expression

INSTANT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


def test_names_are_the_free_variables() -> None:
    found = compile_expression("amount > 5 and (some x in items satisfies x.id = wanted.id)")
    assert found.names == {"amount", "items", "wanted"}


def test_a_value_may_have_the_name_of_a_function() -> None:
    names: dict[str, Value] = {"number": Decimal(7), "date": "2026-01-02", "count": Decimal(2)}
    found = compile_expression(
        'number > count and string(number) = "7" and date(date) = date(date)'
    )
    assert found.names == {"number", "date", "count"}
    assert found.evaluate(names) is True


def test_a_condition_reads_only_what_it_names() -> None:
    found = compile_expression("amount > 5 and not(paid)")
    values = {"amount": 7, "paid": False, "unread": 1.5}
    assert found.evaluate(values) is True  # type: ignore[arg-type]  # the float is never looked at


def test_a_missing_name_is_null_and_can_be_asked_for() -> None:
    assert compile_expression("amount > 5").evaluate({}) is None
    assert compile_expression("is defined(amount)").evaluate({}) is False
    assert compile_expression("is defined(a.b)").evaluate({"a": {"b": None}}) is True


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('date("2026-11-23") + duration("P1M")', date(2026, 12, 23)),
        ('duration("PT36H")', timedelta(hours=36)),
        ('duration("P1Y")', YearsMonths(12)),
        (
            'date and time("2026-11-23T10:00:00")',
            datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")),
        ),
        ("now()", INSTANT),
        ("today()", date(2026, 11, 23)),
        ("[1, {a: 2}]", [Decimal(1), {"a": Decimal(2)}]),
        ("x", {"deep": [timedelta(days=1)]}),
    ],
)
def test_results_are_python_values(source: str, expected: object) -> None:
    values: dict[str, Value] = {"x": {"deep": [timedelta(days=1)]}}
    assert compile_expression(source).evaluate(values, at=INSTANT) == expected


@pytest.mark.parametrize(
    ("source", "construct"),
    [
        ("[1, 2][1]", "filter"),
        ("for x in [1] return x", "for"),
        ("2 ** 3", "**"),
        ("function(x) x", "function"),
        ("a.b(1)", "function"),
        ("eval(1)", "function"),
        ("? > 1", "?"),
        ("sort([1], a)", "function"),
    ],
)
def test_refuses_what_only_decisions_have(source: str, construct: str) -> None:
    with pytest.raises(ExpressionRefused) as caught:
        compile_expression(source)
    assert caught.value.parameters["construct"] == construct


def test_the_present_must_be_given() -> None:
    with pytest.raises(InstantMissing):
        compile_expression("now()").evaluate({})


@pytest.mark.parametrize(
    "value",
    [1.5, Decimal("NaN"), Decimal("Infinity"), {1: 2}, b"x", {1}, INSTANT.replace(tzinfo=None)],
)
def test_refuses_values_outside_the_closed_set(value: object) -> None:
    with pytest.raises(ValueRefused):
        compile_expression("x = 1").evaluate({"x": value})  # type: ignore[dict-item]  # on purpose


@pytest.mark.parametrize("source", ['date("99999-01-01")', "[1..2]"])
def test_refuses_results_that_python_has_no_type_for(source: str) -> None:
    with pytest.raises(ValueRefused):
        compile_expression(source).evaluate({})


def test_compiled_sources_are_shared() -> None:
    first = compile_expression("shared + 1")
    before = compiled_expression.cache_info().hits
    assert compile_expression("shared + 1") is first
    assert compiled_expression.cache_info().hits == before + 1


def test_a_script_sees_its_own_writes() -> None:
    script = compile_script("fee = amount * 2\ntotal = fee + 1; label = {a: total,\n b: [1,\n 2]}")
    assert script.names == {"amount"}
    assert script.writes == {"fee", "total", "label"}
    written = script.run({"amount": Decimal(3), "other": Decimal(1)})
    assert written["total"] == Decimal(7)
    assert written["label"] == {"a": Decimal(7), "b": [Decimal(1), Decimal(2)]}
    assert "other" not in written


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("a = 1\nb = 1 +", 2, 8),
        ("a = 1\n1 = b", 2, 1),
        ("a = 1; b", 1, 9),
        ("a == 1", 1, 4),
        ("a.b = 1", 1, 2),
        ("import os", 1, 8),
        ("if = 1", 1, 1),
    ],
)
def test_a_script_has_assignments_only(source: str, line: int, column: int) -> None:
    with pytest.raises(ExpressionSyntax) as caught:
        compile_script(source)
    assert (caught.value.parameters["line"], caught.value.parameters["column"]) == (line, column)


def test_a_script_has_a_limit() -> None:
    with pytest.raises(ExpressionTooLarge):
        compile_script("\n".join(f"a{n} = 1" for n in range(65)))


def test_an_empty_script_writes_nothing() -> None:
    assert compile_script(" \n ; \n").run({}) == {}
