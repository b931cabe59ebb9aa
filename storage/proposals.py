"""Versions that one person proposes and another confirms or refuses, with their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from dossier.ids import Sha256
from storage import sql

_COLUMNS = (
    "id kind name version package_sha256 effective_from proposed proposed_by"
    " state decided decided_by reason"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM proposal"  # noqa: S608 - our own constants


class ProposalKind(StrEnum):
    """What is proposed."""

    PROCEDURE = "procedure"
    RULE_PACK = "rule_pack"


class ProposalState(StrEnum):
    """How far a proposal is."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """One proposal without its files."""

    id: UUID
    kind: ProposalKind
    name: str  # code of the procedure, or of the rule pack
    version: str
    package_sha256: Sha256
    effective_from: date
    proposed: datetime
    proposed_by: str
    state: ProposalState
    decided: datetime | None
    decided_by: str
    reason: str  # of a refusal

    @property
    def state_word(self) -> str:
        """Return the key of the state's words in the texts."""
        return f"state_{self.state.value}"


def add(proposal: Proposal, files: Mapping[str, bytes]) -> None:
    """Store a proposal; raise `RowConflict` when one for the same version is open."""
    sql.execute(
        sql.insert_into("proposal", _COLUMNS),
        (
            str(proposal.id),
            proposal.kind.value,
            proposal.name,
            proposal.version,
            proposal.package_sha256,
            proposal.effective_from.isoformat(),
            sql.from_instant(proposal.proposed),
            proposal.proposed_by,
            proposal.state.value,
            sql.from_maybe(proposal.decided),
            proposal.decided_by,
            proposal.reason,
        ),
    )
    sql.execute_many(
        sql.insert_into("proposal_file", "proposal path content"),
        [(str(proposal.id), path, content) for path, content in sorted(files.items())],
    )


def find(proposal: UUID) -> Proposal | None:
    """Return the proposal of that id."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s", (str(proposal),))
    return _proposal(row) if row else None


def find_open(kind: ProposalKind, name: str, version: str) -> Proposal | None:
    """Return the open proposal of a version."""
    row = sql.one_row(
        f"{_SELECT} WHERE kind = %s AND name = %s AND version = %s AND state = 'open'",
        (kind.value, name, version),
    )
    return _proposal(row) if row else None


def files(proposal: UUID) -> dict[str, bytes]:
    """Return the files of a proposal by their path."""
    rows = sql.all_rows(
        "SELECT path, content FROM proposal_file WHERE proposal = %s ORDER BY path",
        (str(proposal),),
    )
    return {path: bytes(content) for path, content in rows}


def listed(*, limit: int = 100) -> list[Proposal]:
    """Return the proposals, open ones first, then the newest."""
    rows = sql.all_rows(
        f"{_SELECT} ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, proposed DESC LIMIT %s",
        (limit,),
    )
    return [_proposal(row) for row in rows]


def decide(
    proposal: UUID, *, state: ProposalState, by: str, at: datetime, reason: str = ""
) -> bool:
    """Close an open proposal; return False when it is not open any more."""
    return bool(
        sql.execute(
            "UPDATE proposal SET state = %s, decided = %s, decided_by = %s, reason = %s"
            " WHERE id = %s AND state = 'open'",
            (state.value, sql.from_instant(at), by, reason, str(proposal)),
        )
    )


def _proposal(row: sql.Row) -> Proposal:
    return Proposal(
        id=UUID(row[0]),
        kind=ProposalKind(row[1]),
        name=row[2],
        version=row[3],
        package_sha256=Sha256(row[4]),
        effective_from=date.fromisoformat(row[5]),
        proposed=sql.to_instant(row[6]),
        proposed_by=row[7],
        state=ProposalState(row[8]),
        decided=sql.to_maybe(row[9]),
        decided_by=row[10],
        reason=row[11],
    )
