"""Time allowances and due dates: pure, and every result explains itself.

Two granularities (domain.md §9): by day, the day of receipt is not counted and the due instant is
the end of office hours; by minute, office minutes are counted from the receipt.
"""

from __future__ import annotations

import calendar as month_lengths
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

from dossier.calendar import HERE, Calendar, DayKind, local_day
from dossier.clock import (
    add_working,
    add_working_days,
    closing_time,
    next_working_day,
    working_between,
    working_days_between,
)
from dossier.rule_errors import AllowanceRefused, DeadlineRefused
from dossier.texts import Bilingual, Language, render
from dossier.trail import Fact, Step, StepKind, both

_COUNTED: Final = re.compile(r"(0|[1-9][0-9]{0,3})(wd|wh|d|mo)")
_CLOCK: Final = re.compile(r"PT(?:([0-9]{1,5})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,6})S)?")
_DAY: Final = timedelta(days=1)


class Unit(StrEnum):
    """What an allowance counts."""

    WORKING_HOURS = "wh"  # giờ làm việc
    WORKING_DAYS = "wd"  # ngày làm việc
    DAYS = "d"  # ngày: calendar days, an end on a day off moves to the next working day
    MONTHS = "mo"  # tháng
    SECONDS = "s"  # time of the wall clock, for technical waits


