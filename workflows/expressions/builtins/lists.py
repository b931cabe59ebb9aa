"""Functions on lists (DMN 1.5, table 76). Positions count from 1, or from the end when negative."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Final

from workflows.expressions.builtins.signature import (
    FUNCTION,
    LIST,
    NUMBER,
    budgeted,
    nullable,
    parameter,
    plain,
    table,
)
from workflows.expressions.calls import invoke
from workflows.expressions.compare import order
from workflows.expressions.keys import key_of
from workflows.expressions.numbers import truncated
from workflows.expressions.runtime import Feel, Function, Run


def _best(sign: int) -> Callable[..., Feel]:
    def best(run: Run, items: list[Feel]) -> Feel:
        run.spend(len(items))
        found = items[0] if items else None
        for item in items:
            standing = order(item, found)
            if standing is None:
                return None
            if standing * sign > 0:
                found = item
        return found

    return best


def _all(items: list[Feel]) -> Feel:
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


def _any(items: list[Feel]) -> Feel:
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


def _index(items: list[Feel], position: Decimal) -> int | None:
    """Return the Python index of a FEEL position, or None outside of the list."""
    index = truncated(position)
    if index is None or index == 0 or abs(index) > len(items):
        return None
    return index - 1 if index > 0 else len(items) + index


def _sublist(items: list[Feel], start: Decimal, length: Decimal | None = None) -> Feel:
    begin = _index(items, start)
    size = len(items) if length is None else truncated(length)
    if (
        begin is None
        or size is None
        or size < 0
        or (length is not None and begin + size > len(items))
    ):
        return None
    return items[begin : begin + size]


def _append(run: Run, items: list[Feel], *more: Feel) -> Feel:
    run.checked_list(len(items) + len(more))
    return [*items, *more]


def _concatenate(run: Run, *lists: list[Feel]) -> Feel:
    run.checked_list(sum(map(len, lists)))
    return [item for items in lists for item in items]


def _insert_before(run: Run, items: list[Feel], position: Decimal, item: Feel) -> Feel:
    index = _index(items, position)
    if index is None:
        return None
    run.checked_list(len(items) + 1)
    return [*items[:index], item, *items[index:]]


def _remove(items: list[Feel], position: Decimal) -> Feel:
    index = _index(items, position)
    return None if index is None else items[:index] + items[index + 1 :]


def _replace_at(items: list[Feel], position: Decimal, item: Feel) -> Feel:
    index = _index(items, position)
    return None if index is None else [*items[:index], item, *items[index + 1 :]]


def _replace_matching(run: Run, items: list[Feel], match: Function, item: Feel) -> Feel:
    if len(match.signatures[0].parameters) != 2:
        return None
    replaced: list[Feel] = []
    for old in items:
        verdict = invoke(match, [old, item], run)
        if not isinstance(verdict, bool):
            return None
        replaced.append(item if verdict else old)
    return replaced


def _index_of(run: Run, items: list[Feel], match: Feel) -> Feel:
    wanted = key_of(match, run)
    run.spend(len(items))
    return [Decimal(at) for at, item in enumerate(items, 1) if key_of(item, run) == wanted]


def _contains(run: Run, items: list[Feel], element: Feel) -> Feel:
    wanted = key_of(element, run)
    run.spend(len(items))
    return any(key_of(item, run) == wanted for item in items)


def _union(run: Run, *lists: list[Feel]) -> Feel:
    run.checked_list(sum(map(len, lists)))
    return _first_of_each(run, [item for items in lists for item in items])


def _first_of_each(run: Run, items: list[Feel]) -> list[Feel]:
    run.spend(len(items))
    seen: dict[object, Feel] = {}
    for item in items:
        seen.setdefault(key_of(item, run), item)
    return list(seen.values())


def _flatten(run: Run, items: list[Feel]) -> Feel:
    flat: list[Feel] = []
    pending = list(reversed(items))
    while pending:
        run.spend()
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        else:
            flat.append(item)
    run.checked_list(len(flat))
    return flat


def _sort(run: Run, items: list[Feel], precedes: Function) -> Feel:
    sound = True

    def compared(one: Feel, other: Feel) -> int:
        nonlocal sound
        before = invoke(precedes, [one, other], run)
        sound = sound and isinstance(before, bool)
        if before is True:
            return -1
        return 1 if invoke(precedes, [other, one], run) is True else 0

    ordered = sorted(items, key=cmp_to_key(compared))
    return ordered if sound else None


def spread(call: Callable[..., Feel]) -> Callable[..., Feel]:
    """Return `call` over its arguments as one list; a single list argument is that list."""

    def called(run: Run, *values: Feel) -> Feel:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        return call(run, items)

    return called


_LIST: Final = parameter("list", LIST)
_POSITION: Final = parameter("position", NUMBER)
_NEW: Final = nullable("newItem")

FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "list contains": (budgeted(_contains, _LIST, nullable("element")),),
        "count": (plain(lambda items: Decimal(len(items)), _LIST),),
        "min": (
            budgeted(_best(-1), _LIST),
            budgeted(spread(_best(-1)), nullable("c"), variadic=True),
        ),
        "max": (
            budgeted(_best(1), _LIST),
            budgeted(spread(_best(1)), nullable("c"), variadic=True),
        ),
        "all": (
            plain(_all, _LIST),
            budgeted(spread(lambda run, items: _all(items)), nullable("b"), variadic=True),
        ),
        "any": (
            plain(_any, _LIST),
            budgeted(spread(lambda run, items: _any(items)), nullable("b"), variadic=True),
        ),
        "sublist": (
            plain(
                _sublist,
                _LIST,
                parameter("start position", NUMBER),
                nullable("length", NUMBER),
                optional=1,
            ),
        ),
        "append": (budgeted(_append, _LIST, nullable("item"), variadic=True),),
        "concatenate": (budgeted(_concatenate, _LIST, variadic=True),),
        "insert before": (budgeted(_insert_before, _LIST, _POSITION, _NEW),),
        "remove": (plain(_remove, _LIST, _POSITION),),
        "list replace": (
            plain(_replace_at, _LIST, _POSITION, _NEW),
            budgeted(_replace_matching, _LIST, parameter("match", FUNCTION), _NEW),
        ),
        "reverse": (plain(lambda items: items[::-1], _LIST),),
        "index of": (budgeted(_index_of, _LIST, nullable("match")),),
        "union": (budgeted(_union, _LIST, variadic=True),),
        "distinct values": (budgeted(_first_of_each, _LIST),),
        "flatten": (budgeted(_flatten, _LIST),),
        "sort": (budgeted(_sort, _LIST, parameter("precedes", FUNCTION)),),
    }
)
