"""The ten national statuses: what each does to the legal clock, and how local ones map onto them.

The table is data of a rule pack; the default ships as `dossier/rules/statuses.toml`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from dossier.model import Business
from dossier.rule_errors import StatusRefused
from dossier.texts import Bilingual, Language, render


class ClockEffect(StrEnum):
    """What a status does to the legal clock."""

    NOT_STARTED = "not_started"
    STARTS = "starts"
    NEVER_STARTED = "never_started"
    RUNS = "runs"
    PAUSED = "paused"
    PAUSED_IF_BASIS = "paused_if_basis"  # only when the pause basis is one the procedure allows
    ENDED = "ended"


class Awaited(StrEnum):
    """What a dossier waits for, as far as a sub-status may tell it."""

    SIGNATURE = "signature"
    PARTNER = "partner"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusRules:
    """The status table of one rule pack."""

    version: str
    citation: str
    effects: Mapping[Business, ClockEffect]  # complete
    substatuses: Mapping[str, Business]  # NFC, case-folded
    shown: Mapping[Awaited, Bilingual]  # names of sub-statuses; their Vietnamese is in the table

    def clock_runs(self, status: Business, *, basis_allows: bool) -> bool:
        """Tell whether the legal clock counts in this status.

        `basis_allows` says whether the recorded pause has a basis that the procedure allows; an
        outage or internal waiting is never one (domain.md §2.1).
        """
        match self.effects[status]:
            case ClockEffect.STARTS | ClockEffect.RUNS:
                return True
            case ClockEffect.PAUSED_IF_BASIS:
                return not basis_allows
            case (
                ClockEffect.NOT_STARTED
                | ClockEffect.NEVER_STARTED
                | ClockEffect.PAUSED
                | ClockEffect.ENDED
            ):
                return False

    def substatus(self, status: Business, awaited: Awaited | None) -> Bilingual | None:
        """Return what pages show beside a status, if the table has a sub-status of it for that."""
        name = self.shown.get(awaited) if awaited is not None else None
        if name is None or self.substatuses.get(_folded(name.vi)) is not status:
            return None
        return name

    def national(self, status: str, *, substatus: str = "") -> Business:
        """Return the national status of a local one: the sub-status is matched first.

        `status` is a number 1–10 or a Vietnamese status name. Raises `StatusRefused`.
        """
        mapped = self.substatuses.get(_folded(substatus))
        if mapped is not None:
            return mapped
        if status.isascii() and status.isdigit() and 1 <= int(status[:3]) <= len(Business):
            return Business(int(status[:3]))
        for candidate in Business:
            if _folded(status) == _folded(status_name(candidate, lang=Language.VI)):
                return candidate
        raise StatusRefused(f"expected one of the ten statuses, got {status!r}", status=status)


def status_name(status: Business, *, lang: Language) -> str:
    """Return the official name of a status."""
    return render("status", status.name.lower(), lang)


def load_status_rules() -> StatusRules:
    """Return the table that ships with the software."""
    return parse_status_rules(
        resources.files("dossier").joinpath("rules", "statuses.toml").read_bytes()
    )


def parse_status_rules(content: bytes) -> StatusRules:
    """Return the table of a TOML text; raise `StatusRefused` unless it is complete."""
    try:
        table = tomllib.loads(content.decode())
        effects = {Business[name.upper()]: ClockEffect(v) for name, v in table["clock"].items()}
        substatuses = {
            _folded(name): Business[v.upper()] for name, v in table.get("substatus", {}).items()
        }
        shown = {
            Awaited(name): Bilingual(vi=v["vi"], en=v["en"])
            for name, v in table.get("shown", {}).items()
        }
        version, citation = str(table["version"]), str(table["citation"])
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise StatusRefused("expected a status table as documented", status=str(exc)) from exc
    if missing := set(Business) - effects.keys():
        name = min(status.name for status in missing)
        raise StatusRefused(f"expected a clock effect for {name}, got none", status=name)
    for one in shown.values():
        if _folded(one.vi) not in substatuses:
            raise StatusRefused("expected a sub-status of the table, got another", status=one.vi)
    return StatusRules(
        version=version, citation=citation, effects=effects, substatuses=substatuses, shown=shown
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
