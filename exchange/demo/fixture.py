"""Read the demo's agencies and people."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from dossier.directory import AccessRule
from dossier.ids import AgencyCode, parse_agency_code
from dossier.model import Role, RoleBinding


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoNode:
    """One node of the demo."""

    name: str
    title: Mapping[str, str]
    port: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoAgency:
    """One agency of the demo and the node that hosts it."""

    code: AgencyCode
    node: str
    aliases: tuple[AgencyCode, ...]
    name: Mapping[str, str]
    kind: str
    territory: str
    competences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoPerson:
    """One account of the demo, named after its office."""

    node: str
    username: str
    name: str
    signs: bool
    bindings: tuple[RoleBinding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixture:
    """Everything the demo is made of."""

    authority: str
    nodes: tuple[DemoNode, ...]
    agencies: tuple[DemoAgency, ...]
    people: tuple[DemoPerson, ...]
    rules: tuple[AccessRule, ...]

    def hosted(self, node: str) -> tuple[DemoAgency, ...]:
        """Return the agencies of one node."""
        return tuple(agency for agency in self.agencies if agency.node == node)

    def administrators(self, node: str) -> list[str]:
        """Return the names of the people of one node who publish procedures and rules."""
        return [
            person.username
            for person in self.people
            if person.node == node
            and any(binding.role is Role.BUSINESS_ADMIN for binding in person.bindings)
        ]


def load_fixture() -> Fixture:
    """Return the demo's fixture."""
    text = resources.files("exchange.demo").joinpath("fixture.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    return Fixture(
        authority=raw["authority"],
        nodes=tuple(
            DemoNode(name=name, title=row["name"], port=row["port"])
            for name, row in raw["nodes"].items()
        ),
        agencies=tuple(
            DemoAgency(
                code=parse_agency_code(code),
                node=row["node"],
                aliases=tuple(parse_agency_code(alias) for alias in row["aliases"]),
                name=row["name"],
                kind=row["kind"],
                territory=row["territory"],
                competences=tuple(row["competences"]),
            )
            for code, row in raw["agencies"].items()
        ),
        people=tuple(
            DemoPerson(
                node=row["node"],
                username=row["username"],
                name=row["name"],
                signs=row.get("signs", False),
                bindings=tuple(
                    RoleBinding(
                        agency=parse_agency_code(one["agency"]),
                        role=Role(one["role"]),
                        unit=one.get("unit", ""),
                    )
                    for one in row["roles"]
                ),
            )
            for row in raw["people"]
        ),
        rules=tuple(AccessRule(**row) for row in raw["rules"]),
    )
