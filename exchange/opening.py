"""Open a dossier at one agency: its code, its partners, its instance and its first fact.

Both ways in meet here: a person opens one (`submit`), or a message starts one (`correlate`).
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.codes import dossier_code
from dossier.directory import Directory, DirectoryAgency
from dossier.ids import AgencyCode, ConversationId, Sha256
from dossier.model import Business, Delivery, Dossier, Money
from dossier.rulepack import RulePack
from exchange import chronicle
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.errors import AddresseeRefused, PartnerUnknown
from exchange.node import Node
from signing.log.leaf import SALT_SIZE_BYTES
from storage import cases, dossiers, facts, instances, registers
from workflows.procedure import Procedure


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What is known when a dossier is opened."""

    procedure: Procedure
    agency: AgencyCode  # ours
    role: str  # the pool that our agency plays
    subject: str
    bindings: Mapping[str, str]  # pool role → agency code
    actor: str  # username, or the agency whose message starts it
    conversation_id: ConversationId
    code: str = ""  # empty: a new one of ours
    trigger: str = ""  # message type that starts the instance; empty: the none start event
    payload: Json = None  # of the START fact
    values: Mapping[str, Json] | None = None
    instance: UUID | None = None


def open_dossier(node: Node, opening: Opening, *, at: datetime) -> Dossier:
    """Write dossier, instance and START fact in this transaction, and ring after its commit."""
    rules = node.rules().effective(local_day(at))
    code = opening.code or new_code(opening.agency, rules=rules, at=at)
    dossier = Dossier(
        id=uuid.uuid4(),
        agency=opening.agency,
        code=code,
        conversation_id=opening.conversation_id,
        procedure=opening.procedure.code,
        procedure_version=opening.procedure.version,
        contract_sha256=Sha256(opening.procedure.digest),
        role=opening.role,
        subject=opening.subject,
        business=Business.SUBMITTED,
        money=Money.NONE_DUE,
        delivery=Delivery.NOT_READY,
        is_open=True,
        opened=at,
        closed=None,
        due=None,
        bindings=dict(opening.bindings),
        rule_pack=rules.version,
        directory_number=node.directory().number,
    )
    dossiers.add(dossier, log_salt=secrets.token_bytes(SALT_SIZE_BYTES))
    cases.write(
        dossier.id,
        {"subject": opening.subject, "dossier_code": code, **(opening.values or {})},
    )
    instance = opening.instance or uuid.uuid4()
    instances.add(
        instances.NewInstance(
            id=instance,
            dossier=dossier.id,
            agency=opening.agency,
            definition_sha256=node.contracts().package(
                opening.procedure.code, opening.procedure.version
            ),
            role=opening.role,
            opened=at,
        )
    )
    facts.add(
        facts.NewFact(
            instance=instance,
            kind=facts.FactKind.START,
            ref=opening.trigger,
            payload=opening.payload if opening.payload is not None else {},
            actor=opening.actor,
            on_behalf_of="",
            at=at,
        )
    )
    chronicle.write(
        [
            Event(
                dossier=dossier.id,
                at=at,
                kind="dossier_opened",
                instance=instance,
                actor=opening.actor,
                parameters={
                    "procedure": opening.procedure.code,
                    "version": opening.procedure.version,
                    "contract": opening.procedure.digest,
                    "directory": dossier.directory_number,
                },
            )
        ]
    )
    ring_after_commit("advance", str(instance))
    return dossier


def new_code(agency: AgencyCode, *, rules: RulePack, at: datetime) -> str:
    """Return the next dossier code of the agency; the sequence starts anew each day."""
    day = local_day(at)
    sequence = registers.take_dossier_sequence(agency, day)
    return dossier_code(agency, day=day, sequence=sequence, shape=rules.dossier_code)


def bind_roles(
    procedure: Procedure,
    *,
    directory: Directory,
    initiator: DirectoryAgency,
    addressee: str,
    at: datetime,
) -> dict[str, str]:
    """Return the agency of each pool, as `procedure.toml` says it is found.

    Raises `AddresseeRefused` or `PartnerUnknown`.
    """
    bound: dict[str, str] = {}
    for name, role in procedure.roles.items():
        rule, _, competence = role.bind.partition(":")
        if rule == "initiator":
            bound[name] = initiator.code
        elif rule == "addressee":
            bound[name] = _addressee(directory, addressee, initiator=initiator, at=at).code
        else:
            bound[name] = _competent(directory, competence, initiator=initiator, at=at).code
    return bound


def bind_received(
    procedure: Procedure,
    *,
    directory: Directory,
    known: Mapping[str, str],
    own: DirectoryAgency | None,
    at: datetime,
) -> dict[str, str]:
    """Return the agency of each pool for a dossier that a message starts.

    `known` are the pools of sender and receiver. The others are found in the directory from our own
    territory, as far as they can be; a pool that nobody fills is missed when something is sent to
    it.
    """
    bound = dict(known)
    for name, role in procedure.roles.items():
        rule, _, competence = role.bind.partition(":")
        if name in bound or own is None or rule in ("initiator", "addressee"):
            continue
        try:
            bound[name] = _competent(directory, competence, initiator=own, at=at).code
        except PartnerUnknown:
            continue
    return bound


def can_bind(
    procedure: Procedure, *, directory: Directory, initiator: DirectoryAgency, at: datetime
) -> bool:
    """Tell whether the directory has an agency for every pool that it must be found for."""
    for role in procedure.roles.values():
        rule, _, competence = role.bind.partition(":")
        if rule in ("initiator", "addressee"):
            continue
        try:
            _competent(directory, competence, initiator=initiator, at=at)
        except PartnerUnknown:
            return False
    return True


def _addressee(
    directory: Directory, code: str, *, initiator: DirectoryAgency, at: datetime
) -> DirectoryAgency:
    found = directory.successor_of(code, at=at) if code else None
    if found is None or found.code == initiator.code or not found.is_reachable:
        raise AddresseeRefused("expected another agency that can be reached", agency=code)
    return found


def _competent(
    directory: Directory, competence: str, *, initiator: DirectoryAgency, at: datetime
) -> DirectoryAgency:
    for agency in directory.agencies:
        in_office = agency.valid_until is None or agency.valid_until > at
        if (
            competence in agency.competences
            and agency.territory == initiator.territory
            and in_office
        ):
            return agency
    raise PartnerUnknown("expected an agency competent in this territory", agency=competence)
