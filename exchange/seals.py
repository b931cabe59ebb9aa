"""The sealing keys of a node's agencies, read anew when a file of the folder changes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from dossier.ids import AgencyCode, parse_agency_code
from exchange.errors import KeyFileMissing
from signing.errors import KeyUnusable
from signing.keys import Signer, load_signer


class SealFolder(Mapping[AgencyCode, Signer]):
    """`<code>.key.pem` with `<code>.crt.pem` of one folder, so that a rotation needs no restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place = str(folder)
        self._lock = threading.Lock()
        self._seen = -1
        self._seals: dict[AgencyCode, Signer] = {}

    def __getitem__(self, code: AgencyCode) -> Signer:
        return self._current()[code]

    def __iter__(self) -> Iterator[AgencyCode]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def _current(self) -> dict[AgencyCode, Signer]:
        # Files are put in place by renaming, which changes the folder's own time.
        try:
            changed = os.stat(self._place).st_mtime_ns
        except FileNotFoundError:
            changed = 0
        with self._lock:
            if changed != self._seen:
                try:
                    self._seals = dict(self._read())
                    self._seen = changed
                except (KeyFileMissing, KeyUnusable):
                    # Key and certificate are put in place one after the other.
                    if not self._seals:
                        raise
            return self._seals

    def _read(self) -> Iterator[tuple[AgencyCode, Signer]]:
        for path in sorted(self._folder.glob("*.key.pem")):
            code = path.name.removesuffix(".key.pem")
            yield parse_agency_code(code), read_key(self._folder / code)


def read_key(stem: Path) -> Signer:
    """Return the signer of `<stem>.key.pem` and `<stem>.crt.pem`; raise `KeyFileMissing`."""
    key, certificates = (stem.with_name(stem.name + end) for end in (".key.pem", ".crt.pem"))
    try:
        return load_signer(key.read_bytes(), certificates=certificates.read_bytes())
    except OSError as exc:
        raise KeyFileMissing(
            "expected a key and its certificates", name=f"{stem.parent.name}/{stem.name}.*.pem"
        ) from exc
