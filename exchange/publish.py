"""Publish procedure folders: a version is stored once and never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dossier.canonical import digest
from dossier.errors import LienThongError
from dossier.ids import Sha256
from dossier.texts import Language, render, render_error
from exchange.errors import ProcedureFolderRefused
from storage import definitions
from storage.transactions import transaction
from workflows.definition import deploy
from workflows.findings import Finding, Severity
from workflows.package import load_procedure
from workflows.procedure import Procedure

_MAX_FILES: Final = 500
_MAX_BYTES: Final = 20 * 1024**2


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a procedure folder by their path in it; raise when it is none."""
    if not (folder / "procedure.toml").is_file():
        raise ProcedureFolderRefused("expected a folder with a procedure.toml", folder=folder.name)
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        total += path.stat().st_size
        if len(files) >= _MAX_FILES or total > _MAX_BYTES:
            raise ProcedureFolderRefused("expected a smaller folder", folder=folder.name)
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def publish(files: Mapping[str, bytes], *, at: datetime, by: str) -> Procedure:
    """Check and store one version; publishing the same bytes again changes nothing.

    Raises the refusal of `load_procedure`, or `RowConflict` when the version exists with other
    bytes.
    """
    procedure = load_procedure(files)
    with transaction():
        definitions.add(
            definitions.Definition(
                procedure=procedure.code,
                version=procedure.version,
                sha256=Sha256(procedure.digest),
                package_sha256=Sha256(package_digest(files)),
                effective_from=procedure.effective,
                published=at,
                published_by=by,
                files=dict(files),
            )
        )
    return procedure


def package_digest(files: Mapping[str, bytes]) -> str:
    """Return one digest over all files of a folder."""
    return digest({path: content.hex() for path, content in files.items()})


@dataclass(frozen=True, kw_only=True, slots=True)
class Linted:
    """What checking a model or a folder found, in words."""

    is_runnable: bool
    problems: tuple[dict[str, str | int], ...]  # rule, severity, element, line, message


def lint(path: Path, *, language: Language = Language.EN) -> Linted:
    """Check a BPMN file or a procedure folder without storing anything."""
    try:
        if path.is_dir():
            deployment = load_procedure(read_folder(path)).deployment
        else:
            deployment = deploy(path.read_bytes())
    except LienThongError as exc:
        sentence, _hint = render_error(exc, language)
        problem: dict[str, str | int] = {
            "rule": exc.code,
            "severity": Severity.ERROR.value,
            "element": str(exc.parameters.get("element", path.name)),
            "line": int(exc.parameters.get("line", 0)),
            "message": f"{sentence} {exc.message}",
        }
        return Linted(is_runnable=False, problems=(problem,))
    return Linted(
        is_runnable=deployment.is_runnable,
        problems=tuple(_problem(one, language) for one in deployment.findings),
    )


def _problem(finding: Finding, language: Language) -> dict[str, str | int]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "element": finding.element or "",
        "line": finding.line,
        "message": render("finding", finding.rule, language, **finding.parameters),
    }
