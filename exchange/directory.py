"""The directory at this node: the pinned anchor, the edition in force, import of the next one."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime, timedelta
from pathlib import Path

from dossier.directory import Directory, parse_directory
from dossier.ids import Sha256
from exchange import chronicle
from exchange.edition_errors import DirectoryNotYetValid
from exchange.errors import (
    AnchorMismatch,
    DirectoryExpired,
    DirectoryMissing,
    DirectoryNotSealed,
    DirectoryRolledBack,
)
from signing.errors import VerificationFailed, VerificationIndeterminate
from signing.log.leaf import LeafKind
from signing.policy import Trust
from signing.purpose import Purpose
from signing.verify import open_xml
from storage import agencies
from storage import directory as editions
from storage.transactions import transaction

PINNED = "directory_anchor"


class CurrentDirectory:
    """The edition in force, parsed once for each number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parsed: Directory | None = None

    def directory(self) -> Directory:
        """Return the newest imported edition; raise `DirectoryMissing` without one."""
        number = editions.current_number()
        with self._lock:
            if self._parsed is None or self._parsed.number != number:
                edition = editions.current()
                if edition is None:
                    raise DirectoryMissing("expected an imported directory")
                # It was verified when it was imported; what is stored is the unsigned content too.
                self._parsed = parse_directory(edition.unsigned)
            return self._parsed


def verify_directory(content: bytes, *, trust: Trust, at: datetime) -> tuple[Directory, bytes]:
    """Return a sealed directory and the bytes its seal covers; raise `DirectoryNotSealed`."""
    try:
        opened = open_xml(content, trust=trust, at=at, purposes=frozenset({Purpose.DIRECTORY}))
    except (VerificationFailed, VerificationIndeterminate) as exc:
        raise DirectoryNotSealed(
            f"expected a directory that its authority sealed: {exc.message}"
        ) from exc
    return parse_directory(opened.content), opened.content


def demand_in_time(directory: Directory, *, at: datetime) -> None:
    """Raise unless the edition is in force or within its grace."""
    if at < directory.valid_from:
        raise DirectoryNotYetValid("expected an edition that is in force", number=directory.number)
    if at > directory.valid_until + timedelta(days=directory.grace_days):
        raise DirectoryExpired("expected a directory that is still valid")


def import_directory(
    content: bytes, *, anchor_sha256: str, trust: Trust, floor: Path, at: datetime, by: str
) -> Directory:
    """Verify and store the next edition; the first import pins the anchor (protocol §1.3).

    `floor` remembers the highest number outside the database, so that a restored database cannot
    go back to an older edition. Raises `AnchorMismatch`, `DirectoryNotSealed`,
    `DirectoryRolledBack`.
    """
    pinned = agencies.node_value(PINNED) or anchor_sha256.lower()
    found = {hashlib.sha256(anchor).hexdigest() for anchor in trust.anchors}
    if not pinned or found != {pinned}:
        raise AnchorMismatch("expected the pinned anchor, and none beside it")
    directory, unsigned = verify_directory(content, trust=trust, at=at)
    demand_in_time(directory, at=at)
    current = editions.current()
    highest = max(current.number if current else 0, _remembered(floor))
    if current and current.sha256 == hashlib.sha256(content).hexdigest():
        return directory
    if directory.number <= highest or (current and directory.previous_sha256 != current.sha256):
        raise DirectoryRolledBack("expected the next edition", number=highest)
    with transaction():
        agencies.set_node_value(PINNED, pinned)
        editions.add_edition(
            editions.DirectoryEdition(
                number=directory.number,
                sha256=Sha256(hashlib.sha256(content).hexdigest()),
                previous_sha256=directory.previous_sha256,
                content=content,
                unsigned=unsigned,
                imported=at,
                imported_by=by,
            )
        )
        chronicle.write_node_event(
            LeafKind.DIRECTORY,
            {"number": directory.number, "sha256": hashlib.sha256(content).hexdigest()},
            at=at,
        )
    _remember(floor, directory.number)
    return directory


def _remembered(floor: Path) -> int:
    return int(floor.read_text()) if floor.exists() else 0


def _remember(floor: Path, number: int) -> None:
    floor.parent.mkdir(parents=True, exist_ok=True)
    temporary = floor.with_suffix(".new")
    temporary.write_text(str(number))
    temporary.replace(floor)
