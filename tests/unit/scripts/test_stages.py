"""What makes `make test` red beyond a failing command."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import stages


def test_a_skipped_test_is_red() -> None:
    assert stages.complaints_of_outcomes({"unit": {"a": "passed", "b": "skipped"}}) == [
        "b was skipped"
    ]


def test_a_test_that_one_database_did_not_run_is_red() -> None:
    outcomes = {"sqlite": {"a": "passed", "b": "passed"}, "postgresql": {"a": "passed"}}
    assert stages.complaints_of_outcomes(outcomes) == ["b ran on one database only"]


def test_equal_runs_are_green() -> None:
    both = {"a": "passed", "b": "failed"}
    assert stages.complaints_of_outcomes({"sqlite": both, "postgresql": both}) == []


def test_one_stage_over_its_budget_is_not_red_but_the_whole_is() -> None:
    assert stages.complaints_of_time([_result(seconds=899)]) == []
    assert stages.complaints_of_time([_result(seconds=600), _result(seconds=301)]) == [
        "expected at most 15:00, got 15:01"
    ]


def test_a_stage_without_its_folder_is_not_present(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "ROOT", tmp_path)
    command = stages.pytest("chaos", "tests/chaos")
    stage = stages.Stage(name="chaos", title="chaos", budget_seconds=1, commands=(command,))
    assert stage.present() == ()
    (tmp_path / "tests" / "chaos").mkdir(parents=True)
    assert stage.present() == (command,)


def _result(*, seconds: float) -> stages.Result:
    return stages.Result(title="x", budget_seconds=1, actual_seconds=seconds, complaints=())
