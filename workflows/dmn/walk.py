"""Going through boxed expressions: their parts, and the names of entries they make."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.dmn.model import (
    Boxed,
    BoxedConditional,
    BoxedContext,
    BoxedFilter,
    BoxedFunction,
    BoxedInvocation,
    BoxedIterator,
    BoxedList,
    BoxedRelation,
    Decision,
    DecisionTable,
    GraphElement,
    Knowledge,
)


def parts(box: Boxed) -> tuple[Boxed, ...]:
    """Return the boxed expressions directly inside of `box`."""
    match box:
        case BoxedContext():
            return tuple(entry.body for entry in box.entries)
        case BoxedInvocation():
            return tuple(body for _, body in box.bindings)
        case BoxedFunction():
            return () if box.body is None else (box.body,)
        case BoxedList():
            return box.items
        case BoxedRelation():
            return tuple(cell for row in box.rows for cell in row)
        case _:
            return _pairs(box)


def _pairs(box: Boxed) -> tuple[Boxed, ...]:
    match box:
        case BoxedConditional():
            return (box.condition, box.yes, box.no)
        case BoxedFilter():
            return (box.source, box.match)
        case BoxedIterator():
            return (box.source, box.body)
        case _:
            return ()


def boxes_of(element: GraphElement) -> Iterator[Boxed]:
    """Yield every boxed expression of an element, outer ones first."""
    body = element.body if isinstance(element, Decision | Knowledge) else None
    pending: list[Boxed] = [] if body is None else [body]
    while pending:
        box = pending.pop()
        yield box
        pending.extend(reversed(parts(box)))


def entry_names(element: GraphElement) -> Iterator[str]:
    """Yield the names of context entries, relation columns and table outputs in an element."""
    for box in boxes_of(element):
        if isinstance(box, BoxedContext):
            yield from (entry.name for entry in box.entries if entry.name)
        elif isinstance(box, BoxedRelation):
            yield from (name for name, _ in box.columns)
        elif isinstance(box, DecisionTable):
            yield from (column.name for column in box.outputs if column.name)
