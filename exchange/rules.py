"""The rule packs of this node: those that ship and those that two people published.

A dossier is opened under the pack in effect that day and keeps it; a later pack never changes an
old dossier.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final

from dossier.ids import Sha256
from dossier.rulepack import DECLARATION, RulePack, parse_rule_pack, shipped_rule_packs
from exchange.chronicle import write_node_event
from exchange.errors import AlreadyPublished, RulePackUnknown
from exchange.procedures.folder import package_digest, read_files
from exchange.publish import demand_two_people
from signing.log.leaf import LeafKind
from storage import rulepacks
from storage.transactions import transaction

NAME: Final = "rules"  # of proposals of rule packs


@dataclass(frozen=True, kw_only=True, slots=True)
class PackLine:
    """One known pack, for lists."""

    version: str
    effective: date
    published_by: str  # empty: it ships with the software
    confirmed_by: str


class Rules:
    """Loads each pack once."""

    def __init__(self) -> None:
        self._published: dict[str, RulePack] = {}
        self._lock = threading.Lock()

    def get(self, version: str) -> RulePack:
        """Return the pack that a dossier pins; raise `RulePackUnknown`."""
        known = _shipped().get(version) or self._published.get(version)
        if known is not None:
            return known
        with self._lock:
            files = rulepacks.files(version)
            if not files:
                raise RulePackUnknown("expected a published rule pack", version=version)
            return self._published.setdefault(version, parse_rule_pack(files))

    def effective(self, day: date) -> RulePack:
        """Return the pack in effect on that day; before the first one, the first one."""
        lines = known_packs()
        in_effect = [one for one in lines if one.effective <= day]
        return self.get((in_effect or lines[:1])[-1].version)


def parse(files: Mapping[str, bytes]) -> RulePack:
    """Return the pack of a folder.

    Raise `RulePackRefused`, or `AlreadyPublished` for a version that ships.
    """
    pack = parse_rule_pack(files)
    if pack.version in _shipped():
        raise AlreadyPublished("expected a new version, got one that ships with the software")
    return pack


def publish(
    files: Mapping[str, bytes], *, at: datetime, proposed_by: str, confirmed_by: str
) -> RulePack:
    """Store a pack and log it; raise `SamePerson`, `RulePackRefused` or `RowConflict`."""
    demand_two_people(proposed_by, confirmed_by)
    pack = parse(files)
    package = package_digest(files)
    with transaction():
        rulepacks.add(
            rulepacks.RulePackHead(
                version=pack.version,
                package_sha256=Sha256(package),
                effective_from=pack.effective,
                published=at,
                published_by=proposed_by,
                confirmed_by=confirmed_by,
            ),
            files,
        )
        write_node_event(
            LeafKind.RULES,
            {
                "event": "published",
                "version": pack.version,
                "package_sha256": package,
                "effective": pack.effective.isoformat(),
                "by": proposed_by,
                "confirmed_by": confirmed_by,
            },
            at=at,
        )
    return pack


def known_packs() -> list[PackLine]:
    """Return every pack of this node in the order of its effect; published ones win a day."""
    shipped = [
        PackLine(version=pack.version, effective=pack.effective, published_by="", confirmed_by="")
        for pack in _shipped().values()
    ]
    published = [
        PackLine(
            version=head.version,
            effective=head.effective_from,
            published_by=head.published_by,
            confirmed_by=head.confirmed_by,
        )
        for head in rulepacks.heads()
    ]
    return sorted([*shipped, *published], key=lambda one: one.effective)


def files_of(version: str) -> Mapping[str, bytes]:
    """Return the files of a known pack; raise `RulePackUnknown`."""
    files = shipped_rule_packs().get(version) or rulepacks.files(version)
    if not files:
        raise RulePackUnknown("expected a known rule pack", version=version)
    return files


def read_pack(folder: Path) -> Mapping[str, bytes]:
    """Return the files of a rule pack's folder; raise `ProcedureFolderRefused`."""
    return read_files(folder, DECLARATION)


@cache
def _shipped() -> Mapping[str, RulePack]:
    return {version: parse_rule_pack(files) for version, files in shipped_rule_packs().items()}
