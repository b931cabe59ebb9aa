"""Evaluate the compiled texts of a definition over case values; nothing else is ever evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from dossier.errors import Rejected
from workflows.errors import NotBoolean, TextNotCompiled
from workflows.expressions import Expression, Value
from workflows.specs import Token
from workflows.state import decode_locals
from workflows.walk import COUNT, DONE, INDEX, NAMES, NEXT, Walk, node_of, owner_of


def evaluate(
    walk: Walk, token: Token, text: str, extra: Mapping[str, Value] | None = None
) -> Value:
    """Return the value of a compiled text; raise a leaf of `Rejected` when it has none.

    `extra` names win over the token's own and the case values.
    """
    names = names_for(walk, token)
    return _compiled(walk, text).evaluate({**names, **extra} if extra else names, at=walk.at)


def is_true(walk: Walk, token: Token, text: str, extra: Mapping[str, Value] | None = None) -> bool:
    """Return a condition's value; anything but a boolean is refused, never taken for false."""
    value = evaluate(walk, token, text, extra)
    if not isinstance(value, bool):
        raise NotBoolean("expected a boolean, got something else", expression=text[:80])
    return value


def mapping(
    walk: Walk,
    token: Token,
    pairs: tuple[tuple[str, str], ...],
    extra: Mapping[str, Value] | None = None,
) -> dict[str, Value] | None:
    """Return the values of a mapping, None when nothing is mapped."""
    if not pairs:
        return None
    return {name: evaluate(walk, token, text, extra) for name, text in pairs}


def names_for(walk: Walk, token: Token) -> Mapping[str, Value]:
    """Return what a token sees: the case values, and its own loop variables over them."""
    own = locals_of(walk, token)
    return {**walk.values, **own} if own else walk.values


def locals_of(walk: Walk, token: Token) -> dict[str, Value]:
    """Return what a token sees over the case values: names of calls, loop variables.

    The innermost call or loop wins.
    """
    found: dict[str, Value] = {}
    owner = owner_of(walk, token.workflow)
    if owner is not None:
        found.update(locals_of(walk, owner))  # no deeper than lint lets a model nest
        found.update(token.workflow.locals)
    if NAMES in token.internal_data:
        found.update(decode_locals(token.internal_data[NAMES]))
    index = token.internal_data.get(INDEX)
    return found if index is None else {**found, **locals_at(walk, token, index, found)}


def locals_at(walk: Walk, token: Token, index: int, outer: Mapping[str, Value]) -> dict[str, Value]:
    """Return the variables of one instance of the loop at which the token stands."""
    loop = node_of(token).loop
    found = dict(outer)
    if loop is None:
        return found
    found["loopCounter"] = Decimal(index + 1)
    if loop.collection and loop.item:
        items = _compiled(walk, loop.collection).evaluate({**walk.values, **found}, at=walk.at)
        found[loop.item] = items[index] if isinstance(items, list) and index < len(items) else None
    return found


def loop_variables(walk: Walk, token: Token) -> dict[str, Value]:
    """Return the variables of a loop's instance at its end; none when its list fails by now."""
    index = token.internal_data.get(INDEX)
    if index is None:
        return {}
    owner = owner_of(walk, token.workflow)
    around = {**locals_of(walk, owner), **token.workflow.locals} if owner is not None else {}
    try:
        seen = locals_at(walk, token, index, around)
    except Rejected:
        return {}
    loop = node_of(token).loop
    wanted = ("loopCounter", loop.item if loop is not None else None)
    return {name: value for name, value in seen.items() if name in wanted}


def loop_names(body: Token) -> dict[str, Value]:
    """Return the counters that a loop's condition may ask for, by their BPMN and Camunda names."""
    marks = body.internal_data
    total, done = Decimal(marks.get(COUNT) or 0), Decimal(marks.get(DONE, 0))
    active = Decimal(marks.get(NEXT, 0)) - done
    return {
        "numberOfInstances": total,
        "numberOfActiveInstances": active,
        "numberOfCompletedInstances": done,
        "nrOfInstances": total,
        "nrOfActiveInstances": active,
        "nrOfCompletedInstances": done,
        "loopCounter": done,
    }


def _compiled(walk: Walk, text: str) -> Expression:
    try:
        return walk.definition.compiled.expressions[text]
    except KeyError as exc:
        raise TextNotCompiled(
            "expected a text of the definition's table, got another", expression=text[:80]
        ) from exc
