"""The sweep: a lost bell rings again, and a clock that was set back costs nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from exchange import advance, doorbell, sweep
from storage import sql
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.fivetasks import open_five_tasks, publish_five_tasks

_TICK = timedelta(seconds=0.5)  # the ticker's pause


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the jobs that are rung for; every bell is lost."""
    jobs: list[str] = []

    def ring(job: str, _identifier: str) -> bool:
        jobs.append(job)
        return False

    monkeypatch.setattr(doorbell, "ring", ring)
    return jobs


def test_a_lost_bell_rings_again_within_two_seconds(one: OneNode, rung: list[str]) -> None:
    publish_five_tasks()
    open_five_tasks(one.node, 1)
    rung.clear()
    ticks = []
    for number in range(8):
        if sweep.ring_due(one.node):
            ticks.append(number)
        one.clock.forward(_TICK)
    assert ticks[0] == 0
    assert all(later - earlier <= 3 for earlier, later in pairwise(ticks))
    assert set(rung) == {"advance"}


def test_a_clock_that_is_set_back_an_hour_holds_nothing_up(one: OneNode, rung: list[str]) -> None:
    publish_five_tasks()
    open_five_tasks(one.node, 2)
    sweep.ring_due(one.node)
    hour = timedelta(hours=1) // timedelta(microseconds=1)
    for column in ("ready_at", "hinted_at"):
        sql.execute(f"UPDATE instance SET {column} = {column} + %s", [hour])
    assert advance.drain_transitions(one.node, budget=BUDGET).done == 0
    rung.clear()
    assert sweep.ring_due(one.node) == 2
    assert rung == ["advance", "advance"]
    assert advance.drain_transitions(one.node, budget=BUDGET).done == 2


def test_a_retry_that_waits_its_second_is_left_alone(one: OneNode, rung: list[str]) -> None:
    publish_five_tasks()
    open_five_tasks(one.node, 1)
    second = timedelta(seconds=1) // timedelta(microseconds=1)
    sql.execute("UPDATE instance SET ready_at = ready_at + %s", [second])
    assert sweep.ring_due(one.node) == 0
    assert advance.drain_transitions(one.node, budget=BUDGET).done == 0
