"""Open incidents in words, for the command and for pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.errors import LienThongError
from dossier.texts import Language, known_codes, render
from exchange.incidents import step_of
from exchange.node import Node
from storage import dossiers, incidents


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentLine:
    """One incident as a line."""

    opened: datetime
    dossier_code: str
    code: str
    sentence: str
    id: UUID
    element_id: str  # of the step that stopped; empty: none did
    names_read: tuple[str, ...]  # which values the step reads, never what they hold


def open_incidents(node: Node, *, language: str, limit: int = 100) -> list[IncidentLine]:
    """Return the open incidents of the node, newest first."""
    found = incidents.open_incidents(limit=limit)
    held = dossiers.load([one.dossier for one in found if one.dossier])
    lines = []
    for one in found:
        dossier = held.get(one.dossier) if one.dossier else None
        read = step_of(node, dossier, one)[1] if dossier else ()
        lines.append(
            IncidentLine(
                opened=one.opened,
                dossier_code=dossier.code if dossier else "",
                code=one.code,
                sentence=say(one.code, dict(one.parameters), language=Language(language)),
                id=one.id,
                element_id=one.element_id,
                names_read=read,
            )
        )
    return lines


def say(code: str, parameters: dict[str, str], *, language: Language) -> str:
    """Return the sentence of an incident's code, or the code where no text fits."""
    for kind in ("incident", "error"):
        if code in known_codes(kind, language):
            try:
                return render(kind, code, language, **parameters)
            except LienThongError:
                return code
    return code
