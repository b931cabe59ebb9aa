"""Transitions: what a batch costs in statements, and that one instance never holds the others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dossier.errors import Rejected
from exchange import advance, stepping
from exchange import record as recording
from exchange.stepping import Stepped
from storage import incidents, instances, sql
from storage.instances import InstanceStatus
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.fivetasks import complete_all, open_five_tasks, publish_five_tasks

# Claiming: 3 with begin and commit. Loading: 3. Recording: 3 reads, 8 writes, begin and commit.
# Then the claim that finds nothing, fresh or suspect: 4.
STATEMENTS = 23


class _Odd(Rejected):
    code = "odd"


@pytest.fixture
def load(one: OneNode) -> OneNode:
    """Return the node with the procedure of five tasks."""
    publish_five_tasks()
    return one


def _open(load: OneNode, count: int) -> list[UUID]:
    """Open dossiers of which each has completed its first task, and return their instances."""
    sql.execute("DELETE FROM task")
    open_five_tasks(load.node, count)
    advance.drain_transitions(load.node, budget=BUDGET)
    complete_all(load.node)
    rows = sql.all_rows("SELECT id FROM instance WHERE status = 'ready' ORDER BY id")
    return [UUID(row[0]) for row in rows]


@pytest.mark.parametrize("count", [2, advance.BATCH])
def test_a_batch_costs_the_same_statements_whatever_its_size(load: OneNode, count: int) -> None:
    _open(load, count)
    with CaptureQueriesContext(connection) as captured:
        assert advance.drain_transitions(load.node, budget=BUDGET).done == count
    assert len(captured) == STATEMENTS


def test_an_instance_that_cannot_be_recorded_is_parked_and_the_others_go_on(
    load: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, *others = _open(load, 3)
    record = recording.record

    def refuse(node: Any, stepped: Stepped, *rest: Any, **keywords: Any) -> None:  # noqa: ANN401 - passed on
        if stepped.instance.id == odd:
            raise _Odd("expected another one")
        record(node, stepped, *rest, **keywords)

    monkeypatch.setattr(advance, "record", refuse)
    assert advance.drain_transitions(load.node, budget=BUDGET).done == 2
    assert instances.get(odd).status is InstanceStatus.INCIDENT
    assert [one.code for one in incidents.open_incidents()] == ["odd"]
    assert all(instances.get(one).status is InstanceStatus.WAITING for one in others)


def test_poison_that_kills_the_process_is_parked_at_last_and_the_others_go_on(
    load: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, *others = _open(load, 3)
    step = stepping.step

    def die(instance: instances.Instance, **keywords: Any) -> Stepped:  # noqa: ANN401 - passed on
        if instance.id == poison:
            raise KeyboardInterrupt  # as good as a kill: nothing after it runs
        return step(instance, **keywords)

    monkeypatch.setattr(advance, "step", die)
    for _ in range(advance.ATTEMPTS + 3):
        try:
            advance.drain_transitions(load.node, budget=BUDGET)
        except KeyboardInterrupt:
            instances.clear_leases(load.node.owner)
    assert instances.get(poison).status is InstanceStatus.INCIDENT
    assert [one.code for one in incidents.open_incidents()] == ["instance_poison"]
    assert all(instances.get(one).status is InstanceStatus.WAITING for one in others)


def test_a_worker_that_lost_its_lease_parks_nothing(load: OneNode) -> None:
    (instance,) = _open(load, 1)
    found = instances.get(instance)
    advance._park(found, token="somebody else's", at=load.node.now(), code="odd")
    assert instances.get(instance).status is InstanceStatus.READY
    assert incidents.open_incidents() == []
