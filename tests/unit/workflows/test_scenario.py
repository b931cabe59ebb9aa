"""Scenarios: they pass, they fail with expected against actual, and a bad file names its line."""

from __future__ import annotations

import pytest

from dossier.texts import Language, render
from tests.builders.procedures import names, shipped
from workflows.scenario import coverage, draw_coverage, run, run_all
from workflows.scenario_errors import ScenarioRefused
from workflows.scenariofile import parse_scenario

HEAD = """\
name: {vi: Thử, en: Try}
at: 2022-04-05T08:00:00+07:00
"""
APPLICATION = """\
    values:
      business_name: Quán Một
      business_address: 1 Trần Phú
      business_lines: Ăn uống
      owner_name: Trần Một
      owner_id: "052188000123"
      application_file: don.pdf
      components_complete: true
"""
P6 = "p6_household_business"


def _mismatches(steps: str, *, head: str = HEAD) -> list[tuple[int, str, str, str]]:
    procedure = shipped(P6)
    scenario = parse_scenario((head + "steps:\n" + steps).encode(), procedure=procedure)
    return [
        (one.line, one.what, one.expected, one.actual)
        for one in run(procedure, scenario).mismatches
    ]


@pytest.mark.parametrize("name", names())
def test_the_scenarios_that_ship_pass_and_reach_every_element(name: str) -> None:
    procedure = shipped(name)
    results = run_all(procedure)
    assert {found: one.mismatches for found, one in results.items() if not one.passed} == {}
    assert coverage(procedure, results.values()).uncovered == ()


def test_a_step_that_goes_as_expected_has_no_mismatch() -> None:
    steps = (
        "  - start: commune\n  - complete: receive_application\n"
        f"{APPLICATION}  - expect: {{open: [check_application], statuses: {{commune: 2}}}}\n"
    )
    assert _mismatches(steps) == []


def test_a_failed_expectation_shows_expected_and_actual() -> None:
    steps = "  - start: commune\n  - expect: {open: [check_application], statuses: {commune: 4}}\n"
    assert _mismatches(steps) == [
        (5, "open", "check_application", "receive_application"),
        (5, "statuses", "commune: 4", "commune: 1"),
    ]


def test_a_step_that_cannot_be_done_is_a_mismatch() -> None:
    ((line, what, expected, actual),) = _mismatches("  - complete: sign_certificate\n")
    assert (line, what, expected) == (4, "complete", "done")
    assert actual == "play_refused: expected an open task sign_certificate, got none"


def test_a_refusal_can_be_what_is_expected() -> None:
    assert _mismatches("  - complete: sign_certificate\n    refused: not_open\n") == []
    assert _mismatches("  - start: commune\n    refused: not_open\n")[0][2] == "refused: not_open"


def test_the_first_step_that_fails_ends_the_scenario() -> None:
    steps = "  - expect: {sent: [tax-code]}\n  - expect: {open: [sign_certificate]}\n"
    assert [what for _, what, _, _ in _mismatches(steps)] == ["sent"]


def test_the_clock_never_moves_back() -> None:
    with pytest.raises(ScenarioRefused, match=r"line 4.*never moves back"):
        _mismatches("  - forward_to: 2022-04-05T07:00:00+07:00\n")
    steps = "  - forward: 3wd\n  - forward_to: 2022-04-05T09:00:00+07:00\n"
    ((_, what, _, actual),) = _mismatches(steps)
    assert what == "forward_to" and actual.startswith("deadline_refused")


def test_pools_that_are_not_played_are_mock_partners() -> None:
    steps = (
        "  - start: commune\n  - complete: receive_application\n"
        f"{APPLICATION}  - complete: check_application\n    values: {{check_decision: approve}}\n"
        "  - receive: tax-code\n    values: {tax_code: '4101234567'}\n"
        "  - expect: {open: [check_certificate], sent: [tax-registration]}\n"
    )
    assert _mismatches(steps, head=HEAD + "play: [commune]\n") == []


