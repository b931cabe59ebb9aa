"""Random block-structured models from a seed, drawn as BPMN text.

A block knows its own drawing; what it means is written down a second time in `reference`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum, unique
from itertools import pairwise


@unique
class Shape(Enum):
    """The constructs of the grammar."""

    LEAF = "leaf"
    PASS = "pass"
    CATCH = "catch"
    CHOICE = "choice"  # event-based gateway
    SEQUENCE = "sequence"
    PARALLEL = "parallel"
    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"
    LOOP = "loop"
    SUB = "sub"
    RAISE = "raise"  # an error or terminate end event; only as the last way of an exclusive split


@dataclass(kw_only=True)
class Block:
    """One mutable node of the tree while it grows; `n` makes every id unique."""

    shape: Shape
    n: int
    parts: list[Block] = field(default_factory=list)
    boundary: str = ""  # "", "interrupting" or "beside": a message event on a leaf or sub
    handler: str = ""  # the same for an event sub-process inside a sub
    many: str = ""  # "", "parallel" or "sequential" over `count`
    count: int = 0
    raises: str = ""  # of a RAISE: "error" or "terminate"
    catches_error: bool = False  # of a SUB


_SMALL: tuple[Shape, ...] = (Shape.LEAF, Shape.PASS, Shape.CATCH, Shape.CHOICE)


class Grower:
    """Grows one tree."""

    def __init__(self, seed: int, shapes: frozenset[Shape]) -> None:
        self._random = random.Random(seed)
        self._shapes = shapes
        self._n = 0

    def grow(self, depth: int, *, inside_sub: bool = False) -> Block:
        """Return a random block at most `depth` deep."""
        small = [
            s for s in (Shape.LEAF, Shape.PASS, Shape.CATCH, Shape.CHOICE) if s in self._shapes
        ]
        large = [
            s
            for s in sorted(self._shapes, key=lambda shape: shape.value)
            if s not in small and s is not Shape.RAISE
        ]
        if depth == 0 or self._random.random() < 0.15:
            shape: Shape = self._random.choice((Shape.LEAF, Shape.LEAF, *small))
        else:
            shape = self._random.choice(large)
        self._n += 1
        block = Block(shape=shape, n=self._n)
        self._fill(block, depth, inside_sub)
        return block

    def _fill(self, block: Block, depth: int, inside_sub: bool) -> None:
        if block.shape in (Shape.SEQUENCE, Shape.PARALLEL, Shape.EXCLUSIVE, Shape.INCLUSIVE):
            self._fill_parts(block, depth, inside_sub)
        elif block.shape is Shape.LOOP:
            # A round waits for a person at least once, or one step could go round for ever.
            self._n += 1
            pause = Block(shape=Shape.LEAF, n=self._n)
            body = self.grow(depth - 1, inside_sub=inside_sub)
            block.parts.append(Block(shape=Shape.SEQUENCE, n=0, parts=[pause, body]))
        elif block.shape is Shape.SUB:
            block.catches_error = True
            block.parts.append(self.grow(depth - 1, inside_sub=True))
        if block.shape in (Shape.LEAF, Shape.SUB) and Shape.CATCH in self._shapes:
            self._decorate(block)

    def _fill_parts(self, block: Block, depth: int, inside_sub: bool) -> None:
        pick = self._random
        for _ in range(pick.choice((2, 2, 3))):
            block.parts.append(self.grow(depth - 1, inside_sub=inside_sub))
        may_raise = block.shape is Shape.EXCLUSIVE and inside_sub and Shape.RAISE in self._shapes
        if may_raise and pick.random() < 0.4:
            self._n += 1
            kind = pick.choice(("error", "terminate"))
            block.parts.append(Block(shape=Shape.RAISE, n=self._n, raises=kind))

    def _decorate(self, block: Block) -> None:
        pick = self._random
        if block.shape is Shape.SUB and pick.random() < 0.4:
            block.handler = pick.choice(("interrupting", "beside"))
        if pick.random() < 0.25:
            block.boundary = pick.choice(("interrupting", "beside"))
        if pick.random() < 0.2:
            block.many = pick.choice(("parallel", "sequential"))
            block.count = pick.choice((0, 1, 2, 3))


def to_text(root: Block) -> str:
    """Return the drawing of a tree as text for `tests.builders.workflows.draw`."""
    lines = ["start begin"]
    entry, leave = _draw(root, lines)
    lines += ["end finish", f"begin > {entry}", f"{leave} > finish"]
    return "\n".join(lines)


def _draw(block: Block, lines: list[str]) -> tuple[str, str]:
    """Add the lines of a block; return the ids at which it is entered and left."""
    drawers = {
        Shape.LEAF: _draw_activity,
        Shape.SUB: _draw_activity,
        Shape.CHOICE: _draw_choice,
        Shape.SEQUENCE: _draw_sequence,
        Shape.PARALLEL: _draw_split,
        Shape.EXCLUSIVE: _draw_split,
        Shape.INCLUSIVE: _draw_split,
        Shape.LOOP: _draw_loop,
    }
    if block.shape is Shape.PASS:
        lines.append(f"task a{block.n}")
        return f"a{block.n}", f"a{block.n}"
    if block.shape is Shape.CATCH:
        lines.append(f"catch c{block.n} message=m{block.n}")
        return f"c{block.n}", f"c{block.n}"
    return drawers[block.shape](block, lines)


def _draw_sequence(block: Block, lines: list[str]) -> tuple[str, str]:
    ends = [_draw(part, lines) for part in block.parts]
    lines += [f"{left[1]} > {right[0]}" for left, right in pairwise(ends)]
    return ends[0][0], ends[-1][1]


def _draw_choice(block: Block, lines: list[str]) -> tuple[str, str]:
    n = block.n
    lines += [f"event g{n}", f"xor x{n}"]
    for side in ("l", "r"):
        lines += [f"catch {side}{n} message=m{n}{side}", f"g{n} > {side}{n} > x{n}"]
    return f"g{n}", f"x{n}"


def _draw_split(block: Block, lines: list[str]) -> tuple[str, str]:
    n = block.n
    kind = {Shape.PARALLEL: "and", Shape.EXCLUSIVE: "xor", Shape.INCLUSIVE: "or"}[block.shape]
    ends = [None if p.shape is Shape.RAISE else _draw(p, lines) for p in block.parts]
    first = ends[0]
    default = "" if block.shape is Shape.PARALLEL or first is None else f"default=s{n}-{first[0]}"
    lines += [f"{kind} s{n} {default}", f"{kind} j{n}"]
    for index, (part, pair) in enumerate(zip(block.parts, ends, strict=True)):
        condition = ""
        if index and block.shape is Shape.EXCLUSIVE:
            condition = f" if d{n} = {index}"
        elif index and block.shape is Shape.INCLUSIVE:
            condition = f" if o{n}_{index}"
        if pair is None:
            value = "oops" if part.raises == "error" else "-"
            lines += [f"end r{part.n} {part.raises}={value}", f"s{n} > r{part.n}{condition}"]
        else:
            lines += [f"s{n} > {pair[0]}{condition}", f"{pair[1]} > j{n}"]
    return f"s{n}", f"j{n}"


def _draw_loop(block: Block, lines: list[str]) -> tuple[str, str]:
    n = block.n
    entry, leave = _draw(block.parts[0], lines)
    lines += [
        f"xor m{n}",
        f"xor g{n} default=g{n}-x{n}",
        f"xor x{n}",
        f"m{n} > {entry}",
        f"{leave} > g{n}",
        f"g{n} > m{n} if l{n}",
        f"g{n} > x{n}",
    ]
    return f"m{n}", f"x{n}"


def _draw_activity(block: Block, lines: list[str]) -> tuple[str, str]:
    n = block.n
    many = f"{block.many}=n:{block.count}" if block.many else ""
    if block.shape is Shape.LEAF:
        lines.append(f"user t{n} {many}")
    else:
        _draw_sub(block, many, lines)
    lines += [f"xor x{n}", f"t{n} > x{n}"]
    if block.boundary:
        mode = "true" if block.boundary == "interrupting" else "false"
        lines += [f"boundary b{n} on=t{n} interrupting={mode} message=m{n}", f"user h{n}"]
        lines.append(f"b{n} > h{n}")
        if block.boundary == "interrupting":
            lines.append(f"h{n} > x{n}")
        else:
            lines += [f"end z{n}", f"h{n} > z{n}"]
    if block.catches_error:
        lines += [f"boundary e{n} on=t{n} error=oops", f"user k{n}", f"e{n} > k{n} > x{n}"]
    return f"t{n}", f"x{n}"


def _draw_sub(block: Block, many: str, lines: list[str]) -> None:
    n = block.n
    inner: list[str] = [f"start i{n}"]
    entry, leave = _draw(block.parts[0], inner)
    inner += [f"end q{n}", f"i{n} > {entry}", f"{leave} > q{n}"]
    if block.handler:
        mode = "true" if block.handler == "interrupting" else "false"
        inner += [
            f"sub v{n} triggered=true {{",
            f"start w{n} interrupting={mode} message=wm{n}",
            f"user u{n}",
            f"end y{n}",
            f"w{n} > u{n} > y{n}",
            "}",
        ]
    lines += [f"sub t{n} {many} {{", *inner, "}"]
