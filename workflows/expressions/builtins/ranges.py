"""Relations of points and ranges (DMN 1.5, table 78, after Allen's interval algebra)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dossier.errors import Rejected
from workflows.expressions.builtins import temporal
from workflows.expressions.builtins.signature import RANGE, STRING, parameter, plain, table
from workflows.expressions.compare import contains, order
from workflows.expressions.compiler import Compiler
from workflows.expressions.cursor import Cursor
from workflows.expressions.parser import parse_whole
from workflows.expressions.profile import MODEL
from workflows.expressions.runtime import Feel, Function, Range, Run, Scope, Signature
from workflows.expressions.vocabulary import Vocabulary

_Relation = Callable[[Range, Range], bool | None]
_SWAPPED: Final = True
_MAX_TEXT: Final = 200
_CONSTRUCTORS: Final = {
    name: temporal.FUNCTIONS[name] for name in ("date", "time", "date and time", "duration")
}


_CONSTRUCTOR_WORDS: Final = Vocabulary(_CONSTRUCTORS)


def _less(one: Feel, other: Feel) -> bool:
    found = order(one, other)
    return found is not None and found < 0


def _same(one: Feel, other: Feel) -> bool:
    return order(one, other) == 0


def _before(one: Range, other: Range) -> bool:
    apart = _same(one.high, other.low) and not (one.high_included and other.low_included)
    return _less(one.high, other.low) or apart


def _meets(one: Range, other: Range) -> bool:
    return _same(one.high, other.low) and one.high_included and other.low_included


def _overlaps(one: Range, other: Range) -> bool:
    return not _before(one, other) and not _before(other, one) and _comparable(one, other)


def _comparable(one: Range, other: Range) -> bool:
    return order(one.high, other.low) is not None and order(other.high, one.low) is not None


def _starts_no_later(one: Range, other: Range) -> bool:
    same = _same(one.low, other.low) and (one.low_included or not other.low_included)
    return _less(one.low, other.low) or same


def _starts_earlier(one: Range, other: Range) -> bool:
    same = _same(one.low, other.low) and one.low_included and not other.low_included
    return _less(one.low, other.low) or same


def _ends_earlier(one: Range, other: Range) -> bool:
    same = _same(one.high, other.high) and not one.high_included and other.high_included
    return _less(one.high, other.high) or same


def _ends_no_later(one: Range, other: Range) -> bool:
    same = _same(one.high, other.high) and (other.high_included or not one.high_included)
    return _less(one.high, other.high) or same


def _overlaps_before(one: Range, other: Range) -> bool:
    touches = _less(other.low, one.high) or _meets(one, other)
    return _starts_earlier(one, other) and touches and _ends_no_later(one, other)


def _starts(one: Range, other: Range) -> bool:
    same = _same(one.low, other.low) and one.low_included == other.low_included
    return same and _ends_no_later(one, other)


def _finishes(one: Range, other: Range) -> bool:
    same = _same(one.high, other.high) and one.high_included == other.high_included
    return same and _starts_no_later(other, one)


def _includes(one: Range, other: Range) -> bool:
    return _starts_no_later(one, other) and _ends_no_later(other, one)


def _coincides(one: Range, other: Range) -> bool:
    return _starts(one, other) and _finishes(one, other)


def _between_ranges(relation: _Relation, *, swapped: bool = False) -> Signature:
    """Return the signature over two ranges with known ends; otherwise the relation is null."""

    def related(one: Range, other: Range) -> Feel:
        if swapped:
            one, other = other, one
        if order(one.low, other.high) is None or order(one.high, other.low) is None:
            return None
        return relation(one, other)

    return plain(related, parameter("range1", RANGE), parameter("range2", RANGE))


def _as_range(point: Feel) -> Range:
    return Range(point, point, True, True)


def _point_range(relation: _Relation, *, swapped: bool = False) -> Signature:
    def related(point: Feel, interval: Range) -> Feel:
        if order(point, interval.low) is None and order(point, interval.high) is None:
            return None
        one, other = _as_range(point), interval
        return relation(other, one) if swapped else relation(one, other)

    return plain(related, parameter("point"), parameter("range", RANGE))


def _range_point(relation: _Relation, *, swapped: bool = False) -> Signature:
    def related(interval: Range, point: Feel) -> Feel:
        if order(point, interval.low) is None and order(point, interval.high) is None:
            return None
        one, other = interval, _as_range(point)
        return relation(other, one) if swapped else relation(one, other)

    return plain(related, parameter("range", RANGE), parameter("point"))


def _points(relation: Callable[[int], bool]) -> Signature:
    def related(one: Feel, other: Feel) -> Feel:
        found = order(one, other)
        return None if found is None else relation(found)

    return plain(related, parameter("point1"), parameter("point2"))


def _inside(interval: Range, point: Range) -> bool | None:
    return contains(interval, point.low)


def _at_start(interval: Range, point: Range) -> bool | None:
    return _same(interval.low, point.low) and interval.low_included


def _at_end(interval: Range, point: Range) -> bool | None:
    return _same(interval.high, point.low) and interval.high_included


def _from_text(text: str) -> Feel:
    """Return the range of `[1..5)`, `(..2]` or `[2..)`, whose ends are constants."""
    text = text.strip()
    opening, body, closing = text[:1], text[1:-1], text[-1:]
    low, separator, high = body.partition("..")
    if len(text) > _MAX_TEXT or not (opening in "[](" and closing in "])[" and separator):
        return None
    ends = [_constant(end) for end in (low, high)]
    if None in ends and ((low.strip() and ends[0] is None) or (high.strip() and ends[1] is None)):
        return None
    found = order(ends[0], ends[1]) if None not in ends else -1
    if found is None or found > 0 or ends == [None, None]:
        return None
    low_included, high_included = opening == "[", closing == "]"
    if (low_included and ends[0] is None) or (high_included and ends[1] is None):
        return None  # an open end includes nothing
    return Range(ends[0], ends[1], low_included, high_included)


def _constant(text: str) -> Feel:
    """Return a number, text or temporal value as written, or None."""
    if not text.strip():
        return None
    try:
        cursor = Cursor(text, MODEL, names=(), library=_CONSTRUCTORS, vocabulary=_CONSTRUCTOR_WORDS)
        evaluator = Compiler(text, library=_CONSTRUCTORS, types={}).compile(parse_whole(cursor))
    except Rejected:
        return None
    value = None if cursor.free else evaluator(Scope({}, Run(MODEL, None)))
    return None if isinstance(value, list | Mapping | bool) else value


FUNCTIONS: Final[dict[str, Function]] = table(
    {
        "before": (
            _between_ranges(_before),
            _point_range(_before),
            _range_point(_before),
            _points(lambda found: found < 0),
        ),
        "after": (
            _between_ranges(_before, swapped=_SWAPPED),
            _point_range(_before, swapped=_SWAPPED),
            _range_point(_before, swapped=_SWAPPED),
            _points(lambda found: found > 0),
        ),
        "meets": (_between_ranges(_meets),),
        "met by": (_between_ranges(_meets, swapped=_SWAPPED),),
        "overlaps": (_between_ranges(_overlaps),),
        "overlaps before": (_between_ranges(_overlaps_before),),
        "overlaps after": (_between_ranges(_overlaps_before, swapped=_SWAPPED),),
        "finishes": (
            _between_ranges(_finishes),
            _point_range(_at_end, swapped=_SWAPPED),
        ),
        "finished by": (
            _between_ranges(_finishes, swapped=_SWAPPED),
            _range_point(_at_end),
        ),
        "includes": (_between_ranges(_includes), _range_point(_inside)),
        "during": (
            _between_ranges(_includes, swapped=_SWAPPED),
            _point_range(_inside, swapped=_SWAPPED),
        ),
        "starts": (
            _between_ranges(_starts),
            _point_range(_at_start, swapped=_SWAPPED),
        ),
        "started by": (
            _between_ranges(_starts, swapped=_SWAPPED),
            _range_point(_at_start),
        ),
        "range": (plain(_from_text, parameter("from", STRING)),),
        "coincides": (
            _between_ranges(_coincides),
            _points(lambda found: found == 0),
        ),
    }
)
