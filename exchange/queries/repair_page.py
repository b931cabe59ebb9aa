"""The page of an operator: the tokens of a dossier's process, and where each may go."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from dossier.model import Actor
from dossier.repair import Place, RepairPage, TokenPlace
from exchange import access, intervene
from exchange.intervene import Read
from exchange.node import Node
from exchange.repair import may_skip
from storage import dossiers, history, instances
from workflows.diagram import draw_svg
from workflows.naming import names_read
from workflows.procedure import Procedure
from workflows.standing import StandingToken, TokenState, standing, targets
from workflows.state import parse


def repair_pages(node: Node, actor: Actor, dossier: UUID) -> list[RepairPage]:
    """Return the instances of a dossier with their tokens; raise `NotAllowed`."""
    held = dossiers.get(dossier)
    access.demand(allowed=access.may_repair(actor, held, at=node.now()), what="repair processes")
    return [_page(node, actor, one.id) for one in instances.of_dossier(dossier)]


def _page(node: Node, actor: Actor, instance: UUID) -> RepairPage:
    before = intervene.read(node, instance)
    found, procedure = before.instance, before.procedure
    tokens: tuple[StandingToken, ...] = ()
    is_halted = False
    if found.snapshot:
        tokens = standing(procedure.definition(found.role), found.snapshot)
        is_halted = parse(found.snapshot)[0].halted
    done = _done(before)
    states = dict.fromkeys(done, "done") | {
        one.element: "incident" if one.state is TokenState.INCIDENT else "active" for one in tokens
    }
    return RepairPage(
        instance=found.id,
        dossier=before.dossier.id,
        dossier_code=before.dossier.code,
        role=found.role,
        procedure_name=procedure.name,
        version=procedure.version,
        is_halted=is_halted,
        is_open=before.dossier.is_open and bool(tokens),
        tokens=[_token_place(before, one, done) for one in tokens],
        diagram_svg=draw_svg(
            procedure.source,
            title=procedure.name[actor.language],
            description=before.dossier.code,
            states=states,
            labels={
                element: procedure.element_name(element)[actor.language]
                for element in procedure.labels
            },
        ),
    )


def _done(before: Read) -> list[str]:
    """Return the elements that were done, the latest first."""
    entries = history.of_dossier(before.dossier.id)
    done = [entry.element_id for entry in entries if entry.kind == "step_done"]
    return list(dict.fromkeys(reversed(done)))


def _token_place(before: Read, token: StandingToken, done: list[str]) -> TokenPlace:
    procedure = before.procedure
    definition = procedure.definition(before.instance.role)
    open_targets = targets(definition, token)
    return TokenPlace(
        id=token.id,
        element_id=token.element,
        name=procedure.element_name(token.element),
        state=token.state.value,
        code=token.code,
        names_read=names_read(definition, token.element),
        instances=token.instances,
        can_skip=token.can_move and may_skip(before, token.element),
        targets=_named(procedure, open_targets),
        done_before=_named(procedure, [one for one in done if one in open_targets]),
    )


def _named(procedure: Procedure, elements: Iterable[str]) -> list[Place]:
    return [Place(element_id=one, name=procedure.element_name(one)) for one in elements]
