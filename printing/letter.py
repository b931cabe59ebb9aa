"""Official letters as tagged PDF/A-2a in the layout of Decree 30/2020, the same bytes every time.

The texts travel as JSON and are shown as strings: no text can act as markup (domain.md §17).
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final

import typst

from printing.errors import LetterRefused, SheetBroken

_LONGEST_LINE: Final = 400
_LONGEST_BODY: Final = 40_000
_MOST_LINES: Final = 60
_STANDARD: Final = "a-2a"  # archival, tagged, Unicode text
_BLANK: Final = "\u00a0" * 8  # room for a number that is given after signing


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What stands in an official letter; lists hold one line or paragraph each."""

    parent_agency: str  # first line of the head; empty: none
    agency: str  # second line of the head
    place: str  # địa danh, such as "Hòa Bình"
    issued: date
    symbol: str  # after the slash of the number, such as UBND-NC
    number: str = ""  # empty: left blank, the register gives it after signing
    title: str = ""  # name of the document type; empty: an official letter (công văn)
    subject: str  # trích yếu
    addressees: tuple[str, ...] = ()  # kính gửi
    paragraphs: tuple[str, ...]
    recipients: tuple[str, ...] = ()  # nơi nhận
    signer_title: str  # lines apart by a line break or " – "
    signer_name: str


def letter_pdf(letter: Letter) -> bytes:
    """Return the letter as PDF/A-2a; raise `LetterRefused` when it cannot be shown whole."""
    sheet = resources.files("printing")
    content = json.dumps(_printable(letter), ensure_ascii=False)
    with resources.as_file(sheet.joinpath("fonts")) as fonts:
        try:
            return typst.compile(
                sheet.joinpath("letter.typ").read_bytes(),
                font_paths=typst.Fonts(include_system_fonts=False, font_paths=[fonts]),
                format="pdf",
                sys_inputs={"letter": content},
                pdf_standards=_STANDARD,
            )
        except typst.TypstError as exc:
            if "could not be displayed" not in str(exc):
                raise SheetBroken(
                    "expected a sheet and faces that print, got a failure", reason="sheet"
                ) from exc
            # PDF/A refuses a character that the face cannot show.
            raise LetterRefused(
                "expected characters of the printed face, got others", reason="characters"
            ) from exc


def _printable(letter: Letter) -> dict[str, object]:
    number = letter.number or f"{_BLANK}/{letter.symbol}"
    return {
        "year": letter.issued.year,
        "month": letter.issued.month,
        "day": letter.issued.day,
        "parent_agency": _line(letter.parent_agency, "parent_agency", needed=False),
        "agency": _line(letter.agency, "agency"),
        "number": _line(f"Số: {number}", "number"),
        "place_and_date": _line(f"{letter.place}, {_dated(letter.issued)}", "place"),
        "title": _line(letter.title, "title", needed=False),
        "subject": _line(letter.subject, "subject"),
        "addressees": _lines(letter.addressees, "addressees"),
        "paragraphs": _paragraphs(letter.paragraphs),
        "recipients": _lines(letter.recipients, "recipients"),
        "signer_title": _lines(
            tuple(letter.signer_title.replace(" – ", "\n").split("\n")), "signer_title"
        ),
        "signer_name": _line(letter.signer_name, "signer_name"),
    }


def _dated(day: date) -> str:
    # Decree 30/2020: days below 10 and the months 1 and 2 carry a zero in front.
    month = f"{day.month:02}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02} tháng {month} năm {day.year}"


def _paragraphs(paragraphs: tuple[str, ...]) -> list[str]:
    kept = [_clean(paragraph) for paragraph in paragraphs if paragraph.strip()]
    if not kept:
        raise LetterRefused("expected a body, got none", reason="body")
    if sum(map(len, kept)) > _LONGEST_BODY:
        raise LetterRefused(
            f"expected a body of at most {_LONGEST_BODY} characters, got more", reason="body"
        )
    return kept


def _lines(lines: tuple[str, ...], name: str) -> list[str]:
    if len(lines) > _MOST_LINES:
        raise LetterRefused(f"expected at most {_MOST_LINES} lines of {name}", reason=name)
    return [_line(line, name) for line in lines if line.strip()]


def _line(text: str, name: str, *, needed: bool = True) -> str:
    cleaned = _clean(text)
    if (needed and not cleaned) or len(cleaned) > _LONGEST_LINE:
        raise LetterRefused(
            f"expected {name} of 1 to {_LONGEST_LINE} characters, got {len(cleaned)}", reason=name
        )
    return cleaned


def _clean(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).replace("\n", " ").replace("\t", " ").strip(" ")
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co") for sign in composed):
        raise LetterRefused("expected printable characters, got a control character", reason="text")
    return composed
