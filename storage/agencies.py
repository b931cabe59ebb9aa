"""The agencies whose pools run on this node, and the few facts the node keeps about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dossier.ids import AgencyCode
from storage import sql


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedAgency:
    """An agency of this node with its units."""

    code: AgencyCode
    name_vi: str
    name_en: str
    units: Mapping[str, Mapping[str, str]]  # unit → language → name


def host(agency: HostedAgency) -> None:
    """Add an agency, or change its names and units."""
    sql.execute(
        sql.insert_into(
            "hosted_agency",
            "code_key code name_vi name_en units",
            otherwise="ON CONFLICT (code_key) DO UPDATE SET code = excluded.code,"
            " name_vi = excluded.name_vi, name_en = excluded.name_en, units = excluded.units",
        ),
        (
            agency.code.casefold(),
            agency.code,
            agency.name_vi,
            agency.name_en,
            sql.from_json(agency.units),
        ),
    )


def hosted() -> list[HostedAgency]:
    """Return the agencies of this node by code."""
    rows = sql.all_rows("SELECT code, name_vi, name_en, units FROM hosted_agency ORDER BY code_key")
    return [_agency(row) for row in rows]


def find_hosted(code: str) -> HostedAgency | None:
    """Return the agency of that code, whatever its case, if this node hosts it."""
    row = sql.one_row(
        "SELECT code, name_vi, name_en, units FROM hosted_agency WHERE code_key = %s",
        (code.casefold(),),
    )
    return _agency(row) if row else None


def node_value(name: str) -> str | None:
    """Return what the node knows about itself under that name."""
    row = sql.one_row("SELECT content FROM node_value WHERE name = %s", (name,))
    return str(row[0]) if row else None


def set_node_value(name: str, value: str) -> None:
    """Remember something about the node."""
    sql.execute(
        sql.insert_into(
            "node_value",
            "name content",
            otherwise="ON CONFLICT (name) DO UPDATE SET content = excluded.content",
        ),
        (name, value),
    )


def claim_node_value(name: str, value: str) -> bool:
    """Remember something that must not be known yet; False when somebody else was first."""
    statement = sql.insert_into(
        "node_value", "name content", otherwise="ON CONFLICT (name) DO NOTHING"
    )
    return bool(sql.execute(statement, (name, value)))


def _agency(row: sql.Row) -> HostedAgency:
    return HostedAgency(
        code=AgencyCode(row[0]), name_vi=row[1], name_en=row[2], units=sql.to_mapping(row[3])
    )
