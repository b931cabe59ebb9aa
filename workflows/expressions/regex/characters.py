"""Sets of characters, as predicates: classes, categories, blocks and escapes of XML Schema."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Characters: TypeAlias = Callable[[str], bool]

_CATEGORIES: Final = frozenset(
    {
        *("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No"),
        *("P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp"),
        *("S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn"),
    }
)
# Unicode blocks by their XML Schema names, the ones that occur in practice.
_BLOCKS: Final[dict[str, tuple[int, int]]] = {
    "BasicLatin": (0x0000, 0x007F),
    "Latin-1Supplement": (0x0080, 0x00FF),
    "LatinExtended-A": (0x0100, 0x017F),
    "LatinExtended-B": (0x0180, 0x024F),
    "IPAExtensions": (0x0250, 0x02AF),
    "SpacingModifierLetters": (0x02B0, 0x02FF),
    "CombiningDiacriticalMarks": (0x0300, 0x036F),
    "Greek": (0x0370, 0x03FF),
    "GreekandCoptic": (0x0370, 0x03FF),
    "Cyrillic": (0x0400, 0x04FF),
    "Armenian": (0x0530, 0x058F),
    "Hebrew": (0x0590, 0x05FF),
    "Arabic": (0x0600, 0x06FF),
    "Devanagari": (0x0900, 0x097F),
    "Thai": (0x0E00, 0x0E7F),
    "Lao": (0x0E80, 0x0EFF),
    "HangulJamo": (0x1100, 0x11FF),
    "Khmer": (0x1780, 0x17FF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GreekExtended": (0x1F00, 0x1FFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "SuperscriptsandSubscripts": (0x2070, 0x209F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "LetterlikeSymbols": (0x2100, 0x214F),
    "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
    "PrivateUse": (0xE000, 0xF8FF),
}


def one_of(characters: str) -> Characters:
    """Return the set of exactly these characters."""
    return frozenset(characters).__contains__


def between(low: str, high: str) -> Characters:
    """Return the set of the characters from `low` to `high`."""
    return lambda character: low <= character <= high


def negated(inner: Characters) -> Characters:
    """Return the set of all other characters."""
    return lambda character: not inner(character)


def union(parts: Sequence[Characters]) -> Characters:
    """Return the set of what any of `parts` has."""
    if len(parts) == 1:
        return parts[0]
    return lambda character: any(part(character) for part in parts)


def difference(whole: Characters, taken: Characters) -> Characters:
    """Return the set of what `whole` has and `taken` has not."""
    return lambda character: whole(character) and not taken(character)


def folded(inner: Characters) -> Characters:
    """Return the set without regard to case (flag i)."""
    return lambda character: any(
        inner(form) for form in (character, character.lower(), character.upper()) if len(form) == 1
    )


def category(name: str) -> Characters | None:
    """Return the set of `\\p{name}`, or None when there is no such category or block."""
    if name.startswith("Is"):
        bounds = _BLOCKS.get(name[2:])
        return None if bounds is None else between(chr(bounds[0]), chr(bounds[1]))
    if name not in _CATEGORIES:
        return None
    return lambda character: unicodedata.category(character).startswith(name)


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] not in "PZC"


def _is_initial(character: str) -> bool:
    return character in "_:" or unicodedata.category(character)[0] == "L"


def _is_name(character: str) -> bool:
    return (
        character in "_:.-·"
        or unicodedata.category(character)[0] in "LM"
        or (unicodedata.category(character) == "Nd")
    )


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


_SPACES: Final = one_of(" \t\n\r")
ESCAPES: Final[dict[str, Characters]] = {
    "s": _SPACES,
    "S": negated(_SPACES),
    "d": _is_digit,
    "D": negated(_is_digit),
    "w": _is_word,
    "W": negated(_is_word),
    "i": _is_initial,
    "I": negated(_is_initial),
    "c": _is_name,
    "C": negated(_is_name),
}
ANY: Final[Characters] = lambda character: True  # noqa: E731 - a constant beside the others
LINE: Final = negated(one_of("\n\r"))
