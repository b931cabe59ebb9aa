"""Loops: one token counts, the instances of the activity hang on it.

An instance of a parallel loop over a human task or a call is nothing but a row of the host and a
bit of the counting token until its fact comes: finishing one of 1,000 costs what one of 10 does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from SpiffWorkflow.util.task import TaskState

from workflows.errors import LoopUnusable
from workflows.evaluating import evaluate, is_true, loop_names, names_for
from workflows.expressions import Value
from workflows.graph import HUMAN, Event, Kind, Loop, LoopKind, Node
from workflows.scopes import complete
from workflows.specs import Token
from workflows.walk import (
    ALIAS,
    BITS,
    BODY,
    COUNT,
    DONE,
    INDEX,
    LOOP,
    NEXT,
    OPEN,
    Walk,
    add,
    dependents,
    is_live,
    node_of,
    put,
    withdraw,
    withdraw_rows,
)

MAXIMUM_INSTANCES: Final = 10_000
_ROWS: Final = HUMAN | {Kind.SERVICE_TASK, Kind.BUSINESS_RULE_TASK}


def is_counting(token: Token) -> bool:
    """Tell whether the token counts the instances of a loop and does no work of its own."""
    return node_of(token).loop is not None and BODY not in token.internal_data


def begin(walk: Walk, token: Token) -> bool | None:
    """Begin a loop: True when there is nothing to do, None while instances run."""
    loop = _loop(token)
    marks = token.internal_data
    count = _count(walk, token, loop)
    marks.update({LOOP: True, COUNT: count, NEXT: 0, DONE: 0})
    if loop.kind is LoopKind.STANDARD:
        if loop.test_before and not _goes_on(walk, token, loop):
            return True
        _begin_next(walk, token)
        return None
    if loop.output_collection:
        walk.write_in(token.workflow, {loop.output_collection: [None] * (count or 0)})
    if not count:
        return True
    if loop.kind is LoopKind.PARALLEL and node_of(token).kind in _ROWS:
        marks.update({NEXT: count, BITS: f"{(1 << count) - 1:x}"})
        return None
    for _ in range(count if loop.kind is LoopKind.PARALLEL else 1):
        _begin_next(walk, token)
    return None


def _count(walk: Walk, token: Token, loop: Loop) -> int | None:
    if loop.kind is LoopKind.STANDARD:
        return None
    if loop.collection:
        items = evaluate(walk, token, loop.collection)
        if not isinstance(items, list):
            raise LoopUnusable("expected a list to loop over, got another value", loop="list")
        count = len(items)
    else:
        count = _whole(evaluate(walk, token, loop.cardinality or "1"))
    if count > MAXIMUM_INSTANCES:
        raise LoopUnusable(
            f"expected at most {MAXIMUM_INSTANCES} instances, got {count}", loop="limit"
        )
    return count


def _whole(value: Value) -> int:
    if not isinstance(value, Decimal) or value < 0 or value != value.to_integral_value():
        raise LoopUnusable("expected a whole number of instances, got another value", loop="count")
    return int(value)


def _begin_next(walk: Walk, body: Token) -> None:
    index = body.internal_data[NEXT]
    body.internal_data[NEXT] = index + 1
    walk.instances += _loop(body).kind is not LoopKind.STANDARD
    put(walk, body.workflow, node_of(body).id, marks={BODY: body.id, INDEX: index})


def materialise(walk: Walk, body: Token, index: int) -> Token | None:
    """Make a token of an instance that was only a bit; None when it is not open."""
    bits = int(body.internal_data.get(BITS) or "0", 16)
    if not bits >> index & 1:
        return None
    body.internal_data[BITS] = f"{bits & ~(1 << index):x}"
    node = node_of(body)
    marks = {
        BODY: body.id,
        INDEX: index,
        ALIAS: f"{body.id}.{index}",
        OPEN: "task" if node.kind in HUMAN else "call",
    }
    token = add(walk, body.workflow, node.id, marks=marks)
    token._set_state(TaskState.STARTED)
    return token


def collect(walk: Walk, token: Token, values: dict[str, Value]) -> dict[str, Value]:
    """Put an instance's result into the output list; return the values that are left to write."""
    loop = node_of(token).loop
    index = token.internal_data.get(INDEX)
    if loop is None or index is None or not loop.output_collection or not loop.output_item:
        return values
    result = evaluate(walk, token, loop.output_item, values)
    gathered = names_for(walk, token).get(loop.output_collection)
    results = list(gathered) if isinstance(gathered, list) else []
    results.extend([None] * (index + 1 - len(results)))
    results[index] = result
    walk.write_in(token.workflow, {loop.output_collection: results})
    return {name: value for name, value in values.items() if name != loop.output_item}


def thrown_by(walk: Walk, body: Token) -> list[Event]:
    """Return what a loop throws as one more instance finishes (BPMN 2.0.2, table 10.30).

    Raise what the condition of a complex behaviour raises.
    """
    loop, marks = _loop(body), body.internal_data
    if not loop.throws or (loop.behavior == "One" and marks[DONE]):
        return []
    marks[DONE] += 1
    try:
        names = loop_names(body)
        return [
            event
            for condition, event in loop.throws
            if condition is None or is_true(walk, body, condition, names)
        ]
    finally:
        marks[DONE] -= 1


def count_one(walk: Walk, body: Token) -> None:
    """Take note that one instance finished; raise what the condition raises."""
    loop = _loop(body)
    marks = body.internal_data
    marks[DONE] += 1
    if loop.kind is LoopKind.STANDARD:
        over = not _goes_on(walk, body, loop)
    else:
        over = marks[DONE] >= marks[COUNT]
        if not over and loop.condition:
            over = is_true(walk, body, loop.condition, loop_names(body))
    if over:
        _finish(walk, body)
    elif loop.kind is not LoopKind.PARALLEL:
        _begin_next(walk, body)


def _finish(walk: Walk, body: Token) -> None:
    withdraw_rows(walk, body)
    for other in dependents(body):
        if other.internal_data.get(BODY) == body.id and is_live(other):
            withdraw(walk, other)
    complete(walk, body)


def _goes_on(walk: Walk, body: Token, loop: Loop) -> bool:
    """Tell whether a standard loop begins another round (BPMN 2.0.2, 10.3.8)."""
    done = body.internal_data[DONE]
    if loop.maximum is not None and done >= _whole(evaluate(walk, body, loop.maximum)):
        return False
    return is_true(walk, body, loop.condition, loop_names(body)) if loop.condition else True


def _loop(token: Token) -> Loop:
    node: Node = node_of(token)
    if node.loop is None:
        raise LoopUnusable("expected a loop, got an activity without one", loop="none")
    return node.loop
