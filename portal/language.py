"""The language of the page that is being made, and texts of the data in it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation

from dossier.texts import Bilingual, Language


def current_language() -> Language:
    """Return the language that was activated for this request; Vietnamese by default."""
    active = (translation.get_language() or "").partition("-")[0]
    return Language.EN if active == Language.EN.value else Language.VI


def said(text: Bilingual | Mapping[str, str] | None) -> str:
    """Return a text that came with the data in the current language, else in the other one."""
    if text is None:
        return ""
    if isinstance(text, Bilingual):
        return text.of(current_language())
    return text.get(current_language().value) or next(iter(text.values()), "")
