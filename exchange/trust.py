"""The node's trust on disk: anchors, certificates and CRLs, read anew when a file changes.

They are files: `exchange.revocation` fetches lists beforehand, nothing while verifying.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from exchange.errors import AnchorMissing
from signing.keys import read_certificates
from signing.policy import Trust
from signing.sources import lists_in


class TrustFolder:
    """`anchor.pem`, `certificates.pem` and `crl/*.crl` of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._trust: Trust | None = None

    def trust(self) -> Trust:
        """Return the trust of the files as they are now; raise `AnchorMissing`."""
        with self._lock:
            seen = self._stamp()
            if self._trust is None or seen != self._seen:
                self._trust = read_trust(self._folder)
                self._seen = seen
            return self._trust

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        # Taken at each judgement, so without the comforts of pathlib; the same files.
        folder = str(self._folder)
        names = [f"{folder}/anchor.pem", f"{folder}/certificates.pem"]
        with suppress(FileNotFoundError):
            lists = os.listdir(f"{folder}/crl")
            names += [f"{folder}/crl/{name}" for name in sorted(lists) if name.endswith(".crl")]
        stamps = []
        for name in names:
            with suppress(FileNotFoundError):
                stat = os.stat(name)
                stamps.append((name, stat.st_mtime_ns, stat.st_size))
        return tuple(stamps)


def trust_files(folder: Path) -> list[Path]:
    """Return the files of a trust folder in a fixed order."""
    found = [folder / "anchor.pem", folder / "certificates.pem"]
    return [path for path in found if path.exists()] + sorted((folder / "crl").glob("*.crl"))


def read_trust(folder: Path) -> Trust:
    """Return the trust of a folder; raise `AnchorMissing`."""
    anchor = folder / "anchor.pem"
    if not anchor.exists():
        raise AnchorMissing(
            f"expected a trust anchor at {anchor}", hint="put the root certificate there (PEM)"
        )
    certificates = folder / "certificates.pem"
    return Trust(
        anchors=read_certificates(anchor.read_bytes()),
        certificates=read_certificates(certificates.read_bytes()) if certificates.exists() else (),
        crls=tuple(
            one
            for path in sorted((folder / "crl").glob("*.crl"))
            for one in lists_in(path.read_bytes())
        ),
    )
