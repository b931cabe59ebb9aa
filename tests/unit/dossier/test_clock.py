"""The arithmetic of office time: round trips, slot edges, pauses, and the two clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.calendar import load_calendar
from dossier.clock import (
    SystemClock,
    VirtualClock,
    add_working,
    add_working_days,
    closing_time,
    settle,
    working_between,
    working_days_between,
)
from dossier.deadline import Mode, Pause, due, parse_allowance
from dossier.rule_errors import CalendarYearMissing, DeadlineRefused
from tests.builders.clock import local, shown

CALENDAR = load_calendar(layers=("vn-2026-swap",))

instants = st.integers(0, 1_800_000).map(
    lambda minutes: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
amounts = st.integers(0, 480 * 30).map(lambda minutes: timedelta(minutes=minutes))


@given(start=instants, amount=amounts)
@settings(max_examples=150, deadline=None)
def test_working_time_between_start_and_result_is_the_amount(
    start: datetime, amount: timedelta
) -> None:
    end = add_working(start, amount=amount, calendar=CALENDAR)
    assert working_between(start, end=end, calendar=CALENDAR) == amount


@given(start=instants, one=amounts, two=amounts)
@settings(max_examples=100, deadline=None)
def test_adding_twice_is_adding_once(start: datetime, one: timedelta, two: timedelta) -> None:
    halfway = add_working(start, amount=one, calendar=CALENDAR)
    twice = add_working(halfway, amount=two, calendar=CALENDAR)
    once = add_working(start, amount=one + two, calendar=CALENDAR)
    assert settle(twice, calendar=CALENDAR) == settle(once, calendar=CALENDAR)


@given(start=instants, amount=amounts, used=amounts, away=st.integers(0, 40 * 24 * 60))
@settings(max_examples=100, deadline=None)
def test_both_pause_formulas_give_one_working_instant(
    start: datetime, amount: timedelta, used: timedelta, away: int
) -> None:
    paused = add_working(start, amount=min(used, amount), calendar=CALENDAR)
    resumed = paused + timedelta(minutes=away)
    target = add_working(start, amount=amount, calendar=CALENDAR)
    covered = working_between(paused, end=resumed, calendar=CALENDAR)
    left = working_between(paused, end=target, calendar=CALENDAR)
    moved = add_working(target, amount=covered, calendar=CALENDAR)
    resumed_with_rest = add_working(resumed, amount=left, calendar=CALENDAR)
    assert settle(moved, calendar=CALENDAR) == settle(resumed_with_rest, calendar=CALENDAR)


@given(start=instants, days=st.integers(1, 30), used=st.integers(0, 29), away=st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_both_pause_formulas_agree_by_day(start: datetime, days: int, used: int, away: int) -> None:
    first = start.date()
    paused = add_working_days(first, count=min(used, days - 1), calendar=CALENDAR)
    resumed = paused + timedelta(days=away)
    covered = working_days_between(paused, end=resumed, calendar=CALENDAR)
    moved = add_working_days(first, count=days + covered, calendar=CALENDAR)
    left = days - min(used, days - 1)
    assert moved == add_working_days(resumed, count=left, calendar=CALENDAR)


@given(start=instants, later=st.integers(0, 10_000), mode=st.sampled_from(Mode))
@settings(max_examples=100, deadline=None)
def test_what_comes_later_is_never_due_earlier(start: datetime, later: int, mode: Mode) -> None:
    cutoff = local("2026-01-01 15:00").time()
    early, late = (
        due(at, allowance=parse_allowance("2wd"), calendar=CALENDAR, mode=mode, cutoff=cutoff).at
        for at in (start, start + timedelta(minutes=later))
    )
    assert early <= late


@given(start=instants, minutes=st.integers(0, 20_000))
@settings(max_examples=60, deadline=None)
def test_a_pause_never_shortens(start: datetime, minutes: int) -> None:
    pause = Pause(
        start=start, end=start + timedelta(minutes=minutes), basis="supplement", citation="x"
    )
    allowance = parse_allowance("5wd")
    for mode in Mode:
        plain = due(start, allowance=allowance, calendar=CALENDAR, mode=mode)
        paused = due(start, allowance=allowance, calendar=CALENDAR, mode=mode, pauses=[pause])
        assert paused.at >= plain.at


@pytest.mark.parametrize(
    ("instant", "same"),
    [
        ("2026-03-03 07:30", "2026-03-02 17:30"),
        ("2026-03-03 13:30", "2026-03-03 11:30"),
        ("2026-03-03 12:00", "2026-03-03 11:30"),
        ("2026-03-03 17:30", "2026-03-03 17:30"),
        ("2026-03-08 12:00", "2026-03-06 17:30"),
        ("2026-03-03 08:00", "2026-03-03 08:00"),
    ],
)
def test_a_slot_edge_settles_on_the_earlier_side(instant: str, same: str) -> None:
    assert shown(settle(local(instant), calendar=CALENDAR)) == same


def test_adding_nothing_returns_the_instant_itself() -> None:
    night = local("2026-03-07 23:00")
    assert add_working(night, amount=timedelta(), calendar=CALENDAR) is night


def test_refuses_a_negative_amount() -> None:
    with pytest.raises(DeadlineRefused):
        add_working(local("2026-03-02 09:00"), amount=timedelta(minutes=-1), calendar=CALENDAR)


def test_time_backwards_is_no_working_time() -> None:
    assert not working_between(
        local("2026-03-05 09:00"), end=local("2026-03-02 09:00"), calendar=CALENDAR
    )
    assert not working_days_between(date(2026, 3, 5), end=date(2026, 3, 2), calendar=CALENDAR)


def test_a_day_off_has_no_closing_time() -> None:
    with pytest.raises(DeadlineRefused):
        closing_time(date(2026, 3, 8), calendar=CALENDAR)


def test_counting_stops_where_the_calendar_ends() -> None:
    with pytest.raises(CalendarYearMissing):
        add_working(local("2027-12-31 17:00"), amount=timedelta(hours=1), calendar=CALENDAR)


def test_the_machine_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_virtual_clock_moves_forward_only() -> None:
    clock = VirtualClock(at=local("2026-03-02 09:00"))
    clock.forward(timedelta(hours=1))
    assert shown(clock.now()) == "2026-03-02 10:00"
    with pytest.raises(DeadlineRefused):
        clock.forward_to(local("2026-03-02 09:59"))
