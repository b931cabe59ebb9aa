"""A worker of an older version meets newer state: it leaves it to the newer one, unharmed."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from exchange import advance
from storage import incidents, sql
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.fivetasks import complete_all, open_five_tasks, publish_five_tasks
from workflows import state

LABELS = {"job": "advance", "code": "snapshot_newer"}


@pytest.fixture
def ready(one: OneNode) -> bytes:
    """Return the snapshot of an instance that is ready for its next step."""
    publish_five_tasks()
    sql.execute("DELETE FROM task")
    open_five_tasks(one.node, 1)
    advance.drain_transitions(one.node, budget=BUDGET)
    complete_all(one.node)
    return _stored()


def _stored() -> bytes:
    return bytes(sql.the_row("SELECT snapshot FROM instance")[0])


def _met(one: OneNode) -> float:
    return REGISTRY.get_sample_value("lienthong_drain_failures_total", LABELS) or 0.0


def _drain_anew(one: OneNode, snapshot: bytes) -> int:
    """Drain as a process that has just started, with nothing at hand."""
    sql.execute("UPDATE instance SET snapshot = %s, version = version + 1", (snapshot,))
    return advance.drain_transitions(one.node, budget=BUDGET).done


def test_newer_state_is_left_to_the_newer_worker(one: OneNode, ready: bytes) -> None:
    before = _met(one)
    newer = ready[:3] + bytes([state.VERSION + 1]) + ready[4:]
    for _ in range(advance.ATTEMPTS + 2):
        assert _drain_anew(one, newer) == 0
        one.clock.forward(advance.LEASE)
    row = sql.the_row("SELECT status, attempts, lease_token FROM instance")
    assert (*row, _stored()) == ("ready", 0, "", newer)
    assert incidents.count_open() == 0
    assert _met(one) == before + advance.ATTEMPTS + 2
    assert _drain_anew(one, ready) == 1
