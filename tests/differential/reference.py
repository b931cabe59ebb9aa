"""What a block model means, written without tokens, graphs or anything of the engine.

Every block that runs is an object that knows what is open inside it; a block is over when its
parts are. The engine counts tokens on a graph: the two can only agree by being right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.differential.blocks import Block, Shape


class Raised(Exception):
    """An error or terminate end was reached."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Item:
    """Something open: a task, or an event that is waited for."""

    def __init__(self, game: Game, name: str) -> None:
        game.clock += 1
        self.name = name
        self.age = game.clock  # the oldest of several with one name is taken
        self.is_open = True


class Game:
    """One run of a model; `decisions` holds what the gateways ask for in this very step."""

    def __init__(self, root: Block) -> None:
        self.clock = 0
        self.decisions: Mapping[str, int | bool] = {}
        self._root = root
        self._top: Scope | None = None

    def start(self, decisions: Mapping[str, int | bool]) -> None:
        """Begin."""
        self.decisions = decisions
        self._top = Scope(self, self._root, None)

    def _scope(self) -> Scope:
        if self._top is None:
            raise RuntimeError("expected a started game, got a new one")
        return self._top

    def open(self) -> Counter[str]:
        """Return the multiset of the names that are open."""
        return Counter(item.name for item in self._scope().items())

    def act(self, name: str, decisions: Mapping[str, int | bool]) -> None:
        """Finish the oldest open item of a name and let everything follow."""
        self.decisions = decisions
        item = min((i for i in self._scope().items() if i.name == name), key=lambda i: i.age)
        item.is_open = False
        self._scope().go()

    @property
    def is_over(self) -> bool:
        """Tell whether everything is done."""
        return self._scope().is_over


class Run:
    """A block that runs; `go` lets what can happen happen."""

    is_over = False

    def items(self) -> Iterator[Item]:
        """Yield what is open inside."""
        return iter(())

    def go(self) -> None:
        """Move on after something inside was finished."""


class Scope(Run):
    """A process or one run of a sub-process: its body, its handlers, what runs beside it."""

    def __init__(self, game: Game, body: Block, owner: Block | None) -> None:
        self.game = game
        self.beside: list[Run] = []
        self.trigger: Item | None = None
        self._owner = owner
        if owner is not None and owner.handler:
            self.trigger = Item(game, f"w{owner.n}")
        self._body: Run = Over()
        self._body = self._guarded(lambda: begin(game, body, self))
        self.go()

    def items(self) -> Iterator[Item]:
        """Yield what is open in the body, beside it, and the event that is waited for."""
        if self.is_over:
            return
        yield from self._body.items()
        for run in self.beside:
            yield from run.items()
        if self.trigger is not None:
            yield self.trigger

    def go(self) -> None:
        """Move the body and what runs beside it; take the event if it happened."""
        if self.is_over:
            return
        self._guarded(self._move)
        if not self.is_over:
            self.beside = [run for run in self.beside if not run.is_over]
            self.is_over = self._body.is_over and not self.beside

    def _move(self) -> Run:
        self._body.go()
        for run in tuple(self.beside):
            run.go()
        if self.trigger is not None and not self.trigger.is_open and self._owner is not None:
            handling = Leaf(self.game, f"u{self._owner.n}")
            if self._owner.handler == "interrupting":
                self._body, self.beside, self.trigger = handling, [], None
            else:
                self.beside.append(handling)
                self.trigger = Item(self.game, f"w{self._owner.n}")
        return self._body

    def _guarded(self, step: object) -> Run:
        try:
            return step()  # type: ignore[operator, no-any-return]  # either of the two above
        except Raised as exc:
            if exc.kind != "terminate":
                raise
            self._body, self.beside, self.trigger, self.is_over = Over(), [], None, True
            return self._body


class Over(Run):
    """Nothing, already done."""

    is_over = True


class Leaf(Run):
    """One task or event."""

    def __init__(self, game: Game, name: str) -> None:
        self._item = Item(game, name)

    def items(self) -> Iterator[Item]:
        """Yield it while it is open."""
        if self._item.is_open:
            yield self._item

    def go(self) -> None:
        """Be over when it was finished."""
        self.is_over = not self._item.is_open


class Choice(Run):
    """Two events of which the first wins."""

    def __init__(self, game: Game, names: tuple[str, str]) -> None:
        self._items = [Item(game, name) for name in names]

    def items(self) -> Iterator[Item]:
        """Yield both until one happened."""
        if not self.is_over:
            yield from self._items

    def go(self) -> None:
        """Be over when one happened."""
        self.is_over = any(not item.is_open for item in self._items)


class Sequence(Run):
    """Parts one after the other, each begun when the one before is over."""

    def __init__(self, game: Game, parts: list[Block], scope: Scope) -> None:
        self._game, self._scope = game, scope
        self._rest = list(parts)
        self._now: Run = Over()
        self.go()

    def items(self) -> Iterator[Item]:
        """Yield what is open in the part that runs."""
        yield from self._now.items()

    def go(self) -> None:
        """Move the part that runs, and begin the next ones."""
        self._now.go()
        while self._now.is_over and self._rest:
            self._now = begin(self._game, self._rest.pop(0), self._scope)
        self.is_over = self._now.is_over


