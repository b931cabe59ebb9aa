"""Store procedure versions: once, checked, by two people; a stored one never changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dossier.errors import LienThongError
from dossier.ids import Sha256
from dossier.texts import Language, render
from exchange.chronicle import write_node_event
from exchange.errors import SamePerson
from exchange.procedures.errors import ProcedureNotReady
from exchange.procedures.folder import package_digest, read_folder
from exchange.procedures.lint import lint_files
from exchange.procedures.trial import try_files
from signing.log.leaf import LeafKind
from storage import definitions
from storage.transactions import transaction
from workflows.package import load_procedure
from workflows.procedure import Procedure

__all__ = ["demand_ready", "demand_two_people", "package_digest", "publish", "read_folder"]


def demand_ready(files: Mapping[str, bytes]) -> Procedure:
    """Return the procedure of files whose lint has no error and whose scenarios pass.

    Raise `ProcedureNotReady` otherwise, also when no scenario enters some element.
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
    procedure = load_procedure(files)
    latest = definitions.latest(procedure.code)
    if latest is not None and procedure.effective < latest.effective_from:
        raise _not_ready("never_effective", version=latest.version)
    return procedure


def publish(
    files: Mapping[str, bytes], *, at: datetime, proposed_by: str, confirmed_by: str
) -> Procedure:
    """Store one version and log it; publishing the same bytes again changes nothing.

    Raises `SamePerson`, the refusal of `load_procedure`, or `RowConflict` when the version exists
    with other bytes. Dossiers that run stay on the version under which they were opened.
    """
    demand_two_people(proposed_by, confirmed_by)
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
                published_by=proposed_by,
                confirmed_by=confirmed_by,
                files=dict(files),
            )
        )
        if added:
            write_node_event(
                LeafKind.PROCEDURE,
                {
                    "event": "published",
                    "procedure": procedure.code,
                    "version": procedure.version,
                    "sha256": procedure.digest,
                    "package_sha256": package,
                    "effective": procedure.effective.isoformat(),
                    "by": proposed_by,
                    "confirmed_by": confirmed_by,
                },
                at=at,
            )
    return procedure


def demand_two_people(proposed_by: str, confirmed_by: str) -> None:
    """Raise `SamePerson` unless two people stand behind a change."""
    if not proposed_by or not confirmed_by or proposed_by == confirmed_by:
        raise SamePerson("expected a second person to confirm")


def _not_ready(reason: str, **parameters: str) -> ProcedureNotReady:
    said = render("ready", reason, Language.EN, **parameters)
    return ProcedureNotReady(
        f"expected a procedure that is ready, got one where {said}", reason=said
    )
