"""Parts on the disk: `lienthong procedure lint|test|run` of folders and files that call others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.procedures.folder import read_folder
from lienthong.main import run
from tests.builders.workflows import draw, draw_pools
from workflows.errors import ProcedureRefused
from workflows.package import load_procedure

TOML = """
[procedure]
code = "permit"
version = "1"
name = { vi = "Cấp phép", en = "Permit" }
effective = 2026-01-01
citation = "NĐ 1/2026"
[roles.desk]
name = { vi = "Một cửa", en = "Desk" }
bind = "initiator"
[deadline]
total = "3wd"
mode = "day"
citation = "NĐ 1/2026"
[parameters.patience]
value = "2wd"
type = "duration"
"""
PART = """
[part]
code = "consult"
version = "1"
name = { vi = "Lấy ý kiến", en = "Consult" }
citation = "Luật 47/2024"
[parameters.patience]
value = "1wd"
type = "duration"
[parameters.grace]
value = 3
type = "integer"
[elements]
ask = "Ask"
"""
FORM = """{"type": "object", "x-label": {"vi": "Ý kiến", "en": "Opinion"}, "required": ["opinion"],
"properties": {"opinion": {"type": "string", "maxLength": 50,
"x-label": {"vi": "Ý kiến", "en": "Opinion"}}}}"""
SCENARIO = """
name: {{vi: Thử, en: Try}}
at: 2026-03-02T08:00:00+07:00
steps:
  - start: {role}
  - complete: {element}
    values: {{opinion: agreed}}
  - expect: {{finished: {{{role}: completed}}, values: {{{role}: {{opinion: agreed}}}}}}
"""
CONSULT = """
start s
user ask name=Hỏi lt:form=opinion lt:assign.role=clerk lt:due=param.patience
end e lt:status=9
s > ask > e
"""
CALLER = "start s\ncall c name=Gọi called=consult lt:call.version=1\nend e lt:status=9\ns > c > e"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of procedures: `permit`, and the part `consult` that it calls."""
    files = {
        "permit/procedure.toml": TOML,
        "permit/process.bpmn": draw_pools({"desk": CALLER}, "").decode(),
        "permit/scenarios/straight.yaml": SCENARIO.format(role="desk", element="consult.ask"),
        "parts/consult/part.toml": PART,
        "parts/consult/process.bpmn": draw(CONSULT, process="consult").decode(),
        "parts/consult/forms/opinion.json": FORM,
        "parts/consult/scenarios/straight.yaml": SCENARIO.format(role="consult", element="ask"),
    }
    for path, content in files.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return tmp_path


