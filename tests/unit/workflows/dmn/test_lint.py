"""The lint: gaps and overlaps with their ranges, dead rules, wrong types, cycles, unknown names."""

from __future__ import annotations

import pytest

from tests.builders.dmn import decision, definitions, input_element, literal, table
from workflows.dmn import load_model
from workflows.dmn.lint import MAX_PER_TABLE, lint


def _findings(*elements: str) -> list[tuple[str, str]]:
    found = lint(load_model([definitions(*elements)]))
    return [(p.code, "; ".join(value for _, value in p.parameters)) for p in found]


def _table_findings(
    inputs: dict[str, str], *rules: tuple[str, ...], policy: str = "UNIQUE", **options: str
) -> list[tuple[str, str]]:
    body = table(inputs, {"y": "number"}, *rules, policy=policy, **options)  # type: ignore[arg-type]  # only texts are passed here
    needed = [input_element(name, kind) for name, kind in inputs.items()]
    return _findings(*needed, decision("d", body, *(f">{name}" for name in inputs)))


def test_a_complete_table_has_no_findings() -> None:
    rules = (("< 5", "true", "1"), ("< 5", "false", "2"), (">= 5", "-", "3"))
    assert _table_findings({"x": "number", "b": "boolean"}, *rules) == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((("< 5", "1"), ("> 5", "2")), [("dmn_gap", "x: 5")]),
        ((("< 5", "1"), ("[6..9)", "2")), [("dmn_gap", "x: [5..6)"), ("dmn_gap", "x: >= 9")]),
        ((("<= 5", "1"), (">= 5", "2")), [("dmn_overlap", "1, 2; x: 5")]),
        ((("< 9", "1"), ("> 3", "2")), [("dmn_overlap", "1, 2; x: (3..9)")]),
        ((("not(5)", "1"), ("5", "2")), []),
        ((("1, 2", "1"), ("not(1, 2)", "2")), []),
        ((("-", "1"), ("odd(?)", "2")), []),
    ],
)
def test_gaps_and_overlaps_of_numbers(
    rules: tuple[tuple[str, ...], ...], expected: list[tuple[str, str]]
) -> None:
    assert _table_findings({"x": "number"}, *rules) == expected


def test_gaps_of_several_columns_name_each_range() -> None:
    found = _table_findings(
        {"age": "number", "since": "date"},
        ("< 18", "-", "1"),
        (">= 18", '< date("2026-01-01")', "2"),
        ("[18..60)", '>= date("2026-01-01")', "3"),
    )
    assert found == [("dmn_gap", "age: >= 60; since: >= 2026-01-01")]


def test_texts_without_a_list_leave_all_others_open() -> None:
    assert _table_findings({"s": "string"}, ('"a"', "1")) == [("dmn_gap", "s: …")]
    assert _table_findings({"s": "string"}, ('"a"', "1"), ('not("a")', "2")) == []


def test_allowed_values_close_the_list() -> None:
    item = (
        '<itemDefinition name="tKind"><typeRef>string</typeRef>'
        '<allowedValues><text>"a", "b"</text></allowedValues></itemDefinition>'
    )
    body = table({"s": "tKind"}, {"y": "number"}, ('"a"', "1"))
    found = _findings(item, input_element("s", "tKind"), decision("d", body, ">s"))
    assert found == [("dmn_gap", 's: "b"')]


def test_a_default_closes_gaps_and_first_allows_overlaps() -> None:
    assert _table_findings({"x": "number"}, ("< 5", "1"), default="0") == []
    assert _table_findings({"x": "number"}, ("< 5", "1"), ("-", "2"), policy="FIRST") == []
    assert _table_findings({"x": "number"}, ("-", "1"), ("< 5", "1"), policy="ANY") == []
    assert _table_findings({"x": "number"}, ("-", "1"), ("< 5", "2"), policy="ANY") == [
        ("dmn_overlap", "1, 2; x: < 5")
    ]
    assert _table_findings({"x": "number"}, ("< 5", "1"), ("< 3", "2"), policy="COLLECT") == []


def test_dead_rules() -> None:
    first = _table_findings(
        {"x": "number"}, ("< 5", "1"), (">= 5", "2"), ("3", "3"), policy="FIRST"
    )
    assert first == [("dmn_rule_unreachable", "3")]


def test_wrong_types_in_cells() -> None:
    found = _table_findings({"x": "number"}, ('"a"', "1"), ("-", "true"), policy="FIRST")
    wrong = [words for code, words in found if code == "dmn_cell_type"]
    assert wrong == ["number; string", "number; boolean"]


def test_ranked_policies_need_output_values() -> None:
    assert ("dmn_no_output_order", "") in _table_findings(
        {"x": "number"}, ("-", "1"), policy="PRIORITY"
    )


def test_cycles_unknown_names_types_and_references() -> None:
    found = _findings(
        '<itemDefinition name="tA"><typeRef>tB</typeRef></itemDefinition>',
        '<itemDefinition name="tB"><typeRef>tA</typeRef></itemDefinition>',
        decision("a", literal("b"), "b"),
        decision("b", literal("a"), "a"),
        decision("c", literal("nothing + [1][item > entry][1]"), type_ref="tNone"),
        decision("e", literal("1 +"), "gone"),
    )
    codes = [code for code, _ in found]
    assert codes == [
        "dmn_cycle",
        "dmn_cycle",
        "dmn_cycle",
        "dmn_cycle",
        "feel_unknown_name",
        "dmn_type_unknown",
        "dmn_reference_unknown",
        "expression_syntax",
    ]


def test_large_tables_end_at_a_limit() -> None:
    inputs = {f"x{n}": "number" for n in range(8)}
    rules = [(*(f"> {(row * column) % 17}" for column in range(8)), str(row)) for row in range(40)]
    assert _table_findings(inputs, *rules) == [("dmn_table_too_large", "")]
    long = [(f"{n}", "1") for n in range(501)]
    assert _table_findings({"x": "number"}, *long) == [("dmn_table_too_large", "")]
    gaps = [(f"{2 * n}", "1") for n in range(60)]
    found = _table_findings({"x": "number"}, *gaps)
    assert len(found) == MAX_PER_TABLE
