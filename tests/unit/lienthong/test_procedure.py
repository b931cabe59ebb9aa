"""The command `lienthong procedure`: lint, test, simulate, diff, run and new, without a node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lienthong.main import run
from tests.builders.procedures import FOLDERS

P6 = FOLDERS / "p6_household_business"


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A new procedure folder, as `lienthong procedure new` makes it."""
    assert run(["procedure", "new", "visa-letter", "--in", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'visa-letter'}\n"
    return tmp_path / "visa-letter"


def change(file: Path, before: str, after: str) -> None:
    """Replace a text that must be in the file."""
    content = file.read_text()
    assert before in content
    file.write_text(content.replace(before, after))


def line_with(file: Path, text: str) -> int:
    """Return the number of the first line that has a text."""
    lines = file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def problems(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    """Return the problems of `lint --json`, and check that the exit code agrees."""
    code = run(["procedure", "lint", str(folder), "--json", *more])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["runnable"] else 1)
    return list(found["problems"])


def test_a_new_procedure_has_no_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert problems(folder, capsys) == []


def test_a_new_procedure_passes_its_own_scenarios(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["procedure", "test", str(folder), "--coverage"]) == 0
    assert "Elements covered: 13 of 13." in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Visa", "visa letter", "../visa", "visa--letter", "x" * 61])
def test_a_name_that_is_no_code_is_refused(name: str, tmp_path: Path) -> None:
    assert run(["procedure", "new", name, "--in", str(tmp_path)]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_not_overwritten(folder: Path) -> None:
    assert run(["procedure", "new", folder.name, "--in", str(folder.parent)]) == 1


@pytest.mark.parametrize(
    ("file", "before", "after", "rule", "element"),
    [
        ("procedure.toml", 'total = "5wd"', 'total = "0wd"', "deadline_zero", "deadline.total"),
        (
            "procedure.toml",
            'from = "office"',
            'from = "partner"',
            "other_ends",
            "messages.question",
        ),
        (
            "procedure.toml",
            'bind = "addressee"',
            'bind = "initiator"',
            "role_bound_twice",
            "roles.partner.bind",
        ),
        (
            "procedure.toml",
            'bind = "initiator"',
            'bind = "directory:x"',
            "initiator_missing",
            "roles.office.bind",
        ),
        (
            "procedure.toml",
            '"applicant_name", "request_text"',
            '"applicant_name", "age"',
            "value_not_in_payload",
            "messages.question.values",
        ),
        (
            "procedure.toml",
            'type = "duration"',
            'type = "length"',
            "not_allowed",
            "parameters.answer_time.type",
        ),
        ("procedure.toml", "[deadline]", "[deadline", "not_toml", ""),
        (
            "process.bpmn",
            'form name="decide_request"',
            'form name="absent"',
            "no_such_form",
            "decide_request",
        ),
        ("process.bpmn", 'targetRef="return_result"', 'targetRef="nowhere"', "dangling_flow", None),
        (
            "scenarios/answered.yaml",
            "complete: answer_question",
            "complete: nobody",
            "unknown_element",
            "",
        ),
        ("scenarios/overdue.yaml", "answer_result: object", "? [", "not_yaml", ""),
        (
            "scenarios/overdue.yaml",
            "forward: 2wd",
            "forward_to: 2020-01-01T08:00:00+07:00",
            "clock_moved_back",
            "",
        ),
        (
            "procedure.toml",
            'bind = "addressee"',
            'bind = ["hosted:north", "hosted:south"]',
            "bound_twice",
            "roles.partner.bind",
        ),
        (
            "procedure.toml",
            'payload = "question"',
            'payload = "question"\nexpires = "PT0S"',
            "expires_zero",
            "messages.question.expires",
        ),
    ],
)
def test_a_fault_is_found_with_its_place(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    before: str,
    after: str,
    rule: str,
    element: str | None,
) -> None:
    change(folder / file, before, after)
    found = [one for one in problems(folder, capsys) if one["rule"] == rule]
    assert found
    assert found[0]["file"] == file
    assert found[0]["line"] > 0
    if element is not None:
        assert found[0]["element"] == element
    in_vietnamese = [one for one in problems(folder, capsys, "--lang", "vi") if one["rule"] == rule]
    assert len(in_vietnamese) == len(found)
    assert in_vietnamese[0]["message"] not in (found[0]["message"], rule)


@pytest.mark.parametrize(
    ("event", "rule", "severity"),
    [
        (
            "timerEventDefinition><bpmn:timeCycle>R/P1M</bpmn:timeCycle",
            "start_without_addressee",
            "warning",
        ),
        (
            "conditionalEventDefinition><bpmn:condition>true</bpmn:condition",
            "start_needs_a_dossier",
            "error",
        ),
    ],
)
def test_a_start_that_no_node_hears_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str], event: str, rule: str, severity: str
) -> None:
    begin = "<bpmn:outgoing>flow_request_submitted_receive_request</bpmn:outgoing>"
    kind = event.partition(">")[0]
    change(folder / "process.bpmn", begin, f"{begin}<bpmn:{event}></bpmn:{kind}>")
    for language in ("en", "vi"):
        found = {one["rule"]: one for one in problems(folder, capsys, "--lang", language)}
        assert (found[rule]["severity"], found[rule]["element"]) == (severity, "request_submitted")
        assert found[rule]["line"] > 0


