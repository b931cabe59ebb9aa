"""Every state, role and event that a page names has a word in both languages."""

from __future__ import annotations

import re
from enum import Enum

import pytest

from connectors.edxml.model import StatusCode
from dossier.model import DeskGroup, DocumentOrigin, MessageState, Role
from dossier.texts import Language, known_codes
from scripts import tree


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("desk_group", DeskGroup),
        ("letter_status", StatusCode),
        ("message_state", MessageState),
        ("origin", DocumentOrigin),
        ("role", Role),
    ],
)
def test_members_have_words(kind: str, words: type[Enum], language: Language) -> None:
    assert {member.value for member in words} == known_codes(kind, language)


@pytest.mark.parametrize("language", list(Language))
def test_events_have_words(language: Language) -> None:
    written = set()
    for path in (tree.ROOT / "exchange").rglob("*.py"):
        written |= set(re.findall(r'\bkind="([a-z]+_[a-z_]+)"', path.read_text()))
        written |= set(re.findall(r'HistoryEvent\.[A-Z]+: "([a-z_]+)"', path.read_text()))
    assert written
    assert written <= known_codes("event", language)
