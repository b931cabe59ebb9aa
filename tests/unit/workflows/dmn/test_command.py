"""`lienthong decision`: results, problems with positions, tables, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lienthong.main import run
from tests.builders.dmn import decision, definitions, input_element, literal, table


@pytest.fixture
def model(tmp_path: Path) -> str:
    body = table({"x": "number"}, {"y": "number"}, ("< 5", "1", "Điều 5"), (">= 5", "2", "Điều 6"),
                 annotations=True)  # fmt: skip
    content = definitions(
        input_element("x", "number"),
        decision("fee", body, ">x"),
        decision("third", literal("1 / 3 + fee"), "fee"),
        decision("broken", literal("1 +")),
        decision("slow", literal("some a in 1..9999, b in 1..9999 satisfies a < 0")),
        decision("when", literal("today()")),
    )
    path = tmp_path / "m.dmn"
    path.write_bytes(content)
    return str(path)


def _evaluated(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, object]]:
    code = run(["decision", "evaluate", *arguments, "--json"])
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, found


def test_one_decision_as_json(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = _evaluated(capsys, model, "--decision", "third", "--input", '{"x": 7.5}')
    assert (code, found["decision"]) == (0, "third")
    tables = found["tables"]
    assert isinstance(tables, list)
    assert tables[0]["matched"] == [{"number": 2, "id": "r2", "annotations": ["Điều 6"]}]
    run(["decision", "evaluate", model, "--decision", "third", "--input", '{"x": 7.5}', "--json"])
    assert '"result": 2.333333333333333333333333333333333,' in capsys.readouterr().out


def test_all_decisions_and_their_problems(
    model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    inputs = tmp_path / "input.json"
    inputs.write_text('{"x": 1}', encoding="utf-8")
    code, found = _evaluated(
        capsys, model, "--input", str(inputs), "--at", "2026-11-22T18:00:00Z", "--lang", "vi"
    )
    assert code == 1
    results = found["results"]
    assert isinstance(results, dict)
    assert results["fee"] == 1
    assert results["when"] == "2026-11-23"
    assert results["broken"] is None
    described = found["decisions"]
    assert isinstance(described, list)
    problems = {one["decision"]: one["problems"] for one in described}
    assert problems["fee"] == []
    broken = problems["broken"][0]
    assert (broken["code"], broken["line"], broken["column"]) == ("expression_syntax", 6, 4)
    assert broken["message"].startswith("Biểu thức sai ở dòng 6, cột 4")
    assert problems["slow"][0]["code"] == "expression_step_limit"


def test_tables_mark_the_matched_row(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decision", "evaluate", model, "--decision", "fee", "--input", '{"x": 7}']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fee = 2"
    assert [line for line in lines if "►" in line] == ["  ► 2 │ >= 5 │ 2 │ Điều 6"]


def test_shows_the_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decision", "show", model]) == 0
    shown = capsys.readouterr().out
    assert "InputElement x : number" in shown
    assert "  ← fee" in shown
    assert "1 │ < 5  │ 1 │ Điều 5" in shown


def test_lints_the_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decision", "lint", model, "--lang", "vi"]) == 1
    assert "6: broken: Biểu thức sai" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--decision", "none"], "dmn_decision_unknown"),
        (["--input", "{"], "dmn_input_malformed"),
        (["--input", '{"x": 1, "x": 2}'], "dmn_input_malformed"),
        (["--input", '{"x": NaN}'], "dmn_input_malformed"),
        (["--input", "[]"], "dmn_input_malformed"),
        (["--input", '{"x": ' + "[" * 5000 + "]" * 5000 + "}"], "dmn_input_malformed"),
        (["--input", '{"x": {"$number": "x"}}'], "expression_value_refused"),
    ],
)
def test_refusals_exit_with_1(
    model: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    assert run(["decision", "evaluate", model, *arguments]) == 1
    assert f"[{code}]" in capsys.readouterr().err


def test_a_file_that_is_no_dmn_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(b"<a/>")
    assert run(["decision", "show", str(path)]) == 1
    assert "[dmn_malformed]" in capsys.readouterr().err
