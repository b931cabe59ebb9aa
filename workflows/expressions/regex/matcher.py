"""Running a pattern: backtracking that visits no state twice, paid for out of the run's budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from workflows.expressions.regex.program import Code, Instruction, Pattern
from workflows.expressions.runtime import Feel, Run

Spans: TypeAlias = tuple[int, ...]  # start and end of the match and of each group, -1 for none
_State: TypeAlias = tuple[int, int, Spans]


def search(pattern: Pattern, text: str, start: int, run: Run) -> Spans | None:
    """Return the leftmost match from `start` on, or None."""
    if pattern.literal is not None:
        run.spend(len(text) >> 10)
        found = text.find(pattern.literal, start)
        return None if found < 0 else (found, found + len(pattern.literal))
    seen: set[object] = set()
    for begin in range(start, len(text) + 1):
        spans = _match_at(pattern, text, begin, run, seen)
        if spans is not None:
            return spans
    return None


def replace(pattern: Pattern, text: str, replacement: str, run: Run) -> Feel:
    """Return `text` with each match replaced; null when the pattern matches nothing at all.

    `$1` stands for a group, `\\$` and `\\\\` for themselves; anything else after them is null.
    """
    parts = _replacement_parts(replacement, pattern.groups)
    if parts is None or search(pattern, "", 0, run) is not None:
        return None
    pieces: list[str] = []
    position = 0
    size = 0
    for spans in _matches(pattern, text, run):
        piece = text[position : spans[0]] + _filled(parts, text, spans)
        size += len(piece)
        run.checked_text(size)
        pieces.append(piece)
        position = spans[1]
    return "".join(pieces) + text[position:]


def split(pattern: Pattern, text: str, run: Run) -> Feel:
    """Return the parts of `text` between matches; null when the pattern matches nothing at all."""
    if search(pattern, "", 0, run) is not None:
        return None
    parts: list[Feel] = []
    position = 0
    for spans in _matches(pattern, text, run):
        parts.append(text[position : spans[0]])
        run.checked_list(len(parts))
        position = spans[1]
    return [*parts, text[position:]]


def _matches(pattern: Pattern, text: str, run: Run) -> Iterator[Spans]:
    position = 0
    while position <= len(text):
        run.spend()
        spans = search(pattern, text, position, run)
        if spans is None:
            return
        if spans[1] > spans[0]:
            yield spans
        position = max(spans[1], spans[0] + 1) if spans[1] == spans[0] else spans[1]


def _match_at(pattern: Pattern, text: str, begin: int, run: Run, seen: set[object]) -> Spans | None:
    """Return the match that begins at `begin`, preferring as the pattern prefers."""
    pending: list[_State] = [(0, begin, (begin, begin) + (-1, -1) * pattern.groups)]
    cost = 3 if pattern.has_back else 1  # the states of back references hold all groups
    while pending:
        state = pending.pop()
        place = state[0] * (len(text) + 1) + state[1]
        seen_as = (place, state[2]) if pattern.has_back else place
        if seen_as in seen:
            continue
        seen.add(seen_as)
        run.left -= cost
        if run.left < 0:
            run.spend(0)
        step = pattern.instructions[state[0]]
        if step.code is Code.MATCH:
            return (begin, state[1], *state[2][2:])
        pending.extend(_following(pattern, step, text, state))
    return None


def _following(pattern: Pattern, step: Instruction, text: str, state: _State) -> tuple[_State, ...]:
    """Return the states after `step`, the preferred one last."""
    counter, position, spans = state
    if step.code is Code.SPLIT:
        first = (step.first, position, spans)
        return (first,) if step.first == step.second else ((step.second, position, spans), first)
    if step.code is Code.SAVE:
        saved = (*spans[: step.first], position, *spans[step.first + 1 :])
        return ((counter + 1, position, saved),)
    moved = _moved(pattern, step, text, position, spans)
    return () if moved < 0 else ((counter + 1, moved, spans),)


def _moved(pattern: Pattern, step: Instruction, text: str, position: int, spans: Spans) -> int:
    """Return the position after a step that looks at the text, or -1 when it fails."""
    if step.code is Code.ONE:
        fits = position < len(text) and step.members is not None and step.members(text[position])
        return position + 1 if fits else -1
    if step.code is Code.EDGE:
        return position if _at_edge(pattern, bool(step.first), text, position) else -1
    start, end = spans[2 * step.first], spans[2 * step.first + 1]
    taken = text[start:end] if 0 <= start <= end else ""
    there = text[position : position + len(taken)]
    same = there == taken or (pattern.folding and there.casefold() == taken.casefold())
    return position + len(taken) if same else -1


def _at_edge(pattern: Pattern, end: bool, text: str, position: int) -> bool:
    if end:
        return position == len(text) or (pattern.multiline and text[position] == "\n")
    return position == 0 or (pattern.multiline and text[position - 1] == "\n")


def _replacement_parts(replacement: str, groups: int) -> list[str | int] | None:
    parts: list[str | int] = []
    position = 0
    while position < len(replacement):
        character = replacement[position]
        following = replacement[position + 1 : position + 2]
        if character == "\\":
            if following not in ("\\", "$") or not following:
                return None
            parts.append(following)
            position += 2
        elif character == "$":
            if not following.isascii() or not following.isdigit():
                return None
            position = _group_reference(replacement, position + 1, groups, parts)
        else:
            parts.append(character)
            position += 1
    return parts


def _group_reference(replacement: str, at: int, groups: int, parts: list[str | int]) -> int:
    number = int(replacement[at])
    at += 1
    while replacement[at : at + 1].isdigit() and number * 10 + int(replacement[at]) <= groups:
        number = number * 10 + int(replacement[at])
        at += 1
    parts.append(number if number <= groups else "")
    return at


def _filled(parts: list[str | int], text: str, spans: Spans) -> str:
    filled: list[str] = []
    for part in parts:
        if isinstance(part, str):
            filled.append(part)
            continue
        start, end = spans[2 * part], spans[2 * part + 1]
        filled.append(text[start:end] if 0 <= start <= end else "")
    return "".join(filled)
