"""Use case: one business administrator proposes a version, another one confirms or refuses it.

A version of a procedure, or of the rules (a rule pack).

What is proposed must be ready then, and again when it is confirmed. Each step is a leaf of the
node's log.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from dossier.ids import Sha256
from dossier.model import Actor
from exchange import access, rules
from exchange.chronicle import write_node_event
from exchange.errors import AlreadyPublished, ProposalClosed, ProposalUnknown, ReasonMissing
from exchange.publish import demand_ready, demand_two_people, package_digest, publish
from signing.log.leaf import LeafKind
from storage import definitions, proposals, rulepacks
from storage.proposals import Proposal, ProposalKind, ProposalState
from storage.transactions import transaction
from workflows.package import DECLARATION

__all__ = [
    "Proposal", "ProposalKind", "ProposalState", "confirm", "find_open", "get", "listed", "propose",
    "refuse",
]  # fmt: skip

_LEAVES: Final = {
    ProposalKind.PROCEDURE: LeafKind.PROCEDURE,
    ProposalKind.RULE_PACK: LeafKind.RULES,
}


def propose(actor: Actor, files: Mapping[str, bytes], *, at: datetime) -> Proposal:
    """Put a procedure folder, or a rule pack, before a second person.

    Raises `NotAllowed`, `ProcedureNotReady`, the refusals of a rule pack, `AlreadyPublished`, and
    `RowConflict` when a proposal for this version is open or the version exists with other files.
    """
    kind = ProposalKind.PROCEDURE if DECLARATION in files else ProposalKind.RULE_PACK
    match kind:
        case ProposalKind.PROCEDURE:
            procedure = demand_ready(files)
            name, version, effective = procedure.code, procedure.version, procedure.effective
        case ProposalKind.RULE_PACK:
            pack = rules.parse(files)
            name, version, effective = rules.NAME, pack.version, pack.effective
        case _:
            assert_never(kind)
    _demand(actor, procedure=name if kind is ProposalKind.PROCEDURE else "", at=at)
    package = Sha256(package_digest(files))
    _demand_new(kind, name, version, package)
    proposal = Proposal(
        id=uuid.uuid4(),
        kind=kind,
        name=name,
        version=version,
        package_sha256=package,
        effective_from=effective,
        proposed=at,
        proposed_by=actor.username,
        state=ProposalState.OPEN,
        decided=None,
        decided_by="",
        reason="",
    )
    with transaction():
        proposals.add(proposal, files)
        _log(proposal, "proposed", by=actor.username, at=at)
    return proposal


def confirm(actor: Actor, proposal: UUID, *, at: datetime) -> Proposal:
    """Publish what somebody else proposed.

    Raises `NotAllowed`, `SamePerson`, `ProposalClosed`, `ProposalUnknown`, and `ProcedureNotReady`
    when it is not ready any more.
    """
    found = get(actor, proposal, at=at)
    demand_two_people(found.proposed_by, actor.username)
    files = proposals.files(proposal)
    if found.kind is ProposalKind.PROCEDURE:
        demand_ready(files)
    with transaction():
        _close(found, ProposalState.CONFIRMED, by=actor.username, at=at)
        if found.kind is ProposalKind.PROCEDURE:
            publish(files, at=at, proposed_by=found.proposed_by, confirmed_by=actor.username)
        else:
            rules.publish(files, at=at, proposed_by=found.proposed_by, confirmed_by=actor.username)
    return get(actor, proposal, at=at)


def refuse(actor: Actor, proposal: UUID, *, reason: str, at: datetime) -> Proposal:
    """Refuse a proposal with a reason; who proposed it may take it back in the same way.

    Raises `NotAllowed`, `ReasonMissing`, `ProposalClosed`, `ProposalUnknown`.
    """
    found = get(actor, proposal, at=at)
    said = " ".join(reason.split())
    if not said:
        raise ReasonMissing("expected a reason, got none")
    with transaction():
        _close(found, ProposalState.REFUSED, by=actor.username, at=at, reason=said[:2000])
        _log(found, "refused", by=actor.username, at=at)
    return get(actor, proposal, at=at)


def get(actor: Actor, proposal: UUID, *, at: datetime) -> Proposal:
    """Return a proposal; raise `NotAllowed` or `ProposalUnknown`."""
    found = proposals.find(proposal)
    if found is None:
        raise ProposalUnknown("expected a proposal, got an unknown id")
    _demand(actor, procedure=found.name if found.kind is ProposalKind.PROCEDURE else "", at=at)
    return found


def listed(*, limit: int = 100) -> list[Proposal]:
    """Return the proposals, open ones first, then the newest."""
    return proposals.listed(limit=limit)


def find_open(name: str, version: str) -> Proposal:
    """Return the open proposal of a version of a procedure, or of the rules; else refuse."""
    for kind in ProposalKind:
        found = proposals.find_open(kind, name, version)
        if found is not None:
            return found
    raise ProposalUnknown("expected an open proposal of this version", version=version)


def _demand(actor: Actor, *, procedure: str, at: datetime) -> None:
    access.demand(
        allowed=access.may_publish(actor, procedure=procedure, at=at),
        what="propose and confirm versions",
    )


def _demand_new(kind: ProposalKind, name: str, version: str, package: str) -> None:
    if kind is ProposalKind.PROCEDURE:
        procedure = definitions.find_version(name, version)
        known = procedure.package_sha256 if procedure else ""
    else:
        pack = rulepacks.find_head(version)
        known = pack.package_sha256 if pack else ""
    if known:
        same = "the same files" if known == package else "other files"
        raise AlreadyPublished(f"expected a new version, got one published with {same}")


def _close(
    proposal: Proposal, state: ProposalState, *, by: str, at: datetime, reason: str = ""
) -> None:
    if not proposals.decide(proposal.id, state=state, by=by, at=at, reason=reason):
        raise ProposalClosed("expected an open proposal")


def _log(proposal: Proposal, event: str, *, by: str, at: datetime) -> None:
    write_node_event(
        _LEAVES[proposal.kind],
        {
            "event": event,
            "name": proposal.name,
            "version": proposal.version,
            "package_sha256": proposal.package_sha256,
            "by": by,
        },
        at=at,
    )
