"""Every kind of exception of the step tables has a scenario that plays it and passes."""

from __future__ import annotations

import re

import pytest

from scripts import tree
from tests.builders.procedures import shipped
from workflows.scenario import run
from workflows.scenariofile import parse_scenario

PAGE = tree.ROOT / "docs" / "reference" / "step-exceptions.md"
ROWS = re.findall(r"^\| ([a-z ]+) \| `(\w+)` \| `(\w+)` \| `(.+)` \|$", PAGE.read_text(), re.M)
KINDS = {
    "supplement", "withdrawal", "refusal", "silence", "late opinion", "partial release",
    "wrong addressee", "recall", "replace", "merged agency",
}  # fmt: skip


def test_every_kind_is_in_the_table_and_every_line_is_a_row() -> None:
    assert {kind for kind, *_ in ROWS} == KINDS
    assert len(ROWS) == PAGE.read_text().count("\n| ") - 1
    assert len(set(ROWS)) == len(ROWS)


@pytest.mark.parametrize(("folder", "scenario"), sorted({(row[1], row[2]) for row in ROWS}))
def test_the_scenario_plays_its_exceptions(folder: str, scenario: str) -> None:
    procedure = shipped(folder)
    content = procedure.scenarios[scenario]
    lines = {line.strip() for line in content.decode().splitlines()}
    wanted = {row[3] for row in ROWS if (row[1], row[2]) == (folder, scenario)}
    assert wanted - lines == set()
    assert run(procedure, parse_scenario(content, procedure=procedure)).passed
