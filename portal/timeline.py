"""The history of a dossier as people read it: what they did first, every entry on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dossier.canonical import Json
from dossier.model import Business, DossierPage, HistoryEntry
from dossier.texts import render, render_stored
from portal.language import current_language, said

# Said by another line already: the person's completion, the message's own entry.
_ENGINE_ONLY: Final = frozenset({"step_done", "message_queued"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the timeline."""

    entry: HistoryEntry
    sentence: str
    about: str  # the step, document, number, status or message it is about; may be empty
    actor: str  # name of the agency or of the account; empty: the system
    is_engine_only: bool


def lines(page: DossierPage) -> list[Line]:
    """Return every entry of the dossier's history as a line, in order."""
    return [_line(entry, page) for entry in page.timeline]


def _line(entry: HistoryEntry, page: DossierPage) -> Line:
    return Line(
        entry=entry,
        sentence=render_stored("event", entry.kind, current_language(), {}),
        about=_about(entry, page),
        actor="" if entry.actor == "system" else _named(entry.actor, page.agency_names),
        is_engine_only=entry.kind in _ENGINE_ONLY,
    )


def _about(entry: HistoryEntry, page: DossierPage) -> str:
    parameters = entry.parameters
    match entry.kind:
        case "status_changed":
            return _status(parameters.get("status"))
        case "number_taken":
            return ", ".join(str(value) for value in parameters.values())
        case "document_added":
            return _named(str(parameters.get("kind", "")), page.document_names)
        case "opinion_late":
            return _named(str(parameters.get("type", "")), page.message_names)
        case "letter_status":
            code = str(parameters.get("status", ""))
            word = render_stored("letter_status", code, current_language(), {})
            return f"{code} – {word} ({parameters.get('document_id', '')})"
        case "letter_sent" | "letter_revoke" | "letter_update":
            return str(parameters.get("document_id", ""))
        case kind if kind.startswith("message_"):
            return _named(str(parameters.get("type", "")), page.message_names)
        case _:
            step = _named(entry.element_id, page.element_names)
            return " – ".join(filter(None, (step, _further(entry, page))))


def _further(entry: HistoryEntry, page: DossierPage) -> str:
    """Return what an entry says beside its step: a reason, a share of the time, an outcome."""
    parameters = entry.parameters
    match entry.kind:
        case "task_delegated" | "task_escalated":
            return str(parameters.get("reason", ""))
        case "reminder_given":
            return f"{parameters.get('percent')} %"
        case "silence_fell":
            outcome = str(parameters.get("outcome", ""))
            word = render_stored("silence_outcome", outcome, current_language(), {})
            agency = _named(str(parameters.get("agency", "")), page.agency_names)
            return f"{agency}: {word} {parameters.get('citation', '')}".strip()
        case _:
            return ""


def _status(value: Json) -> str:
    try:
        return render("status", Business(value).name.lower(), current_language())
    except ValueError:
        return str(value)


def _named(code: str, names: Mapping[str, Mapping[str, str]]) -> str:
    return said(names.get(code)) or code
