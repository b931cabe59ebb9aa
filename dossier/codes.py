"""Codes of Vietnamese circulars: strict in what is generated, tolerant in what is received.

Shapes and examples: TT 03/2025/TT-VPCP (dossiers), QCVN 102 (agencies), NĐ 30/2020 (letters).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final, NewType

from dossier.errors import IdentifierRefused
from dossier.ids import parse_agency_code
from dossier.texts import Language, known_codes

DossierCode = NewType("DossierCode", str)
ProcedureCode = NewType("ProcedureCode", str)
TrackingSecret = NewType("TrackingSecret", str)

_DOSSIER: Final = re.compile(r"[0-9A-Z]{2,4}(\.[0-9A-Z]{2,4}){0,6}-([0-9]{6}|[0-9]{8})-[0-9]{4,7}")
_PROCEDURE: Final = re.compile(r"[0-9]\.[0-9]{6}(\.[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2})?")
_LETTER: Final = re.compile(r"([0-9]{1,6})(?:/([0-9]{4}))?/([^\W_]+(?:-[^\W_]+)*)")
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SECRET_LENGTH: Final = 10  # 50 bits; attempts are limited per code and per address besides
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


@dataclass(frozen=True, kw_only=True, slots=True)
class DossierCodeShape:
    """How a rule pack writes new dossier codes: `{unit}-{date}-{sequence}`."""

    long_date: bool = False  # yyyyMMdd instead of yyMMdd
    digits: int = 4  # of the sequence: 4 at provinces, 6 or 7 at ministries


PROVINCIAL: Final = DossierCodeShape()


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterNumber:
    """The number and symbol of an official document, such as `45/UBND-NC`."""

    sequence: int
    year: int | None  # of legal texts only, such as 31/2021/QĐ-UBND
    symbol: str  # NFC; type abbreviation and issuing body, or body and drafting unit

    def __str__(self) -> str:
        year = f"/{self.year}" if self.year is not None else ""
        return f"{self.sequence}{year}/{self.symbol}"


def dossier_code(
    unit: str, *, day: date, sequence: int, shape: DossierCodeShape = PROVINCIAL
) -> DossierCode:
    """Return the code of the day's `sequence`-th dossier (from 1) at a unit, in local date.

    Raises `IdentifierRefused` when the unit is no agency code or the day's numbers are used up.
    """
    if not 1 <= sequence < 10**shape.digits:
        raise IdentifierRefused(
            f"expected a sequence of 1 to {10**shape.digits - 1}, got {sequence}", kind="dossier"
        )
    stamp = f"{day:%Y%m%d}" if shape.long_date else f"{day:%y%m%d}"
    written = f"{parse_agency_code(unit).upper()}-{stamp}-{sequence:0{shape.digits}}"
    return parse_dossier_code(written)


def parse_dossier_code(text: str) -> DossierCode:
    """Return a dossier code as any system writes it, older agency codes and long dates included."""
    return DossierCode(_matched(_DOSSIER, text, "dossier"))


def parse_procedure_code(text: str) -> ProcedureCode:
    """Return a national procedure code such as `1.005129`, with or without a local suffix."""
    return ProcedureCode(_matched(_PROCEDURE, text, "procedure"))


def parse_letter_number(text: str) -> LetterNumber:
    """Return the parts of a document number, in NFC; zeros in front of the number are dropped."""
    found = _LETTER.fullmatch(unicodedata.normalize("NFC", text.strip()))
    if not found or len(text) > 80 or not found[1].isascii():
        raise IdentifierRefused("expected a number such as 45/UBND-NC", kind="letter")
    return LetterNumber(
        sequence=int(found[1]), year=int(found[2]) if found[2] else None, symbol=found[3]
    )


def letter_number(pattern: str, *, sequence: int, year: int) -> LetterNumber:
    """Return the number that a register issues by its pattern, such as `{number}/UBND-NC`."""
    written = pattern.replace("{number}", str(sequence)).replace("{year}", str(year))
    return parse_letter_number(written)


def parse_letter_type(abbreviation: str) -> str:
    """Return a document type of NĐ 30/2020 Appendix III.

    Compared after NFC, with case and marks: `HĐ` is not `HD`, `CTr` is not `CT`.
    """
    composed = unicodedata.normalize("NFC", abbreviation)
    if composed not in known_codes("letter_type", Language.VI):
        raise IdentifierRefused("expected a document type such as QĐ", kind="letter_type")
    return composed


def tracking_secret(random: bytes) -> TrackingSecret:
    """Return the secret printed beside a dossier code, from at least 7 random bytes."""
    if len(random) * 8 < _SECRET_LENGTH * 5:
        raise IdentifierRefused(
            f"expected at least 7 random bytes, got {len(random)}", kind="tracking"
        )
    number = int.from_bytes(random, "big")
    digits = [_CROCKFORD[(number >> 5 * place) & 31] for place in range(_SECRET_LENGTH)]
    return TrackingSecret("".join(digits))


def parse_tracking_secret(text: str) -> TrackingSecret:
    """Return a secret as people type it: small letters, spaces, hyphens, O for 0, I or L for 1."""
    folded = text[:40].upper().translate(_LOOKALIKES)
    if len(folded) < 8 or not set(folded) <= set(_CROCKFORD):
        raise IdentifierRefused("expected a tracking code of 8 or more signs", kind="tracking")
    return TrackingSecret(folded)


def _matched(shape: re.Pattern[str], text: str, kind: str) -> str:
    if len(text) > 60 or not shape.fullmatch(text):
        raise IdentifierRefused(f"expected a {kind} code, got another shape", kind=kind)
    return text