def linted(path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the errors of `procedure lint --json`, and check the exit code."""
    code = run(["procedure", "lint", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["runnable"] else 1)
    return [one for one in found["problems"] if one["severity"] == "error"]


def test_a_folder_takes_its_parts_from_the_shelf_beside_it(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert linted(shelf / "permit", capsys) == []
    files = read_folder(shelf / "permit")
    assert "parts/consult/process.bpmn" in files
    procedure = load_procedure(files)
    assert set(procedure.forms) == {"consult.opinion"}
    assert procedure.element_name("consult.ask") == {"vi": "Hỏi", "en": "Ask"}
    figures = procedure.parameter_values
    assert (figures["patience"], figures["grace"]) == ("2wd", 3)  # the procedure's own wins


def test_parts_and_procedures_are_tested_together_each_covering_its_own(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["procedure", "test", str(shelf), "--coverage", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["folders"]
    assert [(one["folder"], one["covered"]) for one in found] == [
        ("consult", ["s", "ask", "e"]),
        ("permit", ["s", "c", "e"]),
    ]


def test_a_part_is_linted_by_itself(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = shelf / "parts/consult"
    assert linted(part, capsys) == []
    (part / "forms/opinion.json").unlink()
    (found,) = linted(part, capsys)
    assert (found["rule"], found["file"], found["element"]) == (
        "no_such_form",
        "process.bpmn",
        "ask",
    )


def test_a_fault_of_a_part_names_its_file_and_line(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shelf / "parts/consult/process.bpmn"
    model.write_text(model.read_text().replace('role="clerk"', 'role="pirate"'))
    (found,) = linted(shelf / "permit", capsys)
    lines = model.read_text().splitlines()
    assert (found["rule"], found["file"], found["element"]) == (
        "no_such_role",
        "parts/consult/process.bpmn",
        "ask",
    )
    assert 'id="ask"' in lines[found["line"] - 1]


def test_a_fault_of_part_toml_names_its_line(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declaration = shelf / "parts/consult/part.toml"
    declaration.write_text(PART.replace('code = "consult"', 'code = "other"'))
    assert [one["rule"] for one in linted(shelf / "permit", capsys)] == ["called_missing"]
    (found,) = linted(shelf / "parts/consult", capsys)
    assert (found["rule"], found["file"], found["line"]) == ("no_such_process", "part.toml", 3)


def test_an_unknown_file_in_a_part_is_refused(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shelf / "parts/consult/notes.txt").write_text("x")
    (found,) = linted(shelf / "permit", capsys)
    assert (found["rule"], found["file"]) == ("unknown_file", "parts/consult/notes.txt")
    with pytest.raises(ProcedureRefused):
        load_procedure(read_folder(shelf / "permit"))


def test_the_version_that_a_call_names_is_taken_from_the_shelf(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = shelf / "parts/consult-2"
    (shelf / "parts/consult").rename(shelf / "parts/consult-1")
    newer.mkdir()
    for name in ("process.bpmn", "part.toml"):
        text = (shelf / "parts/consult-1" / name).read_text()
        (newer / name).write_text(text.replace('version = "1"', 'version = "2"'))
    assert linted(shelf / "permit", capsys) == []
    assert "parts/consult-1/part.toml" in read_folder(shelf / "permit")
    model = shelf / "permit/process.bpmn"
    model.write_text(model.read_text().replace('lt:call version="1"', 'lt:call version="3"'))
    assert [one["rule"] for one in linted(shelf / "permit", capsys)] == ["called_missing"]


def test_a_private_part_needs_no_shelf(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shelf / "permit/parts").mkdir()
    (shelf / "parts/consult").rename(shelf / "permit/parts/consult")
    assert linted(shelf / "permit", capsys) == []


def test_two_versions_that_differ_in_a_part_differ_by_its_places(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shelf / "permit/parts").mkdir()
    (shelf / "other").mkdir()
    before = read_folder(shelf / "permit")
    for path, content in before.items():
        place = shelf / "other" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(
            content.replace(b'name="H\xe1\xbb\x8fi"', b'name="H\xe1\xbb\x8fi th\xc3\xaam"')
        )
    assert run(["procedure", "diff", str(shelf / "permit"), str(shelf / "other"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["changes"]
    assert [one["place"] for one in found] == ["parts/consult/process.bpmn#ask"]


def test_a_bare_file_calls_the_files_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "main.bpmn").write_bytes(draw("start s\ncall c called=q\nend e\ns > c > e"))
    (tmp_path / "other.bpmn").write_bytes(draw("start s\nuser a\nend e\ns > a > e", process="q"))
    (tmp_path / "broken.bpmn").write_bytes(b"<a/>")
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "name: {vi: Thử, en: Try}\nat: 2026-03-02T08:00:00+07:00\nsteps:\n"
        "  - start: p\n  - complete: q.a\n  - expect: {finished: {p: completed}}\n"
    )
    model = str(tmp_path / "main.bpmn")
    assert run(["procedure", "run", model, "--scenario", str(scenario), "--json"]) == 0
    entered = [
        one["element"]
        for one in json.loads(capsys.readouterr().out)["trace"]
        if one["event"] == "entered"
    ]
    assert entered == ["s", "c", "q.s", "q.a", "q.e", "e"]
    assert linted(tmp_path / "main.bpmn", capsys) == []
    (tmp_path / "other.bpmn").unlink()
    assert [one["rule"] for one in linted(tmp_path / "main.bpmn", capsys)] == [
        "called_missing",
        "not_bpmn",
    ]
