"""What one consulted agency said, or what its silence means, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dossier.shown import ShownValue


class OpinionState(StrEnum):
    """Where one consultation stands."""

    WAITING = "waiting"
    ANSWERED = "answered"
    SILENT = "silent"  # its silence had its effect
    LATE = "late"  # the same, and the opinion came afterwards


@dataclass(frozen=True, kw_only=True, slots=True)
class Consultation:
    """One agency of a consultation with a rule of silence."""

    element_id: str
    agency: str
    message_type: str
    state: OpinionState
    policy: str
    citation: str
    confirmed: bool
    delivered: datetime | None  # of the question; None: there is no receipt
    deadline: datetime
    answered: datetime | None  # when the opinion came, in time or late
    outcome: str = ""  # what silence meant; empty: nothing yet
    values: tuple[ShownValue, ...] = ()  # what it said, in time or late
