"""Timer texts: what is taken, what is refused, and arithmetic that needs no catching up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import LienThongError
from workflows.errors import TimerUnusable
from workflows.graph import TimerForm
from workflows.timing import (
    Cycle,
    Duration,
    WorkingTime,
    is_literal,
    parse_cycle,
    parse_duration,
    parse_instant,
    parse_timer,
)

START = datetime(2022, 1, 31, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("PT20S", START + timedelta(seconds=20)),
        ("P1DT2H", START + timedelta(days=1, hours=2)),
        ("P2W", START + timedelta(weeks=2)),
        ("P1M", datetime(2022, 2, 28, 8, 0, tzinfo=UTC)),
        ("P1Y1M", datetime(2023, 2, 28, 8, 0, tzinfo=UTC)),
        ("PT0.5S", START + timedelta(seconds=0.5)),
    ],
)
def test_adds_durations_on_the_calendar(text: str, due: datetime) -> None:
    assert parse_duration(text).after(START) == due


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "-PT1H", "PT-1H", "P1DT", "1H", "P999Y", "pt1h", "PT1H ", "P1.5D"]
)
def test_refuses_durations_that_are_none(text: str) -> None:
    with pytest.raises(TimerUnusable):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2024-02-30", "tomorrow", "2024-13-01T00:00:00", "24-1-1"])
def test_refuses_impossible_instants(text: str) -> None:
    with pytest.raises(TimerUnusable):
        parse_instant(text)


def test_instants_without_an_offset_are_the_countrys_own_time() -> None:
    assert parse_instant("2022-04-30T17:00:00").astimezone(UTC).hour == 10
    assert parse_instant("2022-04-30").astimezone(UTC) == datetime(2022, 4, 29, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["R0/PT1H", "R/PT0S", "R/PT0.5S", "R3", "0 0 12 * * ?", "R/P", "R-1/PT1H"]
)
def test_refuses_cycles_that_would_spin_or_never_fire(text: str) -> None:
    with pytest.raises(TimerUnusable):
        parse_cycle(text)


def test_missed_firings_of_a_cycle_are_one() -> None:
    cycle = parse_cycle("R/2022-01-01T00:00:00Z/PT10M")
    due, missed = cycle.next_due(START, START)
    assert (due, missed) == (START + timedelta(minutes=10), 30 * 144 + 8 * 6 + 1)
    monthly = parse_cycle("R5/P1M")
    due, missed = monthly.next_due(START, START + timedelta(days=70))
    assert (due.month, due.day, missed) == (4, 30, 2)


@pytest.mark.parametrize("text", ["3wd", "0wd", "8wh", "15d", "2mo"])
def test_working_time_goes_to_the_host_as_text(text: str) -> None:
    assert is_literal(text)
    assert parse_timer(text, TimerForm.DURATION) == WorkingTime(text=text)
    with pytest.raises(TimerUnusable):
        parse_timer(text, TimerForm.CYCLE)


@given(st.text(max_size=30), st.sampled_from(TimerForm))
def test_any_text_is_a_timer_or_is_refused(text: str, form: TimerForm) -> None:
    try:
        timer = parse_timer(text, form)
    except LienThongError as error:
        assert error.code == "timer_unusable"
        return
    assert isinstance(timer, datetime | Duration | Cycle | WorkingTime)


@given(st.integers(0, 40), st.integers(0, 5000), st.integers(1, 10**7), st.integers(0, 10**9))
def test_the_next_firing_is_the_first_after_now(
    months: int, days: int, seconds: int, elapsed: int
) -> None:
    every = Duration(months=months, exact=timedelta(days=days, seconds=seconds))
    at = START + timedelta(seconds=elapsed)
    due, missed = Cycle(count=None, start=None, every=every).next_due(START, at)
    assert due > at
    assert missed >= 0


@pytest.mark.parametrize("text", ["0 0/5 * * * ?", "*/5 * * * *", "0 0 9 ? * MON-FRI"])
def test_cron_is_refused_as_a_time(text: str) -> None:
    assert is_literal(text)
    with pytest.raises(TimerUnusable):
        parse_timer(text, TimerForm.CYCLE)


@pytest.mark.parametrize("text", ["a * b", "2 * days", "first - second - third", "n * x * y * z"])
def test_an_expression_is_no_cron(text: str) -> None:
    assert not is_literal(text)
