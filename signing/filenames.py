"""Which file names may stand in a container (row 27 of the attack table, signing.md §11)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from signing.errors import FileNameRefused

MAX_NAME_BYTES: Final = 1024
_FEW: Final = 16


def check_names(names: Sequence[str], *, folders: Sequence[str] = ()) -> None:
    """Raise `FileNameRefused` unless every name is safe and no two mean the same file (row 27).

    `folders` are those that have an entry of their own, named without the slash.
    """
    if len(names) <= _FEW and not folders:
        _check_few(tuple(names))
    else:
        _check(names, folders)


@lru_cache(maxsize=256)  # the messages of one kind have the same names; a refusal is not kept
def _check_few(names: tuple[str, ...]) -> None:
    _check(names, ())


def _check(names: Sequence[str], folders: Sequence[str]) -> None:
    seen: set[str] = set()
    parents = _folded_folders(folders)
    for name in names:
        _check_name(name)
        folded = name if name.isascii() and name.islower() else _folded(name)
        if folded in seen:
            raise FileNameRefused(
                f"expected distinct names, got {name!r} twice", name=name, reason="duplicate"
            )
        seen.add(folded)
        if "/" in folded:
            parts = folded.split("/")
            parents.update("/".join(parts[:count]) for count in range(1, len(parts)))
    if clash := seen & parents:
        name = min(clash)
        raise FileNameRefused(
            f"expected {name!r} to be a file or a folder, got both", name=name, reason="duplicate"
        )


def _folded_folders(names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        _check_name(name)
        if _folded(name) in found:
            raise FileNameRefused(
                f"expected distinct folders, got {name!r} twice", name=name, reason="duplicate"
            )
        found.add(_folded(name))
    return found


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _check_name(name: str) -> None:
    problem = _name_problem(name)
    if problem:
        raise FileNameRefused(
            f"expected a safe file name, got {name!r} ({problem})", name=name, reason=problem
        )


def _name_problem(name: str) -> str | None:
    # A character has at most four bytes, so short names need not be encoded.
    if not name or (
        len(name) * 4 > MAX_NAME_BYTES
        and len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES
    ):
        return "length"
    if "\\" in name or ":" in name:
        return "separator"
    if not name.isprintable():
        return "control"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return "path"
        if part[-1] in ". " or part[0] == " ":
            return "trailing"
    return None
