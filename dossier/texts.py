"""Every sentence that people read, by kind, code and language; lower floors carry codes only.

The sentences stand in `dossier/texts/<language>/<package>.toml`, one table per kind.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from dossier.errors import LienThongError
from dossier.rule_errors import TextMissing

Parameter: TypeAlias = "str | int | float | date | datetime"

_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Language(StrEnum):
    """The languages of the portal, the command and the printed forms."""

    VI = "vi"
    EN = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bilingual:
    """A text that comes with the data (a holiday, a field label) in both languages."""

    vi: str
    en: str

    def of(self, lang: Language) -> str:
        """Return the text in one language."""
        return self.vi if lang is Language.VI else self.en


def render(kind: str, code: str, lang: Language, /, **parameters: Parameter) -> str:
    """Return the sentence of `code` with its parameters filled in.

    Dates and instants are spelled as people of that language write them, instants in
    Vietnamese time. Raises `TextMissing` for an unknown code or a missing parameter.
    """
    sentence = _sentences(lang).get(kind, {}).get(code)
    if sentence is None:
        raise TextMissing(
            f"expected a {lang} text for {kind}.{code}, got none", kind=kind, name=code
        )
    try:
        return sentence.format_map({k: spell(v, lang) for k, v in parameters.items()})
    except KeyError as exc:
        raise TextMissing(
            f"expected parameter {exc} for {kind}.{code}, got none", kind=kind, name=code
        ) from exc


def render_error(error: LienThongError, lang: Language) -> tuple[str, str | None]:
    """Return the sentence and the hint of an error, for a page, a reply or a terminal.

    Never raises: an error must reach its reader. A missing parameter prints as "…", an unknown
    code as the sentence of its family.
    """
    kinds = _sentences(lang)
    known = [cls.code for cls in type(error).__mro__ if issubclass(cls, LienThongError)]
    sentence = next(
        (kinds["error"][code] for code in known if code in kinds["error"]), error.message
    )
    hint = kinds.get("hint", {}).get(error.code)
    filled = _Lenient({k: spell(v, lang) for k, v in error.parameters.items()})
    return sentence.format_map(filled), hint.format_map(filled) if hint else error.hint


def render_stored(
    kind: str, code: str, lang: Language, /, parameters: Mapping[str, Parameter]
) -> str:
    """Return the sentence of a code that was stored with its parameters, such as an incident's.

    Never raises, since rows outlive texts: a missing parameter prints as "…", an unknown code as
    the code itself.
    """
    sentence = _sentences(lang).get(kind, {}).get(code)
    if sentence is None:
        return code
    return sentence.format_map(_Lenient({k: spell(v, lang) for k, v in parameters.items()}))


def known_codes(kind: str, lang: Language) -> frozenset[str]:
    """Return the codes that have a sentence of this kind, for the tests that compare them."""
    return frozenset(_sentences(lang).get(kind, {}))


def spell(value: Parameter, lang: Language) -> str:
    """Return a parameter as people write it: `dd/MM/yyyy` and 24 hours in Vietnamese."""
    if isinstance(value, datetime):
        local = value.astimezone(_HERE)
        seconds = f":{local:%S}" if local.second else ""
        return f"{local:%H:%M}{seconds} {spell(local.date(), lang)}"
    if isinstance(value, date):
        if lang is Language.VI:
            return f"{value:%d/%m/%Y}"
        return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    return str(value)


class _Lenient(dict[str, str]):
    """A parameter table for messages that must come out even when a parameter is missing."""

    def __missing__(self, name: str) -> str:
        return "…"


@cache
def _sentences(lang: Language) -> Mapping[str, Mapping[str, str]]:
    merged: dict[str, dict[str, str]] = {}
    folder = resources.files("dossier").joinpath("texts", lang.value)
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        if not entry.name.endswith(".toml"):
            continue
        for kind, table in tomllib.loads(entry.read_text(encoding="utf-8")).items():
            merged[kind] = table | merged.get(kind, {})
    return merged
