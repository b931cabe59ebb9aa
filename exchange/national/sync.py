"""Tell the national portals what changed: one queue a destination, one dossier after the other.

Read-then-write: one process makes the round of a destination, so a dossier is never told twice at
once. What fails is tried again with backoff; after the policy's last attempt it is an incident.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from connectors.errors import PartnerAnswerRefused, PartnerUnavailable, PortalLoginRefused
from connectors.http import HttpClient, only_hosts
from connectors.national_portal import (
    Difference,
    PortalAccount,
    PortalDossier,
    PortalSession,
    ProgressStep,
    differences,
    dossier_payload,
)
from connectors.national_portal_rest import (
    PortalClient,
    PortalReference,
    PortalRestSession,
    registration,
)
from dossier.errors import LienThongError
from dossier.ids import AgencyCode
from dossier.model import Dossier
from exchange.drained import Drained
from exchange.errors import DossierUnknown
from exchange.national.configuration import Destination, Flow, read_destinations
from exchange.national.dossiers import portal_dossier, steps_after, told_of
from exchange.national.errors import DestinationUnknown
from exchange.node import Node
from storage import dossiers, history, incidents, portal_sync, rounds
from storage.portal_sync import Told
from storage.transactions import transaction

_BATCH: Final = 50
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a destination would be told of one dossier."""

    destination: str
    code: str
    differences: tuple[Difference, ...]
    steps: tuple[ProgressStep, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """How far a destination is behind."""

    destination: str
    waiting: int
    failing: tuple[tuple[str, str], ...]  # dossier code and error code


@dataclass(frozen=True, kw_only=True, slots=True)
class _Telling:
    """One dossier, ready to be told."""

    held: Dossier
    portal: PortalDossier
    steps: tuple[ProgressStep, ...]
    known: Told
    last: int  # number of its last entry


_Tell: TypeAlias = Callable[[_Telling, datetime], Told]


def make_rounds(node: Node) -> Drained:
    """Make the round of each destination that is due."""
    done = 0
    for destination in _destinations(node):
        if rounds.take(_round(destination), every=_every(destination), at=node.now()):
            done += tell_all(node, destination)
    return Drained(done=done, more=False)


def tell_all(node: Node, destination: Destination, *, only: UUID | None = None) -> int:
    """Tell a destination what it does not know and return how many dossiers went well."""
    http = HttpClient(may_call=only_hosts(*node.settings.outbound_hosts))
    tell = (
        _older(destination, http) if destination.flow is Flow.OLDER else _newer(destination, http)
    )
    done = 0
    for identifier in [only] if only else _behind(node, destination):
        try:
            telling = _telling(node, destination, identifier)
            told = tell(telling, node.now())
        except LienThongError as exc:
            _failed(node, destination, identifier, exc)
            if _is_away(exc):
                # The rest waits for the next round, and the other portals for nothing.
                break
            continue
        with transaction():
            portal_sync.keep(told)
        done += 1
    return done


def preview(node: Node, destination: Destination, *, only: UUID | None = None) -> list[Change]:
    """Return what `tell_all` would say, without saying it."""
    changes = []
    for identifier in [only] if only else _behind(node, destination):
        telling = _telling(node, destination, identifier)
        after = _payload(destination, telling.portal)
        known = telling.known.payload
        before = known.items() if isinstance(known, Mapping) else ()
        changes.append(
            Change(
                destination=destination.name,
                code=telling.held.code,
                differences=differences({name: str(text) for name, text in before}, after),
                steps=telling.steps,
            )
        )
    return changes


def as_json(change: Change) -> Mapping[str, object]:
    """Return a change as JSON: fields with their values before and after, and the steps."""
    return {
        "destination": change.destination,
        "dossier": change.code,
        "fields": {
            one.name: {"before": one.before, "after": one.after} for one in change.differences
        },
        "steps": [
            {"at": one.at.isoformat(), "content": one.content, "officer": one.officer}
            for one in change.steps
        ],
    }


def queue_states(node: Node) -> list[QueueState]:
    """Return how far each destination is behind."""
    return [
        QueueState(
            destination=one.name,
            waiting=len(_behind(node, one, limit=10_000)),
            failing=tuple(
                (dossiers.get(told.dossier).code, told.last_error)
                for told in portal_sync.failing(one.name)
            ),
        )
        for one in _destinations(node)
    ]


def destinations(node: Node, name: str = "") -> Sequence[Destination]:
    """Return the destinations, or the one of that name; raise `DestinationUnknown`."""
    found = [one for one in _destinations(node) if name in ("", one.name)]
    if name and not found:
        raise DestinationUnknown("expected a configured destination", name=name[:40])
    return found


def chosen(node: Node, name: str, code: str) -> list[tuple[Destination, UUID | None]]:
    """Return the destinations of that name, each with our dossier of that code; "" means every.

    Raises `DestinationUnknown`, and `DossierUnknown` where none of them is told of the dossier.
    """
    found = destinations(node, name)
    if not code:
        return [(one, None) for one in found]
    told: list[tuple[Destination, UUID | None]] = []
    unknown: DossierUnknown | None = None
    for one in found:
        try:
            told.append((one, dossier_of(node, one, code)))
        except DossierUnknown as exc:
            unknown = exc
    if not told and unknown is not None:
        raise unknown
    return told


def dossier_of(node: Node, destination: Destination, code: str) -> UUID:
    """Return our dossier of that code that the destination is told of; raise `DossierUnknown`."""
    found = dossiers.find_code(code.strip(), agencies=_agencies(node, destination))
    if found is None or found.procedure not in destination.procedures:
        raise DossierUnknown("expected a dossier that this portal is told of", code=code[:64])
    return found.id


# --- One dossier -------------------------------------------------------------------------------


def _telling(node: Node, destination: Destination, identifier: UUID) -> _Telling:
    held = dossiers.get(identifier)
    entries = history.of_dossier(identifier)
    at = node.now()
    known = portal_sync.find(destination.name, identifier) or portal_sync.unknown(
        destination.name, identifier, at=at
    )
    agencies = {str(one.code): one.name_vi for one in node.directory().agencies}
    unit = agencies.get(held.agency, held.agency)
    procedure = node.contracts().version(held.procedure, held.procedure_version)
    names = {
        one.element_id: procedure.element_name(one.element_id)["vi"]
        for one in entries
        if one.element_id
    }
    return _Telling(
        held=held,
        portal=portal_dossier(held, destination, entries, unit=unit),
        steps=tuple(steps_after(held, known.told, entries, names, unit=unit, agencies=agencies)),
        known=known,
        last=entries[-1].sequence if entries else 0,
    )


def _older(destination: Destination, http: HttpClient) -> _Tell:
    """Return what tells one dossier after the other, in one session."""
    account = PortalAccount(
        address=destination.address,
        username=destination.account,
        password=destination.secret,
        agency=destination.agency,
    )
    session = PortalSession(account, http=http, codes=destination.codes)

    def tell(telling: _Telling, at: datetime) -> Told:
        session.synchronise(telling.portal, telling.steps)
        return _succeeded(destination, telling, telling.known, at=at)

    return tell


def _newer(destination: Destination, http: HttpClient) -> _Tell:
    """Return what tells one dossier after the other, with one token."""
    client = PortalClient(
        address=destination.address,
        client_id=destination.account,
        client_secret=destination.secret,
        agency=destination.agency,
        paths=destination.paths,
    )
    session = PortalRestSession(client, http=http, codes=destination.codes)

    def tell(telling: _Telling, at: datetime) -> Told:
        known = telling.known
        if not known.reference_id:
            given = session.register(telling.portal)
            known = replace(known, reference_id=given.id, reference_code=given.code)
            # Kept at once: a registration cannot be repeated.
            with transaction():
                portal_sync.keep(replace(known, at=at))
        reference = PortalReference(id=known.reference_id, code=known.reference_code)
        session.report(reference, telling.steps)
        session.set_status(reference, telling.portal.status)
        return _succeeded(destination, telling, known, at=at)

    return tell


def _succeeded(destination: Destination, telling: _Telling, known: Told, *, at: datetime) -> Told:
    return replace(
        known,
        told=telling.last,
        payload=_payload(destination, telling.portal),
        attempts=0,
        next_at=None,
        last_error="",
        at=at,
    )


def _is_away(error: LienThongError) -> bool:
    """Tell whether a portal did not answer, or let us in: the next dossier would fare no better."""
    if isinstance(error, PortalLoginRefused):
        return True
    return isinstance(error, PartnerUnavailable) and not isinstance(error, PartnerAnswerRefused)


def _failed(node: Node, destination: Destination, dossier: UUID, error: LienThongError) -> None:
    here = node.settings
    at = node.now()
    known = portal_sync.find(destination.name, dossier) or portal_sync.unknown(
        destination.name, dossier, at=at
    )
    attempts = known.attempts + 1
    wait = min(here.delivery_base_seconds * 2 ** min(attempts - 1, 20), here.delivery_cap_seconds)
    _log.warning("portal not told", extra={"destination": destination.name, "code": error.code})
    with transaction():
        portal_sync.keep(
            replace(
                known,
                attempts=attempts,
                next_at=at + timedelta(seconds=wait),
                last_error=str(error.parameters.get("portal_code") or error.code),
                at=at,
            )
        )
        if attempts == here.delivery_attempts:
            incidents.open_incident(
                incidents.NewIncident(
                    code="portal_not_told",
                    parameters={"destination": destination.name, "error": error.code},
                    opened=at,
                    dossier=dossier,
                )
            )


def _payload(destination: Destination, portal: PortalDossier) -> Mapping[str, str]:
    """Return what the portal is told, each field as one text: for differences, not for sending."""
    if destination.flow is Flow.OLDER:
        said: Mapping[str, object] = dossier_payload(portal, destination.codes)
    else:
        said = {
            **registration(portal, destination.codes, agency=destination.agency, uploaded={}),
            "TrangThai": destination.codes.statuses[portal.status],
        }
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in said.items()
    }


def _behind(node: Node, destination: Destination, *, limit: int = _BATCH) -> list[UUID]:
    return portal_sync.behind(
        destination.name,
        procedures=told_of(destination.procedures),
        agencies=_agencies(node, destination),
        at=node.now(),
        limit=limit,
    )


def _agencies(node: Node, destination: Destination) -> list[AgencyCode]:
    return [
        one
        for one in node.hosted_agencies()
        if not destination.agencies or one in destination.agencies
    ]


def _destinations(node: Node) -> tuple[Destination, ...]:
    return read_destinations(node.settings.national_portal)


def _round(destination: Destination) -> str:
    return f"portal:{destination.name}"


def _every(destination: Destination) -> timedelta:
    return timedelta(seconds=destination.poll_seconds)
