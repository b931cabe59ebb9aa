"""Calendars, local instants and vectors for the tests of the working-time clock."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from dossier.calendar import HERE, Calendar, load_calendar

VECTORS = Path(__file__).parents[1] / "vectors" / "clock"


def local(text: str) -> datetime:
    """Return `2026-03-02 09:00` of Vietnamese time as an aware instant."""
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


def shown(instant: datetime) -> str:
    """Return an instant as the vectors write it."""
    return f"{instant.astimezone(HERE):%Y-%m-%d %H:%M}"


def vectors(name: str) -> list[dict[str, Any]]:
    """Return the vectors of one file."""
    found: list[dict[str, Any]] = tomllib.loads((VECTORS / f"{name}.toml").read_text())["vector"]
    return found


def standard(*layers: str) -> Calendar:
    """Return the shipped calendar with standard hours."""
    return load_calendar(layers=layers)
