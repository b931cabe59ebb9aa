"""Open dossiers from the timer and signal start events of the procedures in force.

Only the pool that is bound to the initiator is opened by the node itself, at each agency of the
node that may open the procedure for a person too. The occurrence and its dossier are one commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.directory import DirectoryAgency
from dossier.errors import LienThongError, Unavailable
from dossier.ids import AgencyCode, ConversationId
from exchange.drained import Drained
from exchange.errors import AddresseeRefused, PartnerUnknown, ProcedureUnknown
from exchange.node import Node
from exchange.opening import Opening, bind_roles, open_dossier
from exchange.start_errors import SignalChain
from storage import agencies, facts, incidents, start_events
from storage.start_events import StartEvent
from storage.transactions import transaction
from workflows.alarms import next_alarm, start_alarms
from workflows.graph import EventKind
from workflows.procedure import Procedure
from workflows.starts import other_starts

_BATCH: Final = 50
_LONGEST_CHAIN: Final = 20
_ACTOR: Final = "system"


def open_due(node: Node) -> Drained:
    """Open what timer starts are due for, one commit each; arm starts when something is new."""
    at = node.now()
    found = start_events.standing()
    in_force = f"{local_day(at)} {found.versions} {found.agencies} {node.directory().number}"
    if found.armed_for != in_force:
        _arm(node, in_force, at=at)
    elif found.next_due is None or found.next_due > at:
        return Drained(done=0, more=False)
    done = 0
    while done < _BATCH and _open_next(node, at=at):
        done += 1
    return Drained(done=done, more=done == _BATCH)


def open_by_signal(node: Node, name: str, *, thrown_by: UUID, at: datetime) -> None:
    """Open a dossier wherever a signal start waits for that name, in this transaction.

    A dossier that a signal opened may throw signals too; the chain is followed 20 long and then
    becomes an incident, for it would never end.
    """
    waiting = start_events.of_signal(name)
    chain = _chain(facts.opening(thrown_by)) + 1 if waiting else 0
    for start in waiting:
        try:
            if chain > _LONGEST_CHAIN:
                raise SignalChain(
                    f"expected at most {_LONGEST_CHAIN} dossiers to open one another, got more",
                    signal=name,
                    limit=_LONGEST_CHAIN,
                )
            _open(node, start, at=at, chain=chain)
        except (AddresseeRefused, PartnerUnknown, ProcedureUnknown, SignalChain) as exc:
            _report(start.procedure, start.agency, start.element_id, exc, at=at)  # before any row


def _chain(payload: Json) -> int:
    length = payload.get("chain") if isinstance(payload, Mapping) else None
    return length if isinstance(length, int) else 0


# --- Armed when a version comes into force; each timer computed from the one before -------------


def _arm(node: Node, in_force: str, *, at: datetime) -> None:
    """Give every start in force its row; nothing stays of a version no longer in force."""
    wanted = list(_wanted(node, at=at))  # loads procedures: not under a lock
    with transaction():
        held = {
            (one.procedure, one.agency, one.element_id): one for one in start_events.lock(in_force)
        }
        for start in wanted:
            old = held.pop((start.procedure, start.agency, start.element_id), None)
            if old is None:
                start_events.put(start)
            elif old.package_sha256 != start.package_sha256:
                # What was due under the version before and not opened yet is opened under this.
                is_owed = old.due is not None and old.due <= at
                start_events.put(replace(start, due=old.due) if is_owed else start)
        for gone in held.values():
            start_events.drop(gone)


def _wanted(node: Node, *, at: datetime) -> Iterator[StartEvent]:
    for procedure in node.contracts().all_effective(day=local_day(at)):
        role = _opening_role(procedure)
        starts = _starts(node, procedure, role, at=at) if role else {}
        for element, (signals, due) in starts.items():
            for agency in _openers(node, role, at=at):
                yield StartEvent(
                    procedure=procedure.code,
                    agency=AgencyCode(agency.code),
                    element_id=element,
                    package_sha256=node.contracts().package(procedure.code, procedure.version),
                    signals=signals,
                    armed=at,
                    due=due,
                    fired=0,
                )


def _starts(
    node: Node, procedure: Procedure, role: str, *, at: datetime
) -> dict[str, tuple[tuple[str, ...], datetime | None]]:
    """Return the signals or the first instant of each start event of the pool."""
    definition = procedure.definition(role)
    found: dict[str, tuple[tuple[str, ...], datetime | None]] = {}
    for start in other_starts(definition):
        if start.kind is EventKind.SIGNAL and start.name:
            others, _due = found.get(start.element_id, ((), None))
            found[start.element_id] = ((*others, start.name), None)
    values = {"param": dict(procedure.parameter_values)}
    try:
        firsts = start_alarms(definition, at=at, calendar=node.calendar(), values=values)
    except Unavailable:
        raise
    except LienThongError as exc:
        with transaction():
            _report(procedure.code, "", "", exc, at=at)
        return found
    for element, first in firsts.items():
        signals, _due = found.get(element, ((), None))
        found[element] = (signals, first if first >= at else None)  # what is past has passed
    return found


def _open_next(node: Node, *, at: datetime) -> bool:
    """Open one dossier that is due; what cannot be opened is an incident, and time goes on."""
    start, following = None, None
    try:
        with transaction():
            start = start_events.take_due(at=at)
            if start is None:
                return False
            following = _following(node, start, at=at)
            _open(node, start, at=at)
            start_events.move_on(start, due=following)
    except Unavailable:
        raise
    except LienThongError as exc:
        if start is None:
            raise
        with transaction():
            start_events.move_on(start, due=following)
            _report(start.procedure, start.agency, start.element_id, exc, at=at)
    return True


def _following(node: Node, start: StartEvent, *, at: datetime) -> datetime | None:
    procedure = node.contracts().get(start.package_sha256)
    return next_alarm(
        procedure.definition(_opening_role(procedure)),
        start.element_id,
        armed=start.armed,
        at=at,
        calendar=node.calendar(),
        fired=start.fired + 1,
        values={"param": dict(procedure.parameter_values)},
    )


# --- Who opens, and what ------------------------------------------------------------------------


def _opening_role(procedure: Procedure) -> str:
    found = (name for name, role in procedure.roles.items() if role.bind == "initiator")
    return next(found, "")


def _openers(node: Node, role: str, *, at: datetime) -> Iterator[DirectoryAgency]:
    directory = node.directory()
    for hosted in agencies.hosted():
        own = directory.find(hosted.code)
        if own is None or node.hosted(hosted.code) is None or role not in own.competences:
            continue
        if own.valid_until is None or own.valid_until > at:
            yield own


def _open(node: Node, start: StartEvent, *, at: datetime, chain: int = 0) -> None:
    procedure = node.contracts().get(start.package_sha256)
    directory = node.directory()
    agency = directory.find(start.agency)
    if agency is None:
        raise PartnerUnknown("expected an agency of this node", agency=start.agency)
    bindings = bind_roles(procedure, directory=directory, initiator=agency, addressee="", at=at)
    open_dossier(
        node,
        Opening(
            procedure=procedure,
            agency=AgencyCode(agency.code),
            role=_opening_role(procedure),
            subject=f"{procedure.name['vi']} {local_day(at):%d/%m/%Y}",
            bindings=bindings,
            actor=_ACTOR,
            conversation_id=ConversationId(str(uuid.uuid4())),
            trigger=start.element_id,
            payload={"element": start.element_id, **({"chain": chain} if chain else {})},
        ),
        at=at,
    )
    reference = _ref(start.procedure, start.agency, start.element_id)
    incidents.resolve_start(reference, by=_ACTOR, at=at)


def _report(
    procedure: str, agency: str, element: str, exc: LienThongError, *, at: datetime
) -> None:
    incidents.open_incident(
        incidents.NewIncident(
            code=exc.code,
            parameters={
                **{name: str(value) for name, value in exc.parameters.items()},
                "procedure": procedure,
                "agency": str(exc.parameters.get("agency") or agency),
            },
            opened=at,
            element_id=element,
            ref=_ref(procedure, agency, element),
        )
    )


def _ref(procedure: str, agency: str, element: str) -> str:
    return f"start:{procedure}:{agency}:{element}"