def test_what_a_partner_sends_must_fit_the_payload() -> None:
    steps = "  - receive: tax-code\n    values: {tax_code: '1'}\n    refused: tax_code too_short\n"
    assert _mismatches(steps, head=HEAD + "play: [commune]\n") == []


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "empty"),
        ("a: [", 1, "not YAML"),
        ("- start: commune\n", 1, "a table is expected"),
        (HEAD, 1, "steps is missing"),
        (HEAD + "steps: []\n", 3, "must be a list"),
        (HEAD + "speed: 3\nsteps: []\n", 3, "unknown key speed"),
        (HEAD + "at: x\nsteps: []\n", 3, "at is written twice"),
        (HEAD.replace("+07:00", "") + "steps:\n  - start: tax\n", 2, "no offset"),
        (HEAD.replace("2022", "soon") + "steps:\n  - start: tax\n", 2, "no instant"),
        (HEAD + "play: [moon]\nsteps:\n  - start: tax\n", 3, "unknown role moon"),
        (HEAD + "steps:\n  - start: moon\n", 4, "unknown role moon"),
        (HEAD + "steps:\n  - complete: moon\n", 4, "unknown element moon"),
        (HEAD + "steps:\n  - receive: moon\n", 4, "unknown message type moon"),
        (HEAD + "steps:\n  - dance: moon\n", 4, "unknown key dance"),
        (HEAD + "steps:\n  - start: tax\n    complete: assign_tax_code\n", 4, "a step does one of"),
        (HEAD + "steps:\n  - values: {a: 1}\n", 4, "a step does one of"),
        (HEAD + "steps:\n  - expect: {}\n", 4, "must name something"),
        (HEAD + "steps:\n  - expect: {open: [moon]}\n", 4, "unknown element moon"),
        (HEAD + "steps:\n  - expect: {mood: good}\n", 4, "unknown key mood"),
        (HEAD + "steps:\n  - start: tax\n    values: {a: 1, a: 2}\n", 5, "written twice"),
        (HEAD + "steps:\n  - start: tax\n    values: {a: 052}\n", 5, "put it in quotes"),
        (HEAD + "steps:\n  - start: tax\n    values: {a: !!binary aGk=}\n", 5, "not allowed"),
        (HEAD + "steps:\n  - start: tax\n    values: 3\n", 5, "must be a table"),
        (HEAD + "steps:\n  - start: tax\n    which: -1\n", 5, "number from 0"),
        (HEAD + "steps:\n  - start: &a tax\n  - start: *a\n", 4, "aliases"),
        (HEAD + "steps:\n  - start: tax\n    values: " + "[" * 20 + "]" * 20, 5, "deeply"),
        ("name: {vi: a}\n" + HEAD.splitlines()[1] + "\nsteps:\n  - start: tax\n", 1, "vi and en"),
        ("#" * 300_000, 0, "larger"),
    ],
)  # fmt: skip
def test_a_bad_file_names_its_line_and_reason(text: str, line: int, reason: str) -> None:
    with pytest.raises(ScenarioRefused, match=reason) as caught:
        parse_scenario(text.encode(), procedure=shipped(P6))
    assert caught.value.parameters["where"] == line


def test_coverage_names_what_was_not_reached_in_the_order_of_the_file() -> None:
    procedure = shipped(P6)
    scenario = parse_scenario((HEAD + "steps:\n  - start: commune\n").encode(), procedure=procedure)
    found = coverage(procedure, [run(procedure, scenario)])
    assert found.covered == ("application_submitted", "receive_application")
    assert found.uncovered[0] == "check_application"
    assert not found.is_complete


def test_coverage_is_drawn_on_the_diagram() -> None:
    procedure = shipped(P6)
    scenario = parse_scenario((HEAD + "steps:\n  - start: commune\n").encode(), procedure=procedure)
    drawn = draw_coverage(procedure, coverage(procedure, [run(procedure, scenario)]), lang="en")
    assert drawn.startswith("<svg") and "Tax code" in drawn and "Mã số thuế" not in drawn


def test_the_words_of_a_result_exist_in_both_languages() -> None:
    for lang in Language:
        said = render("scenario", "mismatch", lang, step=2, what="open", expected="a", actual="b")
        assert "a" in said and "b" in said