def test_a_message_type_with_two_senders_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder / "process.bpmn", 'lt:message="answer"', 'lt:message="question"')
    line = line_with(folder / "process.bpmn", 'id="wire_answer"')
    for language, said in (("en", "has two senders"), ("vi", "có hai bên gửi")):
        ((problem),) = problems(folder, capsys, "--lang", language)
        assert (problem["rule"], problem["file"]) == ("two_senders", "process.bpmn")
        assert (problem["element"], problem["line"]) == ("wire_answer", line)
        assert said in problem["message"]


def test_an_element_that_two_pools_send_to_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(
        folder / "process.bpmn",
        "  </bpmn:collaboration>",
        '    <bpmn:messageFlow id="wire_again" sourceRef="answer_sent" targetRef="wait_answer"'
        ' lt:message="question" />\n  </bpmn:collaboration>',
    )
    for language, said in (("en", "several"), ("vi", "nhiều")):
        found = {one["rule"]: one for one in problems(folder, capsys, "--lang", language)}
        problem = found["several_senders"]
        assert (problem["file"], problem["element"]) == ("process.bpmn", "wait_answer")
        assert problem["line"] > 0
        assert said in problem["message"].lower()


def test_a_printed_document_that_nobody_signs_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declaration = (folder / "procedure.toml").read_text()
    name = '[documents.reply]\nname = { vi = "Trả lời", en = "Reply" }\nprint = "letter"\n\n'
    at = declaration.index("[documents.")
    (folder / "procedure.toml").write_text(declaration[:at] + name + declaration[at:])
    change(
        folder / "process.bpmn",
        '<lt:due after="1wd" />\n        <lt:documents in="request" />',
        '<lt:due after="1wd" />\n        <lt:documents in="request" out="reply" />',
    )
    rules = {one["rule"]: one["element"] for one in problems(folder, capsys)}
    assert rules["print_value_missing"] in ("decide_request", "answer_question")


