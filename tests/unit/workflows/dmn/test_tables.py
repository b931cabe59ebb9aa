"""Decision tables: hit policies, types, allowed values, defaults, traces."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.builders.dmn import decision, definitions, input_element, table
from workflows.dmn import Outcome, load_model
from workflows.dmn.record import json_text, record_of

TWO_RULES = (("> 1", "10"), ("> 2", "20"))


def _sample(policy: str, aggregation: str = "", *, x: object = 5, **options: str) -> Outcome:
    body = table(
        {"x": "number"},
        {"y": "number"},
        *TWO_RULES,
        policy=policy,
        aggregation=aggregation,
        **options,  # type: ignore[arg-type]  # only texts are passed here
    )
    model = load_model([definitions(input_element("x", "number"), decision("d", body, ">x"))])
    return model.evaluate("d", {"x": x})


@pytest.mark.parametrize(
    ("policy", "aggregation", "expected", "problem"),
    [
        ("UNIQUE", "", "null", "dmn_not_unique"),
        ("FIRST", "", "10", None),
        ("ANY", "", "null", "dmn_outputs_differ"),
        ("PRIORITY", "", "20", None),
        ("RULE ORDER", "", "[10, 20]", None),
        ("OUTPUT ORDER", "", "[20, 10]", None),
        ("COLLECT", "", "[10, 20]", None),
        ("COLLECT", "SUM", "30", None),
        ("COLLECT", "COUNT", "2", None),
        ("COLLECT", "MAX", "20", None),
        ("COLLECT", "MIN", "10", None),
    ],
)
def test_each_hit_policy(policy: str, aggregation: str, expected: str, problem: str | None) -> None:
    found = _sample(policy, aggregation, values="20, 10")
    assert json_text(found.value) == expected
    assert [p.code for p in found.problems] == ([problem] if problem else [])
    assert found.traces[0].matched == ((0,) if policy == "FIRST" else (0, 1))


@pytest.mark.parametrize(
    ("policy", "aggregation", "expected"),
    [
        ("UNIQUE", "", "null"),
        ("FIRST", "", "null"),
        ("RULE ORDER", "", "null"),
        ("COLLECT", "", "[]"),
        ("COLLECT", "COUNT", "0"),
        ("COLLECT", "SUM", "null"),
    ],
)
def test_no_match(policy: str, aggregation: str, expected: str) -> None:
    assert json_text(_sample(policy, aggregation, x=0).value) == expected


def test_no_match_gives_the_default_outputs() -> None:
    assert json_text(_sample("UNIQUE", x=0, default="7").value) == "7"
    assert json_text(_sample("RULE ORDER", x=0, default="7").value) == "[7]"


def test_a_missing_input_is_null() -> None:
    found = load_model(
        [
            definitions(
                input_element("x", "number"),
                decision("d", table({"x": ""}, {"y": ""}, ("null", '"none"')), ">x"),
            )
        ]
    ).evaluate("d", {})
    assert json_text(found.value) == '"none"'


@pytest.mark.parametrize(
    ("test", "accepted", "refused"),
    [
        ("[1..10]", "1", "11"),
        ("(1..10)", "2", "1"),
        ("]1..10[", "9", "10"),
        ("1, 2, 5", "5", "3"),
        ("not(5)", "4", "5"),
        ("not(1, [4..6])", "2", "5"),
        ("-", "1", ""),
        ("", "1", ""),
        (">= 3", "3", "2"),
        ("? > 2 and ? < 5", "4", "5"),
        ("odd(?)", "3", "4"),
        ("x + 0", "7", ""),
        ("[2, 4]", "4", "3"),
        ("null", "null", "1"),
    ],
)
def test_unary_tests(test: str, accepted: str, refused: str) -> None:
    body = table({"x": ""}, {"y": ""}, (test, "true"), default="false")
    model = load_model([definitions(input_element("x"), decision("d", body, ">x"))])

    def value(text: str) -> object:
        return model.evaluate("d", {"x": None if text == "null" else Decimal(text)}).value

    assert value(accepted) is True
    if refused:
        assert value(refused) is False


def test_texts_booleans_and_dates_in_cells() -> None:
    body = table(
        {"s": "string", "b": "boolean", "d": "date"},
        {"y": "string"},
        ('"a", "b"', "true", 'date("2026-11-23")', '"all"'),
        ('not("a")', "false", '>= @"2026-01-01"', '"other"'),
    )
    elements = (input_element("s", "string"), input_element("b", "boolean"))
    model = load_model(
        [definitions(*elements, input_element("d", "date"), decision("r", body, ">s", ">b", ">d"))]
    )
    first = model.evaluate("r", {"s": "b", "b": True, "d": "2026-11-23"})
    assert json_text(first.value) == '"all"'
    second = model.evaluate("r", {"s": "b", "b": False, "d": "2026-11-23"})
    assert json_text(second.value) == '"other"'
    assert model.evaluate("r", {"s": "a", "b": False, "d": "2026-11-23"}).value is None


def test_several_outputs_are_a_context() -> None:
    body = table(
        {"x": "number"},
        {"fee": "number", "office": "string"},
        ("< 5", "10", '"A"'),
        (">= 5", "20", '"B"'),
    )
    model = load_model([definitions(input_element("x", "number"), decision("d", body, ">x"))])
    assert json_text(model.evaluate("d", {"x": 5}).value) == '{"fee": 20, "office": "B"}'


def test_priority_ranks_the_outputs_from_left_to_right() -> None:
    outputs = (
        '<output name="a"><outputValues><text>"high","low"</text></outputValues></output>'
        '<output name="b"><outputValues><text>2, 1</text></outputValues></output>'
    )
    body = table({"x": ""}, {"a": "", "b": ""}, ("-", '"low"', "2"), ("-", '"high"', "1"),
                 ("-", '"high"', "2"), policy="OUTPUT ORDER")  # fmt: skip
    body = body.replace('<output name="a"></output><output name="b"></output>', outputs)
    model = load_model([definitions(input_element("x"), decision("d", body, ">x"))])
    assert json_text(model.evaluate("d", {}).value) == (
        '[{"a": "high", "b": 2}, {"a": "high", "b": 1}, {"a": "low", "b": 2}]'
    )


def test_aggregating_several_outputs_is_a_problem() -> None:
    body = table({"x": ""}, {"a": "", "b": ""}, ("-", "1", "2"), policy="COLLECT",
                 aggregation="SUM")  # fmt: skip
    model = load_model([definitions(input_element("x"), decision("d", body, ">x"))])
    found = model.evaluate("d", {})
    assert (found.value, found.problems[0].code) == (None, "dmn_aggregation_of_many")


def test_types_of_columns_are_enforced() -> None:
    body = table({"x": "number"}, {"y": "string"}, ("-", "1"))
    model = load_model([definitions(input_element("x"), decision("d", body, ">x"))])
    found = model.evaluate("d", {"x": "text"})
    assert found.value is None
    assert [(p.code, dict(p.parameters)["name"]) for p in found.problems] == [
        ("dmn_type_mismatch", "number"),
        ("dmn_type_mismatch", "string"),
    ]


def test_allowed_input_and_output_values_are_enforced() -> None:
    body = table({"x": "number"}, {"y": "number"}, ("< 3", "1"), (">= 3", "9"), values="1, 2")
    body = body.replace(
        "</inputExpression>",
        "</inputExpression><inputValues><text>[0..10]</text></inputValues>",
    )
    model = load_model([definitions(input_element("x", "number"), decision("d", body, ">x"))])
    assert json_text(model.evaluate("d", {"x": 1}).value) == "1"
    outside = model.evaluate("d", {"x": 11})
    assert [p.code for p in outside.problems] == ["dmn_input_not_allowed"]
    wrong = model.evaluate("d", {"x": 3})
    assert (wrong.value, [p.code for p in wrong.problems]) == (None, ["dmn_output_not_allowed"])


def test_the_record_names_version_inputs_rules_and_annotations() -> None:
    body = table({"x": "number"}, {"y": "number"}, ("< 3", "1", "Điều 5"), (">= 3", "9", "Điều 6"),
                 annotations=True)  # fmt: skip
    content = definitions(input_element("x", "number"), decision("d", body, ">x"))
    found = load_model([content]).evaluate("d", {"x": Decimal("3.50")})
    record = record_of(found)
    assert record["version"] == found.digest
    assert (record["inputs"], record["output"]) == ({"x": "3.5"}, "9")
    assert record["tables"] == [
        {
            "element": "d",
            "table": "t",
            "hitPolicy": "UNIQUE",
            "inputs": [{"label": "x", "value": "3.5"}],
            "matched": [{"number": 2, "id": "r2", "annotations": ["Điều 6"]}],
            "columns": ["x", "y", "note"],
            "rows": [
                {"number": 1, "isMatched": False, "cells": ["< 3", "1", "Điều 5"]},
                {"number": 2, "isMatched": True, "cells": [">= 3", "9", "Điều 6"]},
            ],
            "output": "9",
        }
    ]
    assert record["problems"] == []


def test_a_broken_cell_is_a_problem_with_its_line() -> None:
    body = table({"x": "number"}, {"y": "number"}, (">= 3 and < 9", "1"))
    content = definitions(input_element("x", "number"), decision("d", body, ">x"))
    found = load_model([content]).evaluate("d", {"x": 5})
    assert found.value is None
    problem = found.problems[0]
    assert (problem.code, problem.element, problem.line) == ("expression_syntax", "d", 4)
    assert "[3..9)" in dict(problem.parameters)["expected"]
