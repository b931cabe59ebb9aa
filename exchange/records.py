"""Make and renew evidence records for files: one time-stamp over all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exchange.errors import FileUnreadable
from exchange.signfiles import KeyFiles, TsaAddress, chosen_timestamper
from exchange.verify import read_file
from signing.evidencerecord import build_records, renew_records

_CHUNK_BYTES: Final = 1024 * 1024


def make_records(paths: Sequence[Path], *, tsa: KeyFiles | TsaAddress, is_xml: bool) -> list[Path]:
    """Write a record beside each file, all under one time-stamp; return where they are.

    Nothing is written over. Raises `FileUnreadable` and what the key raises.
    """
    targets = [path.with_name(path.name + (".ers.xml" if is_xml else ".ers")) for path in paths]
    for target in targets:
        if target.exists():
            raise FileUnreadable("expected no record yet, got one: renew it", name=target.name)
    digests = [_digest(path) for path in paths]
    records = build_records(digests, timestamper=chosen_timestamper(tsa), is_xml=is_xml)
    for target, record in zip(targets, records, strict=True):
        target.write_bytes(record)
    return targets


def renew(paths: Sequence[Path], *, tsa: KeyFiles | TsaAddress) -> None:
    """Give each record one more archive time-stamp, the same for all, in place.

    Raises `EvidenceRecordMalformed`, `FileUnreadable` and what the key raises; then no record has
    changed.
    """
    renewed = renew_records(
        [read_file(path) for path in paths], timestamper=chosen_timestamper(tsa)
    )
    for path, record in zip(paths, renewed, strict=True):
        temporary = path.with_name(path.name + ".new")
        temporary.write_bytes(record)
        temporary.replace(path)


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source:
            while piece := source.read(_CHUNK_BYTES):
                digest.update(piece)
    except OSError as exc:
        raise FileUnreadable(f"expected a readable file: {exc.strerror}", name=path.name) from exc
    return digest.digest()