@pytest.mark.parametrize(
    ("path", "rule", "place", "said"),
    [
        (
            "forms/answer.json",
            "no_such_form",
            ("procedure.toml", "messages.answer.payload"),
            {"en": "There is no form answer.", "vi": "Không có biểu mẫu answer."},
        ),
        ("process.bpmn", "missing", ("process.bpmn", ""), {"en": "missing", "vi": "Còn thiếu"}),
        (
            "procedure.toml",
            "procedure_folder_refused",
            ("procedure.toml", ""),
            {"en": "is no procedure folder", "vi": "không phải là thư mục quy trình"},
        ),
    ],
)
def test_a_missing_file_is_found(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    rule: str,
    place: tuple[str, str],
    said: dict[str, str],
) -> None:
    (folder / path).unlink()
    for language, words in said.items():
        ((problem),) = problems(folder, capsys, "--lang", language)
        assert (problem["rule"], problem["file"], problem["element"]) == (rule, *place)
        assert problem["line"] > 0
        assert words in problem["message"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "This file does not belong to a procedure."),
        ("vi", "Tệp này không thuộc thư mục thủ tục."),
    ],
)
def test_a_file_too_many_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str], language: str, words: str
) -> None:
    (folder / "notes.txt").write_text("x")
    ((problem),) = problems(folder, capsys, "--lang", language)
    assert (problem["rule"], problem["file"]) == ("unknown_file", "notes.txt")
    assert (problem["line"], problem["message"]) == (1, words)


def test_advice_does_not_make_a_folder_unrunnable(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "forms/answer.json", folder / "forms/spare.json")
    (folder / "scenarios/overdue.yaml").unlink()
    (folder / "scenarios/answered.yaml").unlink()
    change(folder / "procedure.toml", 'wire_answer = "Answer"\n', "")
    change(folder / "procedure.toml", 'decide_request = "Decide the request"\n', "")
    found = problems(folder, capsys)
    assert {one["rule"] for one in found} == {"form_unused", "scenarios_missing", "english_missing"}
    assert {one["severity"] for one in found} == {"warning"}


def test_problems_are_told_in_vietnamese_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder / "procedure.toml", 'total = "5wd"', 'total = "0wd"')
    ((problem),) = problems(folder, capsys, "--lang", "vi")
    assert problem["message"] == "Tổng thời hạn phải lớn hơn không."


def test_a_bpmn_file_alone_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["procedure", "lint", str(P6 / "process.bpmn")]) == 0
    assert capsys.readouterr().err == "It can run; 0 notes.\n"


def test_a_failing_scenario_shows_expected_and_actual(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder / "scenarios/answered.yaml", "open: [decide_request]", "open: [return_result]")
    drawings = tmp_path / "drawings"
    assert run(["procedure", "test", str(folder), "--svg", str(drawings)]) == 1
    assert "expected return_result, got decide_request" in capsys.readouterr().out
    drawn = (drawings / "visa-letter.answered.svg").read_text()
    assert 'class="userTask incident" data-element="return_result"' in drawn
    assert 'class="userTask active" data-element="decide_request"' in drawn
    assert sorted(path.name for path in drawings.iterdir()) == [
        "visa-letter.answered.svg",
        "visa-letter.svg",
    ]


def test_an_element_that_no_scenario_enters_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "scenarios/overdue.yaml").unlink()
    assert run(["procedure", "test", str(folder)]) == 0
    assert run(["procedure", "test", str(folder), "--coverage"]) == 1
    said = capsys.readouterr().out
    assert "Not covered: answer_overdue, remind_partner, partner_reminded." in said


def test_all_folders_below_a_folder_are_tested(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, folder.parent / "another")
    assert run(["procedure", "test", str(folder.parent), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["folder"] for one in found["folders"]] == ["another", "visa-letter"]
    assert found["passed"] is True


def test_a_folder_without_any_procedure_is_refused(tmp_path: Path) -> None:
    assert run(["procedure", "test", str(tmp_path)]) == 1


def test_random_runs_come_to_their_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["procedure", "simulate", str(folder), "--runs", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["outcomes"].values()) == found["runs"] == 20
    assert found["unfinished"] == []
    assert {one["element"] for one in found["bottlenecks"]} >= {"receive_request", "wait_answer"}


def test_a_dead_end_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = 'id="flow_answer_question_answer_sent" sourceRef="answer_question"'
    change(
        folder / "process.bpmn",
        f'{flow} targetRef="answer_sent" />',
        f'{flow} targetRef="answer_sent"><bpmn:conditionExpression>answer_result = "agree"'
        "</bpmn:conditionExpression></bpmn:sequenceFlow>",
    )
    assert run(["procedure", "simulate", str(folder), "--runs", "10"]) == 1
    assert "Stuck with nothing open but wait_answer." in capsys.readouterr().out


def test_a_folder_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["procedure", "diff", str(P6), str(P6)]) == 0
    assert capsys.readouterr().out.endswith("Nothing differs.\n")


