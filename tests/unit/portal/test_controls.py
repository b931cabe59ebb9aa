"""Controls show what was typed, else what the dossier knows."""

from __future__ import annotations

import pytest

from dossier.canonical import Json
from portal.controls import day_first, plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("chữ", "chữ"),
        (12, "12"),
        (None, ""),
        (True, "true"),
        ({"$date": "2026-12-14"}, "2026-12-14"),
        ({"$number": "12.5"}, "12.5"),
        (["một", 2], '["một", 2]'),
        ({"tên": "A"}, '{"tên": "A"}'),
    ],
)
def test_case_values_are_shown_plainly(value: Json, shown: str) -> None:
    assert plain(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2026-12-14", "14/12/2026"), ("14/12/2026", "14/12/2026"), ("mai", "mai"), ("", "")],
)
def test_dates_are_shown_day_first(text: str, shown: str) -> None:
    assert day_first(text) == shown
