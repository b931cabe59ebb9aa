"""The node's trust on disk: anchors, certificates and CRLs, read anew when a file changes.

In production these are files that the operator provides; nothing is fetched while verifying.
"""

from __future__ import annotations

import threading
from pathlib import Path

from exchange.errors import AnchorMissing
from signing.keys import read_certificates
from signing.policy import Trust


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
        stats = [(path, path.stat()) for path in trust_files(self._folder)]
        return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats)


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
        crls=tuple(path.read_bytes() for path in sorted((folder / "crl").glob("*.crl"))),
    )
