"""Read procedure folders from the disk: what is in them, and which lie below a path."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dossier.canonical import digest
from exchange.errors import ProcedureFolderRefused
from workflows.linking import Part
from workflows.package import DECLARATION, MODEL
from workflows.parts import PART_DECLARATION, PARTS, missing_calls

_MAX_FILES: Final = 500
_MAX_BYTES: Final = 20 * 1024**2


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a procedure folder, or of a part, by their path in it.

    The parts that its model calls and that lie in no `parts/` of its own are read from the folder
    `parts` beside it, and come along as if they lay in it: so a version is published with them.
    Raise `ProcedureFolderRefused` when it is none, too large, or holds something unreadable.
    """
    if not _is_folder(folder):
        raise _refused("a folder with a procedure.toml or a part.toml", folder)
    files = _files(folder)
    shelf = folder.parent if PART_DECLARATION in files else folder.parent / PARTS
    offered = _offered(shelf, but=folder)
    while found := [offered[call] for call in missing_calls(files) if call in offered]:
        for part in found:
            files.update(
                {
                    f"{PARTS}{part.name}/{path}": content
                    for path, content in _files(part).items()
                    if not path.startswith(PARTS)
                }
            )
    return files


def read_files(folder: Path, declaration: str) -> dict[str, bytes]:
    """Return the files of a folder that holds the file `declaration`, by their path in it."""
    if not (folder / declaration).is_file():
        raise _refused(f"a folder with a {declaration}", folder)
    return _files(folder)


def read_beside(model: Path) -> tuple[Part, ...]:
    """Return the BPMN files beside a model, and the parts in a folder `parts` beside it.

    A call activity of a bare model may lead to any of them. Files that cannot be read are left out:
    the call that needs one then names what is missing.
    """
    beside = [path for path in sorted(model.parent.glob("*.bpmn")) if path != model]
    inner = sorted((model.parent / PARTS).glob(f"*/{PART_DECLARATION}"))
    found = [(path, "") for path in beside[:_MAX_FILES]]
    found += [(path.parent / MODEL, _declared(path)[1]) for path in inner[:_MAX_FILES]]
    return tuple(
        Part(
            path=path.relative_to(model.parent).as_posix(),
            source=path.read_bytes(),
            version=version,
        )
        for path, version in found
        if path.is_file() and path.stat().st_size <= _MAX_BYTES
    )


def _offered(shelf: Path, *, but: Path) -> dict[tuple[str, str], Path]:
    """Return the parts on a shelf by code and version; without a version, the newest."""
    declared = [
        (_declared(path), path.parent)
        for path in sorted(shelf.glob(f"*/{PART_DECLARATION}"))
        if path.parent.resolve() != but.resolve()
    ]
    declared.sort(key=lambda one: _order(one[0][1]))
    newest = {(code, ""): folder for (code, _version), folder in declared}
    return newest | dict(declared)


def _declared(path: Path) -> tuple[str, str]:
    """Return code and version of a part.toml; what is wrong with it, loading the part will say."""
    try:
        head = tomllib.loads(path.read_text(encoding="utf-8")).get("part", {})
    except (OSError, ValueError):
        return "", ""
    return str(head.get("code", "")), str(head.get("version", ""))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(figure) for figure in version.split(".") if figure.isdecimal())


def _is_folder(path: Path) -> bool:
    return (path / DECLARATION).is_file() or (path / PART_DECLARATION).is_file()


def _files(folder: Path) -> dict[str, bytes]:
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
    """Return the path itself when it is a procedure or a part, else those directly below it.

    The parts in a folder `parts` below it belong to them.
    """
    if _is_folder(path):
        return (path,)
    inner = (path, path / PARTS)
    found = [each for one in inner if one.is_dir() for each in one.iterdir() if _is_folder(each)]
    if not found:
        raise _refused("a folder with a procedure.toml, or a folder of such folders", path)
    return tuple(sorted(found))


def package_digest(files: Mapping[str, bytes]) -> str:
    """Return one digest over all files of a folder."""
    return digest({path: content.hex() for path, content in files.items()})


def _refused(expected: str, folder: Path) -> ProcedureFolderRefused:
    return ProcedureFolderRefused(
        f"expected {expected}, got {folder.name or folder}", folder=folder.name or str(folder)
    )
