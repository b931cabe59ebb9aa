"""Every vector of tests/vectors/dmn gets the error code that its header names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dossier.errors import Rejected
from workflows.dmn import load_model

FOLDER = Path(__file__).resolve().parents[3] / "vectors" / "dmn"
VECTORS = sorted(FOLDER.glob("*.vec"))


def _code(content: bytes) -> str:
    """Return the code of the error or of the first problem of the decision `d` for x = 5."""
    try:
        outcome = load_model([content]).evaluate("d", {"x": 5})
    except Rejected as exc:
        return exc.code
    return outcome.problems[0].code if outcome.problems else "none"


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_vector_is_refused_as_it_says(path: Path) -> None:
    head, _, content = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
    assert set(fields) == {"expect", "rule"}
    assert _code(content) == fields["expect"]


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 15
