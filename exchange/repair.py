"""Use cases: put a running instance right by hand, with a reason, on record.

Whoever repairs must hold the role for it and must have had no hand in the dossier: nobody carries
their own case past a step. A step that takes a signature or a number cannot be skipped.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from dossier.model import Actor
from dossier.repair import Effect, Repair, RepairKind
from exchange import access, intervene
from exchange.chronicle import Event
from exchange.effects import effects
from exchange.errors import DossierUnknown, ReasonMissing
from exchange.intervene import Change, Read
from exchange.node import Node
from exchange.repair_errors import OwnWork, StepNotSkippable, TokenGone
from exchange.stepping import interfere
from storage import dossiers, tasks
from storage.facts import Fact, FactKind
from workflows.facts import Fact as EngineFact
from workflows.facts import Move, Retry, Skip
from workflows.standing import StandingToken, standing

_LONGEST_REASON: Final = 500
_KINDS: Final = {
    RepairKind.RETRY: "token_retried",
    RepairKind.MOVE: "token_moved",
    RepairKind.BACK: "token_returned",
    RepairKind.SKIP: "token_skipped",
}


def find(node: Node, actor: Actor, code: str) -> UUID:
    """Return the dossier of a code at an agency where the person may repair."""
    for agency in node.hosted_agencies():
        found = dossiers.find(agency, code.strip())
        if found is not None and access.may_repair(actor, found, at=node.now()):
            return found.id
    raise DossierUnknown("expected a dossier that you may repair", code=code)


def preview(node: Node, actor: Actor, instance: UUID, repair: Repair) -> list[Effect]:
    """Return what a repair would change; nothing changes. Raises what `carry_out` raises."""
    before = intervene.read(node, instance)
    return list(effects(_decide(node, actor, before, repair).stepped, before))


def carry_out(node: Node, actor: Actor, instance: UUID, repair: Repair) -> None:
    """Carry out a repair and log it.

    Raises `NotAllowed`, `OwnWork`, `ReasonMissing`, `StepNotSkippable`, `TokenGone`, and the
    engine's `RepairRefused`, `TokenClosed` or `InstanceClosed`.
    """
    intervene.intervene(
        node, instance, lambda before: _decide(node, actor, before, repair), at=node.now()
    )


def _decide(node: Node, actor: Actor, before: Read, repair: Repair) -> Change:
    now = node.now()
    _demand(node, actor, before)
    reason = " ".join(repair.reason.split())[:_LONGEST_REASON]
    if not reason:
        raise ReasonMissing("expected a reason for the repair, got none")
    token = _token(before, repair.token)
    if repair.kind is RepairKind.SKIP:
        _demand_skippable(before, token.element)
    by = Fact(
        id=0,
        instance=before.instance.id,
        kind=FactKind.RETRY,
        ref=repair.token,
        payload={},
        actor=actor.username,
        on_behalf_of="",
        at=now,
    )
    stepped = interfere(
        before.instance,
        procedure=before.procedure,
        fact=_fact(repair),
        by=by,
        values=before.values,
        at=now,
    )
    event = Event(
        dossier=before.dossier.id,
        at=now,
        kind=_KINDS[repair.kind],
        instance=before.instance.id,
        element_id=token.element,
        actor=actor.username,
        parameters={"reason": reason, "to": repair.to, "token": repair.token},
    )
    return Change(stepped=stepped, events=[event])


def _demand(node: Node, actor: Actor, before: Read) -> None:
    allowed = access.may_repair(actor, before.dossier, at=node.now())
    access.demand(allowed=allowed, what="repair processes")
    if actor.username in tasks.hands_of(before.dossier.id):
        raise OwnWork("expected a person who has done no task of this dossier")


def _token(before: Read, token: str) -> StandingToken:
    definition = before.procedure.definition(before.instance.role)
    for one in standing(definition, before.instance.snapshot):
        if one.id == token:
            return one
    raise TokenGone("expected a token of the instance", token=token)


def _demand_skippable(before: Read, element: str) -> None:
    if not may_skip(before, element):
        raise StepNotSkippable(
            "expected a step without signature or number, got one with", element=element
        )


def may_skip(before: Read, element: str) -> bool:
    """Tell whether an element may be left out: it takes no signature and no number."""
    definition = before.procedure.definition(before.instance.role)
    extension = definition.elements[element].extension
    return not (extension.sign or extension.register)


def _fact(repair: Repair) -> EngineFact:
    match repair.kind:
        case RepairKind.RETRY:
            return Retry(token_id=repair.token)
        case RepairKind.SKIP:
            return Skip(token_id=repair.token)
        case RepairKind.MOVE | RepairKind.BACK:
            return Move(token_id=repair.token, element_id=repair.to)
