"""The history of a dossier in words: letters by other document systems."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from dossier.canonical import Json
from dossier.model import DossierPage, HistoryEntry
from dossier.texts import Language
from portal import timeline
from portal.timeline import lines

_ID = "000.00.00.G22,2026/11/02,7816/VPCP-KSTT"


def _about(kind: str, parameters: dict[str, Json]) -> str:
    entry = SimpleNamespace(kind=kind, actor="system", parameters=parameters, element_id="")
    page = SimpleNamespace(timeline=[cast(HistoryEntry, entry)], agency_names={})
    (line,) = lines(cast(DossierPage, page))
    return line.about


@pytest.mark.parametrize(
    ("language", "said"),
    [("vi", f"04 – Đã phân công xử lý ({_ID})"), ("en", f"04 – assigned ({_ID})")],
)
def test_the_status_of_a_letter_is_said_in_words(
    language: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "current_language", lambda: Language(language))
    assert _about("letter_status", {"status": "04", "document_id": _ID}) == said


@pytest.mark.parametrize("kind", ["letter_sent", "letter_revoke", "letter_update"])
def test_what_happens_to_a_letter_names_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "current_language", lambda: Language.VI)
    assert _about(kind, {"document_id": _ID}) == _ID
