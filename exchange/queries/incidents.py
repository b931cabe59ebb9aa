"""Open incidents in words, for the command and for pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dossier.errors import LienThongError
from dossier.texts import Language, known_codes, render
from storage import dossiers, incidents


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentLine:
    """One incident as a line."""

    opened: datetime
    dossier_code: str
    code: str
    sentence: str


def open_incidents(*, language: str, limit: int = 100) -> list[IncidentLine]:
    """Return the open incidents of the node, newest first."""
    found = incidents.open_incidents(limit=limit)
    held = dossiers.load([one.dossier for one in found if one.dossier])
    return [
        IncidentLine(
            opened=one.opened,
            dossier_code=held[one.dossier].code if one.dossier in held else "",
            code=one.code,
            sentence=say(one.code, dict(one.parameters), language=Language(language)),
        )
        for one in found
    ]


def say(code: str, parameters: dict[str, str], *, language: Language) -> str:
    """Return the sentence of an incident's code, or the code where no text fits."""
    for kind in ("incident", "error"):
        if code in known_codes(kind, language):
            try:
                return render(kind, code, language, **parameters)
            except LienThongError:
                return code
    return code
