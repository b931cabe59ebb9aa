"""What an evaluation carries: scopes of names, the budget, and the values only FEEL has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

from workflows.expressions.errors import CallDepthLimit, ListLimit, StepLimit, TextLimit
from workflows.expressions.lexer import position_of
from workflows.expressions.profile import Profile
from workflows.expressions.temporal import Date, DateTime, DaysTime, Time, YearsMonths
from workflows.expressions.types import ANY, Type

# The values of FEEL inside an evaluation. Mapping stands for contexts.
Feel: TypeAlias = (
    "bool | Decimal | str | Date | Time | DateTime | DaysTime | YearsMonths "
    "| Range | Function | list[Feel] | Mapping[str, Feel] | None"
)
Evaluator: TypeAlias = "Callable[[Scope], Feel]"


class Missing:
    """The type of the one value that says: no such name."""


MISSING: Final = Missing()
MAX_NOTES: Final = 100


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; an end that is None is unbounded."""

    low: Feel
    high: Feel
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; unless `nullable`, a null argument makes the whole call null."""

    name: str
    type: Type = ANY
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function: `required` of its parameters must be given.

    A variadic signature takes its last parameter any number of times.
    """

    parameters: tuple[Parameter, ...]
    required: int
    call: Callable[[list[Feel], Run], Feel]
    variadic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function value; a call takes the first signature that its arguments fit."""

    name: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Why something became null: a code, where in the source, and its parameters."""

    code: str
    line: int
    column: int
    parameters: tuple[tuple[str, str], ...] = ()


class Run:
    """One evaluation: its remaining budget, its instant, and the notes on nulls."""

    calls = 0  # of functions that are open; class attributes, as most runs change none of them
    noted = 0  # how many notes there would be, kept or not
    notes: tuple[Note, ...] = ()

    def __init__(self, profile: Profile, at: datetime | None) -> None:
        self.profile = profile
        self.at = at
        self.left = profile.steps

    def spend(self, steps: int = 1) -> None:
        """Take `steps` from the budget; raise `StepLimit` when it is used up."""
        self.left -= steps
        if self.left < 0:
            limit = self.profile.steps
            raise StepLimit(f"expected at most {limit} steps, got more", limit=limit)

    def enter(self) -> None:
        """Account for a call of a function written in FEEL."""
        self.calls += 1
        if self.calls > self.profile.call_depth:
            limit = self.profile.call_depth
            raise CallDepthLimit(f"expected at most {limit} nested calls, got more", limit=limit)

    def leave(self) -> None:
        """Account for the return from a function."""
        self.calls -= 1

    def checked_list(self, size: int) -> None:
        """Raise `ListLimit` when a list of `size` items is too long; charge for building it."""
        self.within_list(size)
        self.spend(size >> 3)

    def within_list(self, size: int) -> None:
        """Raise `ListLimit` when a list of `size` items is too long."""
        if size > self.profile.list_items:
            limit = self.profile.list_items
            raise ListLimit(f"expected at most {limit} items, got {size}", limit=limit)

    def checked_text(self, size: int) -> None:
        """Raise `TextLimit` when a text of `size` characters is too long; charge for it."""
        if size > self.profile.text_chars:
            limit = self.profile.text_chars
            raise TextLimit(f"expected at most {limit} characters, got {size}", limit=limit)
        self.spend(size >> 6)

    def note(self, code: str, source: str, at: int, **parameters: str) -> None:
        """Record why a value became null; only the first hundred are kept."""
        self.noted += 1
        if self.noted <= MAX_NOTES:
            line, column = position_of(source, at)
            note = Note(code, line, column, tuple(parameters.items()))
            self.notes = (*self.notes, note)


class Scope:
    """Names and their values, with an outer scope behind them."""

    __slots__ = ("outer", "run", "values")

    def __init__(self, values: Mapping[str, Feel], run: Run, outer: Scope | None = None) -> None:
        self.values = values
        self.run = run
        self.outer = outer

    def find(self, name: str) -> Feel | Missing:
        """Return the innermost value of `name`, or `MISSING`."""
        scope: Scope | None = self
        while scope is not None:
            value = scope.values.get(name, MISSING)
            if value is not MISSING:
                return value
            scope = scope.outer
        return MISSING


_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysTime: "days and time duration",
    YearsMonths: "years and months duration",
    Range: "range",
    Function: "function",
    list: "list",
}


def kind_of(value: Feel) -> str:
    """Return the name of the FEEL type of `value`."""
    return _KINDS.get(type(value), "context")
