"""The agencies that the directory names, and the units of ours, in both languages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from dossier.directory import DirectoryAgency
from dossier.ids import AgencyCode
from exchange.node import Node
from storage import agencies, circuits, people
from storage.circuits import Circuit


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """How long a partner has not answered, and when it is tried again."""

    failures: int  # in a row
    last_failure: datetime
    last_error: str  # code
    is_open: bool  # messages wait for it without being tried
    retry_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Partner:
    """One agency of the directory as a list shows it."""

    code: AgencyCode
    aliases: tuple[AgencyCode, ...]
    name: Mapping[str, str]
    kind: str  # province, commune, department, tax, …
    is_own: bool  # hosted by this node
    endpoint: str  # empty: it cannot be reached
    channels: tuple[str, ...]
    seal_until: datetime | None  # the longest that a seal of it is valid; None: no seal in force
    is_in_office: bool
    successor: AgencyCode | None
    trouble: Trouble | None  # None: it answered when it was last called, or was never called


@dataclass(frozen=True, kw_only=True, slots=True)
class PartnersPage:
    """The directory in force, for people."""

    number: int
    authority: str
    valid_until: datetime
    partners: tuple[Partner, ...]


def partners_page(node: Node) -> PartnersPage:
    """Return the agencies of the directory in force, ours first; raise `DirectoryMissing`."""
    directory, now = node.directory(), node.now()
    troubled = {one.partner.casefold(): one for one in circuits.all_circuits()}
    found = [_partner(node, agency, troubled, at=now) for agency in directory.agencies]
    return PartnersPage(
        number=directory.number,
        authority=directory.authority,
        valid_until=directory.valid_until,
        partners=tuple(sorted(found, key=lambda one: (not one.is_own, one.code))),
    )


def agency_name(node: Node, code: str) -> Mapping[str, str]:
    """Return the name of an agency, or its code where the directory does not know it."""
    agency = node.directory().find(code)
    return {"vi": agency.name_vi, "en": agency.name_en} if agency else {"vi": code, "en": code}


def names_of(node: Node, codes: Collection[str]) -> dict[str, Mapping[str, str]]:
    """Return the names of our units, and of the agencies and people among `codes`, by code."""
    names = {code: name for one in agencies.hosted() for code, name in one.units.items()}
    for code, name in people.display_names(codes).items():
        names[code] = {"vi": name, "en": name}
    directory = node.directory()
    for code in codes:
        agency = directory.find(code) if code else None
        if agency:
            names[code] = {"vi": agency.name_vi, "en": agency.name_en}
    return names


def _partner(
    node: Node, agency: DirectoryAgency, troubled: Mapping[str, Circuit], *, at: datetime
) -> Partner:
    in_force = [one.valid_until for one in agency.seals if one.valid_from <= at < one.valid_until]
    return Partner(
        code=agency.code,
        aliases=agency.aliases,
        name={"vi": agency.name_vi, "en": agency.name_en},
        kind=agency.kind,
        is_own=node.hosted(agency.code) is not None,
        endpoint=agency.endpoint,
        channels=tuple(one.kind for one in agency.channels),
        seal_until=max(in_force, default=None),
        is_in_office=agency.valid_from <= at
        and (agency.valid_until is None or at < agency.valid_until),
        successor=agency.successor,
        trouble=_trouble(troubled.get(agency.code.casefold())),
    )


def _trouble(circuit: Circuit | None) -> Trouble | None:
    if circuit is None:
        return None
    return Trouble(
        failures=circuit.failures,
        last_failure=circuit.last_failure,
        last_error=circuit.last_error,
        is_open=circuit.opened is not None,
        retry_at=circuit.retry_at,
    )
