"""Every code that an evaluation or the lint can show has a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import workflows
from dossier.texts import Language
from exchange.decide import sentence
from workflows.dmn import Problem

ROOT = Path(str(workflows.__file__)).parent
_CODE = re.compile(r'"((?:dmn|feel)_[a-z_]+)"')
_ERRORS = {"dmn_malformed", "dmn_decision_unknown", "dmn_input_malformed"}
CODES = sorted(
    {
        code
        for room in ("expressions", "dmn")
        for path in (ROOT / room).rglob("*.py")
        for code in _CODE.findall(path.read_text(encoding="utf-8"))
    }
    - _ERRORS
)
_WORDS = ("name", "where", "rules", "rule", "wanted", "got")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_sentence(code: str, language: Language) -> None:
    found = sentence(Problem(code, "d", 1, 1, tuple((word, "x") for word in _WORDS)), language)
    assert found
    assert found != code


def test_there_are_codes() -> None:
    assert len(CODES) > 20
