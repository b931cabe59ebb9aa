"""Compute instants for rows: tasks, timers, expiries and the dossier's own due date.

The arithmetic is `dossier.deadline`'s; this names the calendar and keeps the trail.
"""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from dossier.canonical import Json
from dossier.deadline import Citation, Due, Mode, Pause, Unit, due, parse_allowance
from dossier.trail import dump_trail
from dossier.xmltext import truncated
from exchange.node import Node
from storage import dossiers
from workflows.procedure import Procedure
from workflows.timing import parse_duration


def task_due(
    node: Node, text: str | None, *, pack: str, at: datetime
) -> tuple[datetime | None, Json]:
    """Return when a task is due and why; `text` is an allowance or an ISO instant.

    `pack` is the rule pack that the dossier pins, here as below.
    """
    if not text:
        return None, None
    if text[:1].isdigit() and "T" in text:
        return datetime.fromisoformat(text), None
    found = _due(node, text, pack=pack, at=at)
    return found.at, dump_trail(found.trail)


def timer_due(node: Node, text: str, *, pack: str, at: datetime) -> datetime:
    """Return when a timer in working time fires."""
    return _due(node, text, pack=pack, at=at).at


def span_end(node: Node, text: str, *, pack: str, at: datetime) -> datetime:
    """Return the end of a span that begins at an instant: working time or an ISO duration."""
    if text.startswith("P"):
        return truncated(parse_duration(text).after(at))
    return _due(node, text, pack=pack, at=at).at


def expiry(text: str, *, at: datetime) -> datetime:
    """Return until when a message may wait for its receiver; `text` is an ISO 8601 duration."""
    return truncated(parse_duration(text).after(at))


def case_due(node: Node, procedure: Procedure, dossier: UUID, *, at: datetime) -> None:
    """Compute the dossier's due date anew, from its start and its pauses, and store both.

    The calendar is that of the rule pack which the dossier pins.
    """
    rule = procedure.deadline
    if rule is None:
        return
    pauses = dossiers.pauses(dossier)
    held = dossiers.get(dossier)
    start = held.opened if pauses else at
    found = due(
        start,
        allowance=parse_allowance(rule.total),
        calendar=node.calendar(held.rule_pack),
        mode=Mode(rule.mode),
        cutoff=time.fromisoformat(rule.cutoff) if rule.cutoff else None,
        citation=Citation(text=rule.citation, confirmed=not rule.unconfirmed),
        pauses=[
            Pause(
                start=one.started,
                end=one.ended,
                basis=one.basis,
                citation=procedure.pauses.get(one.basis, ""),
            )
            for one in pauses
            if one.ended is not None
        ],
    )
    dossiers.set_due(dossier, found.at, dump_trail(found.trail))


def _due(node: Node, text: str, *, pack: str, at: datetime) -> Due:
    calendar = node.calendar(pack)
    allowance = parse_allowance(text)
    mode = Mode.DAY if allowance.unit is Unit.WORKING_DAYS else Mode.MINUTE
    return due(at, allowance=allowance, calendar=calendar, mode=mode)
