"""What the directory's authority does, by the command: export, seal and compare editions."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dossier.clock import SystemClock
from dossier.directory import Directory, parse_directory
from dossier.xmltext import instant
from exchange.directory import verify_directory
from exchange.directory_source import difference, read_source, seal_edition, write_source
from exchange.errors import DirectoryMissing
from exchange.settings import Settings
from exchange.signfiles import KeyFiles, signer_of, timestamper_of
from exchange.trust import read_trust
from storage import directory as stored


def in_force() -> tuple[Directory, bytes]:
    """Return the edition in force and its sealed bytes; raise `DirectoryMissing`."""
    edition = stored.current()
    if edition is None:
        raise DirectoryMissing("expected an imported directory")
    return parse_directory(edition.unsigned), edition.content


def export_source(here: Settings, file: Path | None) -> str:
    """Return an edition as its authority edits it: of a sealed file, or the one in force."""
    directory = read_edition(here, file)[0] if file else in_force()[0]
    return write_source(directory)


def sign_source(
    source: Path,
    target: Path,
    *,
    here: Settings,
    previous: Path | None,
    key: KeyFiles,
    tsa: KeyFiles | None,
) -> tuple[Directory, list[str]]:
    """Seal the next edition; return it, and what it changes."""
    old, sealed = read_edition(here, previous) if previous else (None, b"")
    draft = read_source(source.read_text("utf-8"), beside=source.parent)
    content = seal_edition(
        draft,
        number=old.number + 1 if old else 1,
        previous_sha256=hashlib.sha256(sealed).hexdigest() if old else "",
        signer=signer_of(key),
        timestamper=timestamper_of(tsa),
        at=SystemClock().now(),
    )
    temporary = target.with_name(target.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(target)
    new, _ = read_edition(here, target)
    return new, difference(old, new)


def compare(here: Settings, file: Path, other: Path | None) -> list[str]:
    """Return what changes from the edition in force, or from `other`, to the one in `file`."""
    new, _ = read_edition(here, file)
    if other is not None:
        return difference(read_edition(here, other)[0], new)
    old = in_force()[0] if stored.current() else None
    return [
        f"number {old.number if old else 0} -> {new.number}, until {instant(new.valid_until)}",
        *difference(old, new),
    ]


def read_edition(here: Settings, file: Path) -> tuple[Directory, bytes]:
    """Return a sealed edition that verifies under the node's trust, and its bytes."""
    content = file.read_bytes()
    directory, _ = verify_directory(
        content, trust=read_trust(here.trust_dir), at=SystemClock().now()
    )
    return directory, content
