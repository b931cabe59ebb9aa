"""The syntax tree of FEEL: an allow-list. What has no node here cannot be written.

Every node carries `at`, its offset in the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, boolean or null."""

    at: int
    value: Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class Temporal:
    """An `@"…"` literal: date, time, date and time, or duration."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; `builtin` when only the library knows the name, `local` when bound inside."""

    at: int
    name: str
    local: bool
    builtin: bool


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    at: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextLiteral:
    """`{a: 1, "b c": 2}`; later entries see the earlier ones."""

    at: int
    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral:
    """`[a..b)`; a missing end is unbounded, as in `(< 5)`."""

    at: int
    low: Node | None
    high: Node | None
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Left-associative operators of one level: `first op operand op operand …`."""

    at: int
    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """An `and` or `or` of all parts, in three-valued logic."""

    at: int
    conjunction: bool
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """Arithmetic negation."""

    at: int
    operand: Node


@dataclass(frozen=True, slots=True)
class Between:
    """`x between low and high`, both ends included."""

    at: int
    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Membership:
    """`x in tests`."""

    at: int
    operand: Node
    tests: Tests


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """`x instance of type`."""

    at: int
    operand: Node
    type_name: TypeNode


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if condition then yes else no`."""

    at: int
    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Domain:
    """One `name in source` of an iteration; `end` is set for `low..high`."""

    name: str
    source: Node
    end: Node | None


@dataclass(frozen=True, slots=True)
class For:
    """`for … return body`; the body sees `partial`, the results so far."""

    at: int
    domains: tuple[Domain, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified:
    """`some … satisfies` or `every … satisfies`."""

    at: int
    every: bool
    domains: tuple[Domain, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Path:
    """`source.name`."""

    at: int
    source: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`source[condition]`, by position or by condition."""

    at: int
    source: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call:
    """An invocation, with arguments by position or by name."""

    at: int
    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...]  # as long as `arguments` in a call by name, else empty


@dataclass(frozen=True, slots=True)
class FunctionLiteral:
    """`function(a: number, b) body`; `external` bodies are kept but never run."""

    at: int
    parameters: tuple[tuple[str, TypeNode | None], ...]
    body: Node
    external: bool


@dataclass(frozen=True, slots=True)
class Test:
    """One unary test: `operator` with an end point, or a bare expression (operator empty)."""

    at: int
    operator: str
    operand: Node
    placeholder: bool  # whether `?` stands in the operand


@dataclass(frozen=True, slots=True)
class Tests:
    """Unary tests; no tests at all is `-`, which accepts everything."""

    at: int
    tests: tuple[Test, ...]
    negated: bool
    irrelevant: bool


@dataclass(frozen=True, slots=True)
class TypeNode:
    """A type as written: a name with its parts, as `list<T>`, `context<a: T>`, `function<T> -> R`.

    `parts` holds the type arguments, `names` the entry names of a context type.
    """

    at: int
    name: str
    parts: tuple[TypeNode, ...] = ()
    names: tuple[str, ...] = ()
    result: TypeNode | None = None


Node: TypeAlias = (
    Literal
    | Temporal
    | Name
    | ListLiteral
    | ContextLiteral
    | RangeLiteral
    | Chain
    | Logic
    | Negative
    | Between
    | Membership
    | InstanceOf
    | Conditional
    | For
    | Quantified
    | Path
    | Filter
    | Call
    | FunctionLiteral
)
