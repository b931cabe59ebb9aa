"""When timer start events fall due before any instance exists: the first time and the next."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.builders.clock import standard
from tests.builders.workflows import AT, definition_of, draw
from workflows.alarms import next_alarm, start_alarms

DAY = timedelta(days=1)


def following(start: str, *, at: datetime, fired: int) -> datetime | None:
    definition = definition_of(draw(f"start s {start}\nend e\ns > e"))
    values = {"param": {"every": timedelta(days=2)}}
    return next_alarm(
        definition, "s", armed=AT, at=at, calendar=standard(), fired=fired, values=values
    )


def test_a_cycle_goes_on_from_where_it_was_armed_until_its_count() -> None:
    late = AT + 3 * DAY + timedelta(hours=5)
    assert following("cycle=R/P1D", at=late, fired=1) == AT + 4 * DAY
    assert following("cycle=R2/P1D", at=AT + DAY, fired=1) == AT + 2 * DAY
    assert following("cycle=R2/P1D", at=AT + 2 * DAY, fired=2) is None


@pytest.mark.parametrize("start", ["date=2022-05-01", "duration=PT1H", "duration=3wd", "signal=go"])
def test_other_starts_fire_once(start: str) -> None:
    assert following(start, at=AT + DAY, fired=1) is None


def test_a_parameter_gives_the_time() -> None:
    definition = definition_of(draw("start s duration=param.every\nend e\ns > e"))
    values = {"param": {"every": timedelta(days=2)}}
    firsts = start_alarms(definition, at=AT, calendar=standard(), values=values)
    assert firsts == {"s": AT + 2 * DAY}


def test_several_timers_of_one_start_fire_one_after_the_other() -> None:
    both = "date=2022-05-01 duration=PT1H"
    definition = definition_of(draw(f"start s {both}\nend e\ns > e"))
    firsts = start_alarms(definition, at=AT, calendar=standard(), values={})
    assert firsts == {"s": AT + timedelta(hours=1)}
    second = following(both, at=AT + timedelta(hours=1), fired=1)
    assert second is not None
    assert following(both, at=second, fired=2) is None
