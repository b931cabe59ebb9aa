"""A person opens a dossier for one of their agencies."""

from __future__ import annotations

import uuid
from uuid import UUID

from dossier.calendar import local_day
from dossier.ids import AgencyCode, ConversationId
from dossier.model import Actor, StartableProcedure
from exchange import access
from exchange.errors import PartnerUnknown, ProcedureUnknown
from exchange.node import Node
from exchange.opening import Opening, bind_roles, can_bind, open_dossier
from storage import agencies
from storage.transactions import transaction
from workflows.procedure import Procedure

_SUBJECT_LENGTH = 500


def submit(
    node: Node,
    actor: Actor,
    *,
    procedure: str,
    agency: str,
    subject: str,
    addressee: str = "",
    conversation: ConversationId | None = None,
) -> UUID:
    """Open a dossier and return its id.

    Raises `NotAllowed`, `ProcedureUnknown`, `AddresseeRefused`, `PartnerUnknown`.
    """
    now = node.now()
    access.demand(
        allowed=access.may_open(actor, agency=agency, procedure=procedure, at=now),
        what="open a dossier",
    )
    chosen = node.contracts().effective(procedure, day=local_day(now))
    directory = node.directory()
    own = directory.find(agency)
    role = opening_role(chosen)
    if own is None or node.hosted(agency) is None:
        raise PartnerUnknown("expected an agency of this node", agency=agency)
    if not can_open(chosen, own.competences):
        raise ProcedureUnknown("expected a procedure that the agency opens", procedure=procedure)
    bindings = bind_roles(chosen, directory=directory, initiator=own, addressee=addressee, at=now)
    with transaction():
        opened = open_dossier(
            node,
            Opening(
                procedure=chosen,
                agency=AgencyCode(own.code),
                role=role,
                subject=" ".join(subject.split())[:_SUBJECT_LENGTH],
                bindings=bindings,
                actor=actor.username,
                conversation_id=conversation or ConversationId(str(uuid.uuid4())),
                values={"addressee": addressee} if addressee else None,
            ),
            at=now,
        )
    return opened.id


def startable(node: Node, actor: Actor) -> list[StartableProcedure]:
    """Return what the person may open, for the page that asks."""
    now = node.now()
    directory = node.directory()
    found = []
    procedures = node.contracts().all_effective(day=local_day(now))
    for hosted in agencies.hosted():
        own = directory.find(hosted.code)
        for procedure in procedures:
            allowed = access.may_open(actor, agency=hosted.code, procedure=procedure.code, at=now)
            if own is None or not allowed or not can_open(procedure, own.competences):
                continue
            if not can_bind(procedure, directory=directory, initiator=own, at=now):
                continue
            found.append(
                StartableProcedure(
                    procedure=procedure.code,
                    version=procedure.version,
                    name=procedure.name,
                    agency=hosted.code,
                    agency_name={"vi": hosted.name_vi, "en": hosted.name_en},
                    asks_addressee=any(
                        role.bind == "addressee" for role in procedure.roles.values()
                    ),
                    addressees=tuple(
                        (one.code, {"vi": one.name_vi, "en": one.name_en})
                        for one in directory.agencies
                        if one.is_reachable and one.code != own.code and one.kind == own.kind
                    ),
                )
            )
    return found


def opening_role(procedure: Procedure) -> str:
    """Return the pool that opens dossiers: the one bound to the initiator."""
    for name, role in procedure.roles.items():
        if role.bind == "initiator":
            return name
    raise ProcedureUnknown("expected a role bound to the initiator", procedure=procedure.code)


def can_open(procedure: Procedure, competences: tuple[str, ...]) -> bool:
    """Tell whether an agency of these competences opens the procedure: it may fill the role."""
    return opening_role(procedure) in competences
