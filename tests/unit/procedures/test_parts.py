"""The six parts that ship: each runs by itself, is covered, named in two languages, and called."""

from __future__ import annotations

import pytest

from dossier.texts import Language
from exchange.procedures.folder import read_folder
from exchange.procedures.lint import lint_files
from exchange.procedures.trial import try_files
from tests.builders.procedures import FOLDERS, names, shipped
from workflows.graph import Kind
from workflows.package import load_folder

PARTS = sorted(path.parent.name for path in FOLDERS.glob("parts/*/part.toml"))


def test_the_six_call_activities_ship() -> None:
    assert PARTS == [
        "apology_extend",
        "consult",
        "financial_obligation",
        "return_result",
        "sign_number_issue",
        "supplement",
    ]


@pytest.mark.parametrize("name", PARTS)
def test_each_is_sound_and_its_scenarios_enter_every_element(name: str) -> None:
    files = read_folder(FOLDERS / "parts" / name)
    assert lint_files(files, language=Language.VI).problems == ()
    trial = try_files(files, folder=name, language=Language.EN, draw=True)
    assert trial.passed
    assert trial.uncovered == ()
    assert trial.drawings[f"{name}.svg"].startswith("<svg")


@pytest.mark.parametrize("name", PARTS)
def test_each_label_has_an_english_name(name: str) -> None:
    part = load_folder(read_folder(FOLDERS / "parts" / name))
    assert {element for element, label in part.labels.items() if label} <= part.english.keys()


def test_every_part_is_called_by_a_procedure() -> None:
    called = {
        node.called
        for name in names()
        for role in shipped(name).deployment.roles
        for node in shipped(name).definition(role).elements.values()
        if node.kind is Kind.CALL_ACTIVITY
    }
    assert called == {name.replace("_", "-") for name in PARTS}