class Together(Run):
    """Parts side by side, over when all are."""

    def __init__(self, game: Game, parts: list[Block], scope: Scope) -> None:
        self._runs = [begin(game, part, scope) for part in parts]
        self.go()

    def items(self) -> Iterator[Item]:
        """Yield what is open in any of them."""
        for run in self._runs:
            yield from run.items()

    def go(self) -> None:
        """Move all."""
        for run in self._runs:
            run.go()
        self.is_over = all(run.is_over for run in self._runs)


class Loop(Run):
    """A part that is repeated while its decision says so."""

    def __init__(self, game: Game, block: Block, scope: Scope) -> None:
        self._game, self._block, self._scope = game, block, scope
        self._now = begin(game, block.parts[0], scope)
        self.go()

    def items(self) -> Iterator[Item]:
        """Yield what is open in this round."""
        yield from self._now.items()

    def go(self) -> None:
        """Move this round, and begin others."""
        if self.is_over:  # a loop that was left asks no more
            return
        self._now.go()
        while self._now.is_over and self._game.decisions[f"l{self._block.n}"]:
            self._now = begin(self._game, self._block.parts[0], self._scope)
        self.is_over = self._now.is_over


class Activity(Run):
    """A task or sub-process with its repetitions and what sits on its border."""

    def __init__(self, game: Game, block: Block, scope: Scope) -> None:
        self._game, self._block, self._scope = game, block, scope
        self._left = block.count if block.many else 1
        self._runs: list[Run] = []
        self._border: Item | None = None
        self._after: Run | None = None
        self._failed = False
        try:
            for _ in range(self._left if block.many == "parallel" else min(1, self._left)):
                self._begin_one()
        except Raised:
            self._fail()
        self._begin_rest()
        if self._runs and not self._failed and block.boundary:
            self._border = Item(game, f"b{block.n}")
        self.go()

    def _begin_one(self) -> None:
        self._left -= 1
        if self._block.shape is Shape.LEAF:
            self._runs.append(Leaf(self._game, f"t{self._block.n}"))
        else:
            self._runs.append(Scope(self._game, self._block.parts[0], self._block))

    def _begin_rest(self) -> None:
        """Begin the next in turn; over and over while the last one is over at once."""
        try:
            while self._left and all(run.is_over for run in self._runs):
                self._begin_one()
        except Raised:
            self._fail()

    def _fail(self) -> None:
        self._runs, self._left, self._border = [], 0, None
        self._failed = True
        self._after = Leaf(self._game, f"k{self._block.n}")

    def items(self) -> Iterator[Item]:
        """Yield what is open inside, at the border, or after an interruption."""
        for run in self._runs:
            yield from run.items()
        if self._border is not None:
            yield self._border
        if self._after is not None:
            yield from self._after.items()

    def go(self) -> None:
        """Move the instances, then the event at the border."""
        if self.is_over:
            return
        try:
            for run in self._runs:
                if not run.is_over:
                    run.go()
        except Raised:
            self._fail()
        self._begin_rest()
        if self._border is not None and not self._border.is_open:
            self._cross()
        if self._after is not None:
            self._after.go()
            self.is_over = self._after.is_over
        else:
            self.is_over = not self._left and all(run.is_over for run in self._runs)
        if self.is_over:
            self._border = None

    def _cross(self) -> None:
        handling = Leaf(self._game, f"h{self._block.n}")
        if self._block.boundary == "interrupting":
            self._runs, self._left, self._border = [], 0, None
            self._after = handling
        else:
            self._scope.beside.append(handling)
            self._border = Item(self._game, f"b{self._block.n}")


def begin(game: Game, block: Block, scope: Scope) -> Run:
    """Return the run of a block that was just entered."""
    match block.shape:
        case Shape.PASS:
            return Over()
        case Shape.CATCH:
            return Leaf(game, f"c{block.n}")
        case Shape.CHOICE:
            return Choice(game, (f"l{block.n}", f"r{block.n}"))
        case Shape.SEQUENCE:
            return Sequence(game, block.parts, scope)
        case Shape.LOOP:
            return Loop(game, block, scope)
        case Shape.RAISE:
            raise Raised(block.raises)
        case Shape.LEAF | Shape.SUB:
            return Activity(game, block, scope)
        case _:
            return Together(game, _chosen(game, block), scope)


def _chosen(game: Game, block: Block) -> list[Block]:
    if block.shape is Shape.PARALLEL:
        return block.parts
    if block.shape is Shape.EXCLUSIVE:
        wanted = game.decisions[f"d{block.n}"]
        return [block.parts[int(wanted) if int(wanted) < len(block.parts) else 0]]
    others = [
        part
        for index, part in enumerate(block.parts)
        if index and game.decisions[f"o{block.n}_{index}"]
    ]
    return others or [block.parts[0]]


def decision_names(block: Block) -> Iterator[str]:
    """Yield the names that the gateways of a tree ask for."""
    if block.shape is Shape.EXCLUSIVE:
        yield f"d{block.n}"
    if block.shape is Shape.LOOP:
        yield f"l{block.n}"
    if block.shape is Shape.INCLUSIVE:
        yield from (f"o{block.n}_{index}" for index in range(1, len(block.parts)))
    for part in block.parts:
        yield from decision_names(part)