def test_differences_are_named_by_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder.parent / "second"
    shutil.copytree(folder, other)
    change(other / "procedure.toml", 'value = "2wd"', 'value = "3wd"')
    change(other / "process.bpmn", 'due after="1wd"', 'due after="2wd"')
    change(other / "forms/answer.json", '"maxLength": 1000', '"maxLength": 900')
    (other / "scenarios/overdue.yaml").unlink()
    assert run(["procedure", "diff", str(folder), str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same_contract"] is False
    changes = {(one["kind"], one["place"], one["key"], one["after"]) for one in found["changes"]}
    assert ("changed", "procedure.toml#parameters.answer_time", "value", "3wd") in changes
    assert ("changed", "process.bpmn#receive_request", "extension.due", "2wd") in changes
    assert ("changed", "forms/answer.json#answer_reason", "maxLength", "900") in changes
    assert ("removed", "scenarios/overdue.yaml", "", "") in changes


def test_moving_a_shape_is_no_difference_but_another_contract(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = folder.parent / "second"
    shutil.copytree(folder, other)
    change(other / "process.bpmn", 'height="80"', 'height="78"')
    run(["procedure", "diff", str(folder), str(other), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["changes"], found["same_contract"]) == ([], False)


def test_the_trace_lists_elements_messages_and_open_tasks(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "half.yaml"
    text = (folder / "scenarios/answered.yaml").read_text()
    scenario.write_text(text.partition("  - complete: decide_request")[0])
    assert run(["procedure", "run", str(folder), "--scenario", str(scenario), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    entered = [one["element"] for one in found["trace"] if one["event"] == "entered"]
    assert entered[:4] == ["request_submitted", "receive_request", "ask_partner", "wait_answer"]
    assert [one["type"] for one in found["messages"]] == ["question", "answer"]
    assert found["tasks"] == [
        {"role": "office", "element": "decide_request", "form": "decide_request"}
    ]
    assert found["instances"]["partner"]["state"] == "completed"


def test_a_model_without_a_folder_can_be_played(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "alone.bpmn"
    text = (folder / "process.bpmn").read_text()
    model.write_text(text.replace("param.answer_time", "PT1H"))
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "name: {vi: Thử, en: Try}\nat: 2026-03-02T08:00:00+07:00\nsteps:\n"
        "  - start: office\n  - complete: receive_request\n    values: {anything: 1}\n"
        "  - complete: answer_question\n  - expect: {open: [decide_request]}\n"
    )
    assert run(["procedure", "run", str(model), "--scenario", str(scenario), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_a_scenario_that_fails_exits_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = folder / "scenarios/answered.yaml"
    change(scenario, "open: [decide_request]", "open: []")
    assert run(["procedure", "run", str(folder), "--scenario", str(scenario)]) == 1
    assert "open: – ≠ decide_request" in capsys.readouterr().out


CAMUNDA = """\
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="urn:x">
  <bpmn:collaboration id="c">
    <bpmn:participant id="Participant_1" name="Sở Xây dựng" processRef="p1" />
    <bpmn:participant id="Participant_2" name="Đồn biên phòng" processRef="p2" />
    <bpmn:messageFlow id="Flow_1" name="Hỏi ý kiến" sourceRef="ask" targetRef="asked" />
  </bpmn:collaboration>
  <bpmn:message id="m" name="Message_1" />
  <bpmn:process id="p1" isExecutable="true">
    <bpmn:startEvent id="begin" name="Bắt đầu" />
    <bpmn:userTask id="fill" name="Điền đơn" camunda:formKey="embedded:app:forms/fill.html"
        camunda:candidateGroups="intake" />
    <bpmn:sendTask id="ask" name="Hỏi" messageRef="m" />
    <bpmn:endEvent id="done" name="Xong" />
    <bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="fill" />
    <bpmn:sequenceFlow id="f2" sourceRef="fill" targetRef="ask" />
    <bpmn:sequenceFlow id="f3" sourceRef="ask" targetRef="done" />
  </bpmn:process>
  <bpmn:process id="p2" isExecutable="true">
    <bpmn:startEvent id="asked" name="Được hỏi">
      <bpmn:messageEventDefinition id="e" messageRef="m" />
    </bpmn:startEvent>
    <bpmn:endEvent id="answered" name="Xong" />
    <bpmn:sequenceFlow id="g1" sourceRef="asked" targetRef="answered" />
  </bpmn:process>
</bpmn:definitions>
"""


def test_a_camunda_model_becomes_a_folder_that_can_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.bpmn"
    model.write_text(CAMUNDA)
    assert run(["procedure", "import", str(model), "border-letter", "--in", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    translated, _, to_do = said.partition("Left to do: ")
    assert "exact: model.bpmn:12 fill: formKey was translated. [vendor_translated]" in translated
    assert "[message_type_missing]" in translated
    assert "[scenarios_missing]" in to_do
    assert "[vendor_translated]" not in to_do
    folder = tmp_path / "border-letter"
    assert {one["severity"] for one in problems(folder, capsys)} == {"exact", "warning"}
    text = (folder / "procedure.toml").read_text()
    assert '[roles."don-bien-phong"]' in text
    assert ' lt:role="don-bien-phong"' in (folder / "process.bpmn").read_text()
    assert '[messages."hoi-y-kien"]' in text
    assert (folder / "forms/fill.json").exists()


def test_a_model_that_cannot_run_yet_is_adopted_as_a_draft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.bpmn"
    model.write_text(CAMUNDA.replace('camunda:formKey="embedded:', 'camunda:class="embedded:', 1))
    model.write_text(model.read_text().replace("bpmn:userTask", "bpmn:serviceTask"))
    assert run(["procedure", "import", str(model), "border-letter", "--in", str(tmp_path)]) == 0
    assert "[vendor_code]" in capsys.readouterr().out
    assert run(["procedure", "lint", str(tmp_path / "border-letter")]) == 1
    kept = (tmp_path / "border-letter/process.bpmn").read_text()
    assert 'camunda:class="embedded:' in kept


def test_what_is_no_model_is_not_adopted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.bpmn"
    model.write_text("<a/>")
    assert run(["procedure", "import", str(model), "border-letter", "--in", str(tmp_path)]) == 1
    assert "[not_bpmn]" in capsys.readouterr().out
    assert not (tmp_path / "border-letter").exists()


def test_a_model_without_a_collaboration_is_adopted_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.bpmn"
    head, _, rest = CAMUNDA.partition("  <bpmn:collaboration")
    model.write_text(
        head
        + rest.partition("</bpmn:collaboration>\n")[2]
        .partition('  <bpmn:process id="p2"')[0]
        .replace("sendTask", 'userTask camunda:candidateGroups="intake"')
        .replace(' messageRef="m"', "")
        + "</bpmn:definitions>"
    )
    assert run(["procedure", "import", str(model), "alone", "--in", str(tmp_path)]) == 0
    assert "error:" not in capsys.readouterr().out
    assert '[roles."p1"]' in (tmp_path / "alone/procedure.toml").read_text()


def test_work_that_the_model_gives_to_nobody_of_ours_goes_to_specialists_and_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.bpmn"
    model.write_text(CAMUNDA.replace('camunda:candidateGroups="intake"', ""))
    assert run(["procedure", "import", str(model), "border-letter", "--in", str(tmp_path)]) == 0
    to_do = capsys.readouterr().out.partition("Left to do: ")[2]
    assert "it was given to specialist, please confirm. [assigned_by_default]" in to_do
    assert "[scenarios_missing]" in to_do  # what is left is said at once, not one by one
    assert "error" not in {one["severity"] for one in problems(tmp_path / "border-letter", capsys)}
