"""Any bytes are a DMN model that evaluates and lints, or one of our errors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import Rejected
from tests.builders.dmn import decision, definitions, input_element, literal, table
from workflows.dmn import load_model
from workflows.dmn.lint import lint
from workflows.dmn.record import json_text, record_of

_CELLS = st.sampled_from(
    ["-", "", "1", "< 3", "[1..5)", 'not("a")', '"a","b"', "null", "x > 1", ">", '@"2026-01-01"']
)
_POLICIES = st.sampled_from(["UNIQUE", "FIRST", "ANY", "PRIORITY", "RULE ORDER", "COLLECT"])


@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS), max_size=6), _POLICIES)
def test_any_table_evaluates_and_lints(rules: list[tuple[str, str, str]], policy: str) -> None:
    body = table({"x": "number", "s": "string"}, {"y": ""}, *rules, policy=policy)
    content = definitions(input_element("x", "number"), decision("d", body, ">x"))
    model = load_model([content])
    outcome = model.evaluate("d", {"x": 2})
    json_text(outcome.value)
    record_of(outcome)
    lint(model)


@given(st.data())
def test_a_damaged_file_is_refused_or_read(data: st.DataObject) -> None:
    body = table({"x": "number"}, {"y": "number"}, ("< 5", "1"))
    content = bytearray(
        definitions(input_element("x"), decision("d", body, ">x"), decision("e", literal("d"), "d"))
    )
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    content[start:end] = data.draw(st.binary(max_size=4))
    try:
        model = load_model([bytes(content)])
        lint(model)
        for node in model.graph.decisions():
            model.evaluate(node.element.name, {"x": 2})
    except Rejected:
        return
