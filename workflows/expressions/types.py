"""The types of FEEL (DMN 1.5, 10.3.2.2), as written and resolved; no values here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from workflows.expressions.tree import TypeNode


@dataclass(frozen=True, slots=True)
class Simple:
    """A type without parts, by its FEEL name; `Any` takes everything, `Null` only null."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """`list<item>`."""

    item: Type


@dataclass(frozen=True, slots=True)
class ContextOf:
    """`context<name: type, …>`; further entries do no harm."""

    entries: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`range<item>`."""

    item: Type


@dataclass(frozen=True, slots=True)
class FunctionOf:
    """`function<parameter, …> -> result`."""

    parameters: tuple[Type, ...]
    result: Type


@dataclass(frozen=True, slots=True)
class Restricted:
    """A type whose values must also pass `allowed`, as item definitions declare."""

    name: str
    inner: Type
    allowed: Callable[[Any, Any], bool]  # of the value and the run


Type: TypeAlias = Simple | ListOf | ContextOf | RangeOf | FunctionOf | Restricted

ANY: Final = Simple("Any")
NAMED: Final[dict[str, Type]] = {
    **{
        name: Simple(name)
        for name in (
            "number",
            "string",
            "boolean",
            "date",
            "time",
            "date and time",
            "days and time duration",
            "years and months duration",
            "context",
            "Null",
        )
    },
    "Any": ANY,
    "list": ListOf(ANY),
    "range": RangeOf(ANY),
    "function": Simple("function"),
    "dateTime": Simple("date and time"),
    "dayTimeDuration": Simple("days and time duration"),
    "yearMonthDuration": Simple("years and months duration"),
    "day and time duration": Simple("days and time duration"),
    "year and month duration": Simple("years and months duration"),
}


def resolve(node: TypeNode, named: Mapping[str, Type]) -> Type | None:
    """Return the type that `node` writes, or None when a name in it is unknown."""
    parts = [resolve(part, named) for part in node.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if node.name == "context" and node.names:
        return ContextOf(tuple(zip(node.names, known, strict=True)))
    if node.name == "function" and node.result is not None:
        result = resolve(node.result, named)
        return None if result is None else FunctionOf(tuple(known), result)
    if node.name in ("list", "range") and known:
        return ListOf(known[0]) if node.name == "list" else RangeOf(known[0])
    return named.get(node.name) or NAMED.get(node.name)
