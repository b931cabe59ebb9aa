"""A chain of archive time-stamps, whichever way an evidence record spells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_RECORD_BYTES: Final = 1024 * 1024
MAX_STAMPS: Final = 64
MAX_DEPTH: Final = 64
MAX_SIBLINGS: Final = 1024
DIGEST_BYTES: Final = 32

# A branch is one list of digests per level; the first holds the document's own digest.
Branch = tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveStamp:
    """One archive time-stamp of a record: the branch up to its imprint, and the token."""

    branch: Branch  # empty: the token covers the digest itself
    token: bytes  # DER
    octets: bytes  # what a renewal covers: the token, or its canonical element


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceRecord:
    """A record with SHA-256 throughout: one chain of archive time-stamps, oldest first."""

    stamps: tuple[ArchiveStamp, ...]
    is_xml: bool = False  # RFC 6283; else RFC 4998
