"""Every `lt:` extension has a row in the reference and a small model that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.definition import deploy
from workflows.extension import SHAPES
from workflows.findings import blocking
from workflows.linking import Part

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
EXAMPLES = REFERENCE / "examples"
CALLED = [
    Part(path=path.name, source=path.read_bytes(), version="1")
    for path in EXAMPLES.glob("called/*.bpmn")
]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_extension_is_described_and_has_an_example_that_deploys(name: str) -> None:
    assert f"`lt:{name}`" in (REFERENCE / "bpmn.md").read_text()
    source = (EXAMPLES / f"{name}.bpmn").read_bytes()
    assert f"<lt:{name} ".encode() in source
    found = deploy(source, CALLED)
    assert blocking(found.findings) == ()
    assert found.roles


def test_no_example_is_left_over() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.bpmn")} == set(SHAPES)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_attribute_is_described(name: str) -> None:
    row = next(
        line
        for line in (REFERENCE / "bpmn.md").read_text().splitlines()
        if line.startswith("|") and f"`lt:{name}`" in line
    )
    needed, further = SHAPES[name]
    assert [one for one in (*needed, *further) if f"`{one}`" not in row] == []
