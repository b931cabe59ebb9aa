"""What can be wrong with data that is to be printed, or with the sheet that prints it."""

from __future__ import annotations

from dossier.errors import Misconfigured, Rejected


class LetterRefused(Rejected):
    """The letter is too long, lacks a part, or holds a character that no face can show."""

    code = "letter_refused"


class SheetBroken(Misconfigured):
    """The sheet or the faces that ship with the software are missing or damaged."""

    code = "sheet_broken"
