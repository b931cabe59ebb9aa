"""Pattern tree → a program for the matcher, of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from workflows.expressions.errors import PatternLimit
from workflows.expressions.regex.characters import Characters
from workflows.expressions.regex.syntax import (
    Back,
    Choice,
    Edge,
    Group,
    One,
    PatternSyntax,
    Reader,
    Repeat,
    Sequence,
    Tree,
)

MAX_INSTRUCTIONS: Final = 10_000
_FLAGS: Final = frozenset("smixq")


class Code(IntEnum):
    """What an instruction does."""

    ONE = 0  # take a character out of `members`
    SPLIT = 1  # go on at `first`; when that fails, at `second`
    SAVE = 2  # remember the position in slot `first`
    EDGE = 3  # hold at the start (first 0) or the end (first 1)
    BACK = 4  # take what group `first` took
    MATCH = 5  # done


class Instruction:
    """One instruction; jumps are a SPLIT with equal targets, which are set when they are known."""

    __slots__ = ("code", "first", "members", "second")

    def __init__(
        self, code: Code, first: int = 0, second: int = 0, *, members: Characters | None = None
    ) -> None:
        self.code = code
        self.first = first
        self.second = second
        self.members = members


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    instructions: tuple[Instruction, ...]
    groups: int
    has_back: bool
    multiline: bool
    folding: bool
    literal: str | None  # set when the pattern is nothing but this text


@lru_cache(maxsize=256)
def compile_pattern(text: str, flags: str) -> Pattern | None:
    """Return the compiled pattern, or None when `text` or `flags` are not regular.

    Raise `PatternLimit` when the program or a repeat count would be too large.
    """
    if not set(flags) <= _FLAGS:
        return None
    if "q" in flags and "i" not in flags:
        return _assembled(Sequence(()), Reader("", flags), literal=text)
    if "q" in flags:
        text = "".join("\\" + c if c in "\\|.?*+(){}-[]^$" else c for c in text)
    if "x" in flags and "q" not in flags:
        text = _without_spaces(text)
    reader = Reader(text, flags)
    try:
        tree = reader.read()
    except PatternSyntax:
        return None
    return _assembled(tree, reader, literal=_literal_of(tree))


def _without_spaces(text: str) -> str:
    """Return the pattern without the white space that flag x leaves out, classes apart."""
    kept: list[str] = []
    level = 0
    escaped = False
    for character in text:
        if level or not character.isspace():
            kept.append(character)
        if not escaped:
            level += (character == "[") - (character == "]" and level > 0)
        escaped = character == "\\" and not escaped
    return "".join(kept)


def _assembled(tree: Tree, reader: Reader, *, literal: str | None) -> Pattern:
    program: list[Instruction] = []
    _emit(tree, program)
    program.append(Instruction(Code.MATCH))
    return Pattern(
        instructions=tuple(program),
        groups=reader.groups,
        has_back=reader.has_back,
        multiline="m" in reader.flags,
        folding="i" in reader.flags,
        literal=literal,
    )


def _literal_of(tree: Tree) -> str | None:
    if not isinstance(tree, Sequence) or not tree.parts:
        return None
    letters = [part.literal for part in tree.parts if isinstance(part, One) and part.literal]
    return "".join(letters) if len(letters) == len(tree.parts) else None


def _emit(tree: Tree, program: list[Instruction]) -> None:
    if len(program) > MAX_INSTRUCTIONS:
        raise PatternLimit(
            f"expected at most {MAX_INSTRUCTIONS} instructions, got more", limit=MAX_INSTRUCTIONS
        )
    match tree:
        case One(members):
            program.append(Instruction(Code.ONE, members=members))
        case Edge(end):
            program.append(Instruction(Code.EDGE, int(end)))
        case Back(number):
            program.append(Instruction(Code.BACK, number))
        case _:
            _emit_composed(tree, program)


def _emit_composed(tree: Sequence | Choice | Group | Repeat, program: list[Instruction]) -> None:
    match tree:
        case Sequence(parts):
            for part in parts:
                _emit(part, program)
        case Choice(parts):
            _emit_choice(parts, program)
        case Group(number, part):
            program.append(Instruction(Code.SAVE, 2 * number))
            _emit(part, program)
            program.append(Instruction(Code.SAVE, 2 * number + 1))
        case Repeat():
            _emit_repeat(tree, program)


def _emit_choice(parts: tuple[Tree, ...], program: list[Instruction]) -> None:
    jumps: list[Instruction] = []
    for part in parts[:-1]:
        split = Instruction(Code.SPLIT, len(program) + 1)
        program.append(split)
        _emit(part, program)
        jump = Instruction(Code.SPLIT)
        program.append(jump)
        jumps.append(jump)
        split.second = len(program)
    _emit(parts[-1], program)
    for jump in jumps:
        jump.first = jump.second = len(program)


def _emit_repeat(tree: Repeat, program: list[Instruction]) -> None:
    before = len(program)
    for _ in range(tree.low):
        _emit(tree.part, program)
        if len(program) == before:
            return  # the part is empty, however often
    if tree.high is None:
        start = len(program)
        split = Instruction(Code.SPLIT)
        program.append(split)
        _emit(tree.part, program)
        program.append(Instruction(Code.SPLIT, start, start))
        _aim(split, start + 1, len(program), greedy=tree.greedy)
        return
    splits: list[tuple[Instruction, int]] = []
    for _ in range(tree.high - tree.low):
        split = Instruction(Code.SPLIT)
        program.append(split)
        splits.append((split, len(program)))
        _emit(tree.part, program)
    for split, inside in splits:
        _aim(split, inside, len(program), greedy=tree.greedy)


def _aim(split: Instruction, inside: int, after: int, *, greedy: bool) -> None:
    split.first, split.second = (inside, after) if greedy else (after, inside)
