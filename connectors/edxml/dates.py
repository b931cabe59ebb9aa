"""Bring dates and codes into the one form in which the model holds them: yyyy/MM/dd.

Peers also write dd/MM/yyyy and ISO 8601. What is no date stays as it was received.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from connectors.edxml.model import (
    MessageHeader,
    Repair,
    ResponseFor,
    StatusHeader,
    TraceHeaderList,
)

_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_DATE: Final = re.compile(
    r"(?:(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})([-/.])(?P<m2>\d{1,2})\6(?P<y2>\d{4}))"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_DAY: Final = re.compile(r"\d{4}/\d{2}/\d{2}")
_MOMENT: Final = re.compile(r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}")
_OF_DIALECT_A: Final = re.compile(r"\d{2}/\d{2}/\d{4}( \d{2}:\d{2}:\d{2})?")


class Dates:
    """Rewrites the dates of one file; `repairs` gets what its dialect does not provide for."""

    def __init__(self, repairs: list[Repair], *, is_dialect_a: bool) -> None:
        self._repairs = repairs
        self._is_dialect_a = is_dialect_a

    def header(self, header: MessageHeader | StatusHeader) -> MessageHeader | StatusHeader:
        """Return the header with its dates and its status code in our form."""
        if isinstance(header, StatusHeader):
            return replace(
                header,
                response_for=self._answered(header.response_for),
                status_code=self._code(header.status_code),
                timestamp=self._moment(header.timestamp),
            )
        return replace(
            header,
            promulgation=replace(header.promulgation, date=self._day(header.promulgation.date)),
            due_date=self._day(header.due_date),
            response_for=tuple(self._answered(one) for one in header.response_for),
        )

    def trace(self, trace: TraceHeaderList) -> TraceHeaderList:
        """Return the list with its instants in our form."""
        traces = tuple(replace(one, timestamp=self._moment(one.timestamp)) for one in trace.traces)
        return replace(trace, traces=traces)

    def _answered(self, answered: ResponseFor) -> ResponseFor:
        return replace(answered, promulgation_date=self._day(answered.promulgation_date))

    def _day(self, text: str) -> str:
        return self._rewritten(text, _DAY, lambda found: f"{found:%Y/%m/%d}")

    def _moment(self, text: str) -> str:
        return self._rewritten(text, _MOMENT, lambda found: f"{found:%Y/%m/%d %H:%M:%S}")

    def _rewritten(self, text: str, ours: re.Pattern[str], spell: Callable[[datetime], str]) -> str:
        found = _instant(text) if text and not ours.fullmatch(text) else None
        if found is None:
            return text
        if not (self._is_dialect_a and _OF_DIALECT_A.fullmatch(text)):
            self._repairs.append(Repair.DATE_REWRITTEN)
        return spell(found)

    def _code(self, text: str) -> str:
        if len(text) != 1 or not text.isdecimal():
            return text
        self._repairs.append(Repair.CODE_COMPLETED)
        return text.zfill(2)


def _instant(text: str) -> datetime | None:
    """Return what the text says in Vietnamese time; day before month where both would do."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    said = found.groupdict()
    year, month, day = (int(said[name] or said[f"{name}2"]) for name in ("y", "m", "d"))
    hour, minute, second = (int(said[name] or 0) for name in ("hour", "minute", "second"))
    try:
        plain = datetime(year, month, day, hour, minute, second, tzinfo=_HERE)
    except ValueError:
        return None
    if not said["zone"]:
        return plain
    zone = said["zone"].replace("Z", "+0000")
    return datetime.strptime(f"{plain:%Y%m%d%H%M%S}{zone}", "%Y%m%d%H%M%S%z").astimezone(_HERE)
