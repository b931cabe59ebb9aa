"""Publish procedure folders: a version is stored once and never changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dossier.errors import LienThongError
from dossier.ids import Sha256
from dossier.texts import Language, render
from exchange.chronicle import write_node_event
from exchange.procedures.errors import ProcedureNotReady
from exchange.procedures.folder import package_digest, read_folder
from exchange.procedures.lint import lint_files
from exchange.procedures.trial import try_files
from signing.log.leaf import LeafKind
from storage import definitions
from storage.transactions import transaction
from workflows.package import load_procedure
from workflows.procedure import Procedure

__all__ = ["package_digest", "publish", "publish_ready", "read_folder"]


def publish_ready(files: Mapping[str, bytes], *, at: datetime, by: str) -> Procedure:
    """Publish a version whose lint has no error and whose scenarios pass and enter every element.

    Raises `ProcedureNotReady` otherwise, and what `publish` raises.
    """
    if not lint_files(files, language=Language.EN).is_runnable:
        raise _not_ready("lint")
    try:
        trial = try_files(files, folder="", language=Language.EN, draw=False)
    except LienThongError as exc:
        raise _not_ready("scenarios") from exc
    if not trial.scenarios:
        raise _not_ready("no_scenarios")
    if not trial.passed:
        raise _not_ready("scenarios")
    if trial.uncovered:
        raise _not_ready("coverage", elements=", ".join(trial.uncovered))
    return publish(files, at=at, by=by)


def publish(files: Mapping[str, bytes], *, at: datetime, by: str) -> Procedure:
    """Store one version and log it; publishing the same bytes again changes nothing.

    Raises the refusal of `load_procedure`, or `RowConflict` when the version exists with other
    bytes. Dossiers that run stay on the version under which they were opened.
    """
    procedure = load_procedure(files)
    package = package_digest(files)
    with transaction():
        added = definitions.add(
            definitions.Definition(
                procedure=procedure.code,
                version=procedure.version,
                sha256=Sha256(procedure.digest),
                package_sha256=Sha256(package),
                effective_from=procedure.effective,
                published=at,
                published_by=by,
                files=dict(files),
            )
        )
        if added:
            write_node_event(
                LeafKind.PROCEDURE,
                {
                    "procedure": procedure.code,
                    "version": procedure.version,
                    "sha256": procedure.digest,
                    "package_sha256": package,
                    "effective": procedure.effective.isoformat(),
                    "by": by,
                },
                at=at,
            )
    return procedure


def _not_ready(reason: str, **parameters: str) -> ProcedureNotReady:
    said = render("ready", reason, Language.EN, **parameters)
    return ProcedureNotReady(
        f"expected a procedure that is ready, got one where {said}", reason=said
    )
