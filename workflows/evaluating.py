"""Evaluate the compiled texts of a definition over case values; nothing else is ever evaluated."""

from __future__ import annotations

from collections.abc import Mapping

from workflows.errors import NotBoolean, TextNotCompiled
from workflows.expressions import Expression, Value
from workflows.specs import Token
from workflows.walk import INDEX, Walk, node_of, owner_of


def evaluate(walk: Walk, token: Token, text: str) -> Value:
    """Return the value of a compiled text; raise a leaf of `Rejected` when it has none."""
    return _compiled(walk, text).evaluate(names_for(walk, token), at=walk.at)


def is_true(walk: Walk, token: Token, text: str) -> bool:
    """Return a condition's value; anything but a boolean is refused, never taken for false."""
    value = evaluate(walk, token, text)
    if not isinstance(value, bool):
        raise NotBoolean("expected a boolean, got something else", expression=text[:80])
    return value


def mapping(
    walk: Walk, token: Token, pairs: tuple[tuple[str, str], ...]
) -> dict[str, Value] | None:
    """Return the values of a mapping, None when nothing is mapped."""
    if not pairs:
        return None
    return {name: evaluate(walk, token, text) for name, text in pairs}


def names_for(walk: Walk, token: Token) -> Mapping[str, Value]:
    """Return what a token sees: the case values, and its own loop variables over them."""
    own = locals_of(walk, token)
    return {**walk.values, **own} if own else walk.values


def locals_of(walk: Walk, token: Token) -> dict[str, Value]:
    """Return the loop variables of a token, the innermost loop's last."""
    found: dict[str, Value] = {}
    owner = owner_of(walk, token.workflow)
    if owner is not None:
        found.update(locals_of(walk, owner))
    index = token.internal_data.get(INDEX)
    loop = node_of(token).loop
    if index is None or loop is None:
        return found
    found["loopCounter"] = index + 1
    if loop.collection and loop.item:
        items = _compiled(walk, loop.collection).evaluate({**walk.values, **found}, at=walk.at)
        found[loop.item] = items[index] if isinstance(items, list) and index < len(items) else None
    return found


def _compiled(walk: Walk, text: str) -> Expression:
    try:
        return walk.definition.compiled.expressions[text]
    except KeyError as exc:
        raise TextNotCompiled(
            "expected a text of the definition's table, got another", expression=text[:80]
        ) from exc
