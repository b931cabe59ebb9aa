"""Count and name stored files that are missing or damaged, wherever somebody met one.

The work that needs such a file waits and is tried again; an operator puts the file back.
"""

from __future__ import annotations

import logging
from typing import Final

from prometheus_client import Counter

from dossier.errors import LienThongError
from storage.errors import BlobCorrupt, BlobMissing

_BAD: Final = Counter(
    "lienthong_stored_files_bad", "Readings of stored files that are missing or damaged", ["code"]
)
_log: Final = logging.getLogger(__name__)


def note(error: LienThongError) -> None:
    """Count and log the error if it is of a stored file."""
    if isinstance(error, BlobMissing | BlobCorrupt):
        _BAD.labels(error.code).inc()
        digest = str(error.parameters.get("sha256", ""))
        _log.error("stored file is bad", extra={"code": error.code, "sha256": digest})
