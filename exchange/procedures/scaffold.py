"""Use case: begin a new procedure folder that is drawn, runs, and passes its own scenarios."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from exchange.procedures.errors import ScaffoldRefused
from exchange.procedures.folder import read_folder

_TEMPLATE: Final = Path(__file__).parent / "template"
_CODE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 60


def scaffold(name: str, *, below: Path, effective: date) -> Path:
    """Write a new procedure folder `below`/`name` and return its path.

    Raise `ScaffoldRefused` for a name that is no procedure code, or a place that is taken.
    """
    return write_folder(name, scaffold_files(name, effective=effective), below=below)


def write_folder(name: str, files: Mapping[str, bytes], *, below: Path) -> Path:
    """Write the files of a new folder; raise `ScaffoldRefused` when its place is taken."""
    folder = below / name
    if folder.exists():
        raise _refused("a folder that does not exist yet", name, "taken")
    try:
        for path, content in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    except OSError as exc:
        raise _refused("a folder that can be written", name, "not_writable") from exc
    return folder


def scaffold_files(name: str, *, effective: date) -> Mapping[str, bytes]:
    """Return the files of a new procedure of that code."""
    check_code(name)
    named = {
        b"example-procedure": name.encode(),
        b"example_procedure": name.replace("-", "_").encode(),
        b"effective = 2026-01-01": f"effective = {effective.isoformat()}".encode(),
    }
    return {path: _replaced(content, named) for path, content in read_folder(_TEMPLATE).items()}


def check_code(name: str) -> None:
    """Raise `ScaffoldRefused` for a name that is no procedure code."""
    if not _CODE.fullmatch(name) or len(name) > _LONGEST:
        raise _refused("lower-case letters, digits and single hyphens", name, "name")


def _replaced(content: bytes, named: Mapping[bytes, bytes]) -> bytes:
    for before, after in named.items():
        content = content.replace(before, after)
    return content


def _refused(expected: str, name: str, reason: str) -> ScaffoldRefused:
    return ScaffoldRefused(f"expected {expected}, got {name!r}", name=name, reason=reason)
