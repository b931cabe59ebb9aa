"""Exchange with agencies through folders: those that have no service at all.

An agency uses its folder when the directory allows it the channel `filedrop` and a folder of its
code stands in `LIENTHONG_DROP_DIR`; what is in it goes through the same checks as by SOAP.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.filedrop import FileDrop, Swept
from dossier.directory import FILE_DROP, DirectoryAgency
from dossier.errors import LienThongError
from dossier.ids import AgencyCode
from exchange.drained import Drained
from exchange.errors import ChannelDenied, PartnerUnknown
from exchange.node import Node
from exchange.pull import NodeMailbox
from exchange.receive import Reception

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class DropFolder:
    """The folder of one agency."""

    agency: AgencyCode
    path: Path
    waiting: int  # containers for the agency to take
    refused: int  # files of the agency that could not be used


def sweep_folders(node: Node) -> Drained:
    """Deal once with every folder; one that cannot be used does not hold up the others."""
    done = 0
    for agency in _dropping(node):
        path = node.settings.drop_dir / agency.code
        if not path.is_dir():
            continue
        try:
            swept = _sweep(node, agency, path)
        except LienThongError as exc:
            _log.warning("drop folder not swept", extra={"agency": agency.code, "code": exc.code})
            continue
        done += swept.offered + swept.confirmed + swept.received + swept.refused
    return Drained(done=done, more=False)


def add_folder(node: Node, agency: str) -> Path:
    """Make the folder of an agency that the directory allows the channel."""
    found = node.directory().find(agency)
    if found is None:
        raise PartnerUnknown("expected an agency of the directory", agency=agency)
    if all(one.kind != FILE_DROP for one in found.channels):
        raise ChannelDenied("expected the channel in the directory", channel=FILE_DROP)
    path: Path = node.settings.drop_dir / found.code
    for name in ("inbox", "receipts", "outbox", "answers", "done", "refused"):
        (path / name).mkdir(parents=True, exist_ok=True, mode=0o770)
    return path


def listed(node: Node) -> list[DropFolder]:
    """Return the folders that are swept."""
    found = []
    for agency in _dropping(node):
        path = node.settings.drop_dir / agency.code
        if path.is_dir():
            found.append(
                DropFolder(
                    agency=agency.code,
                    path=path,
                    waiting=len(list(path.glob("inbox/*.asice"))),
                    refused=len(list(path.glob("refused/*.json"))),
                )
            )
    return found


def _dropping(node: Node) -> list[DirectoryAgency]:
    return [
        agency
        for agency in node.directory().agencies
        if any(one.kind == FILE_DROP for one in agency.channels)
    ]


def _sweep(node: Node, agency: DirectoryAgency, path: Path) -> Swept:
    drop = FileDrop(
        path,
        agency=agency.code,
        mailbox=NodeMailbox(node),
        receiving=Reception(node, channel=FILE_DROP),
        spool=node.spool,
        clock=node.clock,
    )
    return drop.sweep()
