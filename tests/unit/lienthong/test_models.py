"""Small models of the standard, one per control-flow pattern, played by `procedure run`.

Each is a BPMN file without any extension of ours, beside a scenario of the same name.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lienthong.main import run
from tests.builders.workflows import draw

MODELS = Path(__file__).parents[2] / "vectors" / "models"


@pytest.mark.parametrize("model", sorted(MODELS.glob("*.bpmn")), ids=lambda path: path.stem)
def test_model_runs_as_the_standard_says(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = model.with_suffix(".yaml")
    code = run(["procedure", "run", str(model), "--scenario", str(scenario), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["mismatches"]) == (0, [])


def test_the_trace_says_in_order_what_was_entered_and_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = MODELS / "loopback.bpmn"
    scenario = str(model.with_suffix(".yaml"))
    assert run(["procedure", "run", str(model), "--scenario", scenario, "--json"]) == 0
    trace = [(one["element"], one["event"]) for one in json.loads(capsys.readouterr().out)["trace"]]
    assert trace[:6] == [
        ("s", "entered"),
        ("s", "left"),
        ("m", "entered"),
        ("m", "left"),
        ("a", "entered"),
        ("a", "left"),
    ]


@pytest.mark.parametrize(
    ("drawn", "rule"),
    [("complex g", "complex_gateway"), ("adhoc g {\nuser a\n}", "ad_hoc")],
)
def test_what_is_not_executed_is_refused_by_name(
    drawn: str, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.bpmn"
    model.write_bytes(draw(f"start s\n{drawn}\nend e\ns > g > e"))
    assert run(["procedure", "lint", str(model), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert (rule, "g") in {(one["rule"], one["element"]) for one in problems}
