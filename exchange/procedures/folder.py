"""Read procedure folders from the disk: what is in them, and which lie below a path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dossier.canonical import digest
from exchange.errors import ProcedureFolderRefused
from workflows.package import DECLARATION

_MAX_FILES: Final = 500
_MAX_BYTES: Final = 20 * 1024**2


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a procedure folder by their path in it.

    Raise `ProcedureFolderRefused` when it is none, too large, or holds something unreadable.
    """
    if not (folder / DECLARATION).is_file():
        raise _refused("a folder with a procedure.toml", folder)
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        total += path.stat().st_size
        if len(files) >= _MAX_FILES or total > _MAX_BYTES:
            raise _refused(f"at most {_MAX_FILES} files and {_MAX_BYTES} bytes", folder)
        try:
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
        except OSError as exc:
            raise _refused(f"a readable file {path.name}", folder) from exc
    return files


def folders_below(path: Path) -> tuple[Path, ...]:
    """Return the path itself when it is a procedure folder, else the ones directly below it."""
    if (path / DECLARATION).is_file():
        return (path,)
    found = tuple(sorted(each.parent for each in path.glob(f"*/{DECLARATION}")))
    if not found:
        raise _refused("a folder with a procedure.toml, or a folder of such folders", path)
    return found


def package_digest(files: Mapping[str, bytes]) -> str:
    """Return one digest over all files of a folder."""
    return digest({path: content.hex() for path, content in files.items()})


def _refused(expected: str, folder: Path) -> ProcedureFolderRefused:
    return ProcedureFolderRefused(
        f"expected {expected}, got {folder.name or folder}", folder=folder.name or str(folder)
    )
