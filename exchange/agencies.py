"""The agencies of this node, for the command."""

from __future__ import annotations

from dataclasses import dataclass

from dossier.ids import AgencyCode
from exchange.settings import settings
from storage import agencies
from storage.transactions import transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedHere:
    """One agency of this node."""

    code: AgencyCode
    name_vi: str
    name_en: str
    has_seal: bool  # whether its sealing key lies in the keys folder


def add(code: AgencyCode, *, name_vi: str, name_en: str) -> None:
    """Host an agency, or change its names."""
    with transaction():
        agencies.host(agencies.HostedAgency(code=code, name_vi=name_vi, name_en=name_en, units={}))


def listed() -> list[HostedHere]:
    """Return the agencies of this node by code."""
    seals = settings().keys_dir / "seals"
    return [
        HostedHere(
            code=one.code,
            name_vi=one.name_vi,
            name_en=one.name_en,
            has_seal=(seals / f"{one.code}.key.pem").exists(),
        )
        for one in agencies.hosted()
    ]
