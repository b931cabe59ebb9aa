"""The procedures that ship, read from their folders, and plays of them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

from dossier.calendar import HERE, load_calendar
from exchange.procedures.folder import read_folder
from workflows.package import Procedure, load_procedure
from workflows.play import Play

FOLDERS = Path(__file__).parents[2] / "procedures"
MORNING = datetime(2022, 4, 5, 8, 0, tzinfo=HERE)  # a Tuesday


def folder(name: str) -> dict[str, bytes]:
    """Return the files of a procedure folder, its parts with it, as `load_procedure` takes them."""
    return read_folder(FOLDERS / name)


def names() -> list[str]:
    """Return the names of all procedure folders."""
    return sorted(path.parent.name for path in FOLDERS.glob("*/procedure.toml"))


@cache
def shipped(name: str) -> Procedure:
    """Return a procedure that ships."""
    return load_procedure(folder(name))


def play(name: str, *roles: str) -> Play:
    """Return a play of a shipped procedure; without roles, of all its pools."""
    procedure = shipped(name)
    return Play(
        procedure,
        roles=roles or tuple(procedure.roles),
        at=MORNING,
        calendar=load_calendar(),
    )