class Mode(StrEnum):
    """How fine working days are counted."""

    DAY = "day"
    MINUTE = "minute"


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """A time allowance; zero working days mean "the same working day"."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"PT{self.count}S" if self.unit is Unit.SECONDS else f"{self.count}{self.unit}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A time during which the legal clock stood still, on a basis that allows it."""

    start: datetime
    end: datetime  # not before `start`
    basis: str  # code of the pause basis in `procedure.toml`
    citation: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """A granted extension, in the unit of the allowance it extends."""

    allowance: Allowance
    reason: str
    approver: str
    citation: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """The text that an allowance rests on."""

    text: str
    confirmed: bool = True  # False: nobody has compared it, and the trail says so


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A due date and why."""

    at: datetime  # UTC
    trail: tuple[Step, ...]

    @property
    def day(self) -> date:
        """Return the legal day on which it falls."""
        return local_day(self.at)


def parse_allowance(text: str) -> Allowance:
    """Return the allowance of `3wd`, `8wh`, `15d`, `2mo` or `PT1H30M`; zero only as `0wd`."""
    if counted := _COUNTED.fullmatch(text):
        allowance = Allowance(count=int(counted[1]), unit=Unit(counted[2]))
    elif (clock := _CLOCK.fullmatch(text)) and any(clock.groups()):
        hours, minutes, seconds = (int(group or 0) for group in clock.groups())
        allowance = Allowance(count=hours * 3600 + minutes * 60 + seconds, unit=Unit.SECONDS)
    else:
        raise AllowanceRefused(f"expected an allowance such as 3wd, got {text!r}", text=text)
    if not allowance.count and allowance.unit is not Unit.WORKING_DAYS:
        raise AllowanceRefused(f"expected more than nothing, got {text!r}", text=text)
    return allowance


def say_allowance(allowance: Allowance, *, lang: Language) -> str:
    """Return the allowance in words, such as "3 ngày làm việc"."""
    form = "zero" if not allowance.count else "one" if allowance.count == 1 else "many"
    return render("allowance", f"{allowance.unit}_{form}", lang, count=allowance.count)


def due(
    received: datetime,
    *,
    allowance: Allowance,
    calendar: Calendar,
    mode: Mode = Mode.DAY,
    cutoff: time | None = None,
    pauses: Sequence[Pause] = (),
    extensions: Sequence[Extension] = (),
    citation: Citation | None = None,
) -> Due:
    """Return when something received at an instant is due, and the trail of reasons.

    `cutoff` is a local time of day: what comes later, or on a day off, counts as received on the
    next working day; exactly the cut-off still counts. A pause that begins at or after the due
    instant moves nothing. Raises `DeadlineRefused` for facts that contradict each other and
    `CalendarYearMissing` for a day outside the calendar.
    """
    count = _counting(allowance, mode=mode, calendar=calendar)
    trail = [Step(kind=StepKind.RECEIVED, facts={"at": received.astimezone(UTC).isoformat()})]
    # 1. The cut-off moves the receipt to the opening of the next working day.
    start = _after_cutoff(received, cutoff, calendar, trail)
    # 2. The allowance, then the extensions, are counted from there.
    position = count.add(start, allowance=allowance)
    trail.append(_counted(start, allowance, count.finish(position)))
    if citation is not None:
        cited: dict[str, Fact] = {"citation": citation.text}
        trail.append(Step(kind=StepKind.CITED, facts=cited, confirmed=citation.confirmed))
    for extension in extensions:
        position = _extend(position, extension, allowance, count, trail)
    # 3. Each pause moves the result by what it covers; overlapping pauses count once.
    for pause in _apart(pauses):
        position = _pause(position, pause, count, trail)
    # 4. The result is named with the days off that were met on the way.
    at = count.finish(position)
    if allowance.unit in (Unit.WORKING_DAYS, Unit.WORKING_HOURS):
        trail += _skipped(local_day(start), local_day(at), calendar)
    elif (rolled := local_day(position)) != local_day(at):
        trail.append(
            Step(
                kind=StepKind.ROLLED,
                facts={"day": rolled.isoformat(), "to_day": local_day(at).isoformat()},
            )
        )
    result: dict[str, Fact] = {"at": at.isoformat(), "calendar": calendar.version}
    trail.append(Step(kind=StepKind.RESULT, facts=result))
    return Due(at=at, trail=tuple(trail))


class _Counting(Protocol):
    """How positions move; a position is an instant, for days the local midnight of the day."""

    def add(self, position: datetime, *, allowance: Allowance) -> datetime: ...

    def shift(self, position: datetime, pause: Pause) -> datetime: ...

    def finish(self, position: datetime) -> datetime: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _ByMinute:
    calendar: Calendar

    def add(self, position: datetime, *, allowance: Allowance) -> datetime:
        day = self.calendar.day_length
        one = day if allowance.unit is Unit.WORKING_DAYS else timedelta(hours=1)
        return add_working(position, amount=allowance.count * one, calendar=self.calendar)

    def shift(self, position: datetime, pause: Pause) -> datetime:
        covered = working_between(pause.start, end=pause.end, calendar=self.calendar)
        return add_working(position, amount=covered, calendar=self.calendar)

    def finish(self, position: datetime) -> datetime:
        return position.astimezone(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _ByWorkingDay:
    calendar: Calendar

    def add(self, position: datetime, *, allowance: Allowance) -> datetime:
        day = local_day(position)
        if not allowance.count and not self.calendar.is_working_day(day):
            return _midnight(next_working_day(day, calendar=self.calendar))
        return _midnight(add_working_days(day, count=allowance.count, calendar=self.calendar))

    def shift(self, position: datetime, pause: Pause) -> datetime:
        # The day of the pause was worked, the day of the return is a day of receipt: not counted.
        covered = working_days_between(
            local_day(pause.start), end=local_day(pause.end), calendar=self.calendar
        )
        return _midnight(
            add_working_days(local_day(position), count=covered, calendar=self.calendar)
        )

    def finish(self, position: datetime) -> datetime:
        return closing_time(local_day(position), calendar=self.calendar)


@dataclass(frozen=True, kw_only=True, slots=True)
class _ByCalendarDay:
    calendar: Calendar

    def add(self, position: datetime, *, allowance: Allowance) -> datetime:
        day = local_day(position)
        if allowance.unit is Unit.MONTHS:
            return _midnight(_months_later(day, allowance.count))
        return _midnight(day + allowance.count * _DAY)

    def shift(self, position: datetime, pause: Pause) -> datetime:
        return _midnight(local_day(position) + (local_day(pause.end) - local_day(pause.start)))

    def finish(self, position: datetime) -> datetime:
        day = local_day(position)
        if not self.calendar.is_working_day(day):
            day = next_working_day(day, calendar=self.calendar)
        return closing_time(day, calendar=self.calendar)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Elapsed:
    def add(self, position: datetime, *, allowance: Allowance) -> datetime:
        return position + timedelta(seconds=allowance.count)

    def shift(self, position: datetime, pause: Pause) -> datetime:
        return position + (pause.end - pause.start)

    def finish(self, position: datetime) -> datetime:
        return position.astimezone(UTC)


def _counting(allowance: Allowance, *, mode: Mode, calendar: Calendar) -> _Counting:
    match allowance.unit:
        case Unit.SECONDS:
            return _Elapsed()
        case Unit.DAYS | Unit.MONTHS:
            return _ByCalendarDay(calendar=calendar)
        case Unit.WORKING_HOURS:
            return _ByMinute(calendar=calendar)
        case Unit.WORKING_DAYS:
            by_minute = mode is Mode.MINUTE and allowance.count
            return _ByMinute(calendar=calendar) if by_minute else _ByWorkingDay(calendar=calendar)


def _after_cutoff(
    received: datetime, cutoff: time | None, calendar: Calendar, trail: list[Step]
) -> datetime:
    local = received.astimezone(HERE)
    if cutoff is None:
        return received
    working = calendar.is_working_day(local.date())
    if working and local.time() <= cutoff:
        return received
    day = next_working_day(local.date(), calendar=calendar)
    facts: dict[str, Fact] = {"to_day": day.isoformat()}
    if working:
        facts["limit"] = f"{cutoff:%H:%M}"
    trail.append(Step(kind=StepKind.CUT_OFF if working else StepKind.DAY_OFF_RECEIPT, facts=facts))
    return datetime.combine(day, calendar.slots(day)[0].start, HERE)


def _counted(start: datetime, allowance: Allowance, end: datetime) -> Step:
    said = Bilingual(
        vi=say_allowance(allowance, lang=Language.VI), en=say_allowance(allowance, lang=Language.EN)
    )
    if allowance.unit is Unit.SECONDS:
        return Step(kind=StepKind.ELAPSED, facts=both("allowance", said))
    facts: dict[str, Fact] = {
        "from_day": local_day(start).isoformat(),
        "to_day": local_day(end).isoformat(),
    }
    return Step(kind=StepKind.COUNTED, facts=both("allowance", said) | facts)


def _extend(
    position: datetime,
    extension: Extension,
    allowance: Allowance,
    count: _Counting,
    trail: list[Step],
) -> datetime:
    if extension.allowance.unit is not allowance.unit:
        raise DeadlineRefused(
            f"expected an extension in {allowance.unit}, got {extension.allowance}",
            reason="extension_unit",
        )
    said = Bilingual(
        vi=say_allowance(extension.allowance, lang=Language.VI),
        en=say_allowance(extension.allowance, lang=Language.EN),
    )
    facts: dict[str, Fact] = {
        "reason": extension.reason,
        "approver": extension.approver,
        "citation": extension.citation,
        "old": count.finish(position).isoformat(),
    }
    trail.append(Step(kind=StepKind.EXTENDED, facts=both("allowance", said) | facts))
    return count.add(position, allowance=extension.allowance)


def _pause(position: datetime, pause: Pause, count: _Counting, trail: list[Step]) -> datetime:
    old = count.finish(position)
    if pause.start >= old:
        late: dict[str, Fact] = {"at": pause.start.astimezone(UTC).isoformat()}
        trail.append(Step(kind=StepKind.PAUSED_LATE, facts=late))
        return position
    facts: dict[str, Fact] = {
        "at": pause.start.astimezone(UTC).isoformat(),
        "until": pause.end.astimezone(UTC).isoformat(),
        "basis": pause.basis,
        "citation": pause.citation,
        "old": old.isoformat(),
    }
    trail.append(Step(kind=StepKind.PAUSED, facts=facts))
    return count.shift(position, pause)


def _apart(pauses: Iterable[Pause]) -> list[Pause]:
    """Return the pauses in order, each cut where an earlier one still lasted."""
    kept: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: (one.start, one.end)):
        if pause.end < pause.start:
            raise DeadlineRefused(
                f"expected a pause that ends after {pause.start}, got {pause.end}",
                reason="pause_order",
            )
        start = max(pause.start, kept[-1].end) if kept else pause.start
        if start < pause.end:
            kept.append(
                Pause(start=start, end=pause.end, basis=pause.basis, citation=pause.citation)
            )
    return kept


def _skipped(start: date, end: date, calendar: Calendar) -> list[Step]:
    steps = []
    for offset in range((end - start).days + 1):
        day = start + offset * _DAY
        row = calendar.row(day)
        facts: dict[str, Fact] = {"day": day.isoformat()}
        if row is None:
            if not calendar.is_working_day(day):
                steps.append(Step(kind=StepKind.WEEKLY_REST, facts=facts))
            continue
        facts |= both("name", row.name) | both("citation", row.basis.citation)
        kind = StepKind.SKIPPED if row.kind is DayKind.OFF else StepKind.MADE_UP
        steps.append(Step(kind=kind, facts=facts, confirmed=row.basis.confirmed))
    return steps


def _months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day (Civil Code 2015, Article 148)."""
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    last = month_lengths.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), HERE)
