"""What a PDF holds for verification, as plain types: shared by its reader and its judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from signing.unsigned import Values


class Change(Enum):
    """What happened to a PDF after a signature, by incremental updates."""

    NONE = "none"
    ARCHIVED = "archived"  # validation data, document time-stamps and the like
    SIGNED = "signed"  # further signatures too
    ALLOWED = "allowed"  # forms filled in, which the signature allows (DocMDP)
    UNSTATED = "unstated"  # forms filled in, which it neither allows nor forbids
    UNTOLD = "untold"  # it allows annotations, which cannot be told from other changes
    FORBIDDEN = "forbidden"  # what DocMDP forbids
    UNEXPLAINED = "unexplained"  # anything else
    NOT_COVERED = "not_covered"  # the signature leaves out a part of its own revision


@dataclass(frozen=True, kw_only=True, slots=True)
class PdfSignature:
    """One filled signature field; nothing in it is proved yet."""

    name: str  # of the field
    kind: str  # SubFilter with its slash; empty when there is none
    contents: bytes = b""  # with the padding behind it; empty for a kind that is not CMS
    byte_range: tuple[int, ...] = ()
    change: Change = Change.NOT_COVERED
    is_last: bool = False  # no revision follows the one it signs
    has_values: bool = False  # its revision holds a document security store
    claimed_time: datetime | None = None  # the dictionary's M, inside the signed bytes
    fault: str = ""  # why its structure cannot be read


@dataclass(frozen=True, kw_only=True, slots=True)
class PdfParts:
    """The signatures of a PDF, in the order of its fields, and what its DSS holds."""

    signatures: tuple[PdfSignature, ...]
    values: Values
