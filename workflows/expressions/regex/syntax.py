"""Pattern text → tree. What is no pattern raises `PatternSyntax`, which never leaves here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from workflows.expressions.errors import PatternLimit
from workflows.expressions.regex import characters
from workflows.expressions.regex.characters import Characters

MAX_NESTING: Final = 50
MAX_REPEAT: Final = 1_000
_PLAIN_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_SELF_ESCAPES: Final = frozenset("\\|.?*+(){}-[]^$")
_SPECIAL: Final = frozenset("|?*+()[]{}")


class PatternSyntax(Exception):
    """The text is no regular expression."""


@dataclass(frozen=True, slots=True)
class One:
    """One character out of a set."""

    members: Characters
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`^` or `$`."""

    end: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first alternative that leads to a match."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part `low` to `high` times (None: without end)."""

    part: Tree
    low: int
    high: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group."""

    number: int
    part: Tree


@dataclass(frozen=True, slots=True)
class Back:
    """A back reference."""

    number: int


Tree: TypeAlias = One | Edge | Sequence | Choice | Repeat | Group | Back


class Reader:
    """Reads one pattern, by recursive descent."""

    def __init__(self, text: str, flags: str) -> None:
        self.text = text
        self.flags = flags
        self.at = 0
        self.groups = 0
        self.has_back = False
        self._closed: set[int] = set()
        self._depth = 0

    def read(self) -> Tree:
        """Return the tree of the whole pattern."""
        tree = self._choice()
        if self.at < len(self.text):
            raise PatternSyntax
        return tree

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise PatternSyntax
        self.at += 1
        return character

    def _accept(self, text: str) -> bool:
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _choice(self) -> Tree:
        parts = [self._sequence()]
        while self._accept("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _repeated(self, part: Tree) -> Tree:
        bounds: tuple[int, int | None]
        if self._accept("?"):
            bounds = (0, 1)
        elif self._accept("*"):
            bounds = (0, None)
        elif self._accept("+"):
            bounds = (1, None)
        elif self._accept("{"):
            bounds = self._bounds()
        else:
            return part
        return Repeat(part, *bounds, greedy=not self._accept("?"))

    def _bounds(self) -> tuple[int, int | None]:
        low = self._count()
        high: int | None = low
        if self._accept(","):
            high = None if self._peek() == "}" else self._count()
        if not self._accept("}") or (high is not None and high < low):
            raise PatternSyntax
        return low, high

    def _count(self) -> int:
        start = self.at
        while self._peek() in "0123456789" and self._peek():
            self.at += 1
        digits = self.text[start : self.at]
        if not digits:
            raise PatternSyntax
        if len(digits) > 4 or int(digits) > MAX_REPEAT:
            raise PatternLimit(f"expected at most {MAX_REPEAT} repeats, got more", limit=MAX_REPEAT)
        return int(digits)

    def _atom(self) -> Tree:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return One(self._class())
        if character == ".":
            return One(characters.ANY if "s" in self.flags else characters.LINE)
        if character in "^$":
            return Edge(character == "$")
        if character == "\\":
            return self._escape()
        if character in _SPECIAL:
            raise PatternSyntax
        return self._literal(character)

    def _group(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise PatternLimit(
                f"expected at most {MAX_NESTING} levels, got more", limit=MAX_NESTING
            )
        capturing = not self._accept("?:")
        if capturing:
            self.groups += 1
        number = self.groups
        inner = self._choice()
        if not self._accept(")"):
            raise PatternSyntax
        self._depth -= 1
        self._closed.add(number)
        return Group(number, inner) if capturing else inner

    def _literal(self, character: str) -> Tree:
        if "i" in self.flags and character.lower() != character.upper():
            return One(self._cased(characters.one_of(character)))
        return One(characters.one_of(character), character)

    def _cased(self, members: Characters) -> Characters:
        """Return the set under flag i; what `[^…]` leaves out is folded before it is left out."""
        return characters.folded(members) if "i" in self.flags else members

    def _escape(self) -> Tree:
        if self._peek() in "123456789" and self._peek():
            return self._back()
        members = self._class_escape()
        if members is not None:
            return One(members)
        return self._literal(self._plain_escape())

    def _back(self) -> Tree:
        number = int(self._take())
        while self._peek().isdigit() and number * 10 + int(self._peek()) <= self.groups:
            number = number * 10 + int(self._take())
        if number not in self._closed:
            raise PatternSyntax
        self.has_back = True
        return Back(number)

    def _class_escape(self) -> Characters | None:
        character = self._peek()
        if character in characters.ESCAPES:
            self.at += 1
            return characters.ESCAPES[character]
        if character not in ("p", "P"):
            return None
        end = self.text.find("}", self.at)
        if self.text[self.at + 1 : self.at + 2] != "{" or end < 0:
            raise PatternSyntax
        members = characters.category(self.text[self.at + 2 : end])
        if members is None:
            raise PatternSyntax
        self.at = end + 1
        return characters.negated(members) if character == "P" else members

    def _plain_escape(self) -> str:
        character = self._take()
        if character in _SELF_ESCAPES:
            return character
        if character not in _PLAIN_ESCAPES:
            raise PatternSyntax
        return _PLAIN_ESCAPES[character]

    def _class(self) -> Characters:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise PatternLimit(
                f"expected at most {MAX_NESTING} levels, got more", limit=MAX_NESTING
            )
        inverse = self._accept("^")
        parts: list[Characters] = []
        taken: Characters | None = None
        while not parts or self._peek() != "]":
            if parts and self._accept("-["):
                taken = self._class()
                break
            parts.append(self._member())
        if not self._accept("]"):
            raise PatternSyntax
        self._depth -= 1
        members = characters.union(parts)
        members = characters.negated(members) if inverse else members
        return members if taken is None else characters.difference(members, taken)

    def _member(self) -> Characters:
        low = self._take()
        if low == "\\":
            escaped = self._class_escape()
            if escaped is not None:
                return escaped
            low = self._plain_escape()
        elif low in "[]":
            raise PatternSyntax
        if self._peek() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", "[", ""):
            return self._cased(characters.one_of(low))
        self.at += 1
        high = self._take()
        if high == "\\":
            high = self._plain_escape()
        if high < low:
            raise PatternSyntax
        return self._cased(characters.between(low, high))
