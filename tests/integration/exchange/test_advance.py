"""Transitions: what a batch costs in statements, and that one instance never holds the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dossier.errors import Rejected
from exchange import advance, correlate, doorbell, stepping
from exchange import record as recording
from exchange.drained import MOST_BELLS
from exchange.stepping import Stepped
from exchange.wiring import build
from storage import incidents, instances, sql
from storage.errors import StorageUnavailable
from storage.instances import InstanceStatus
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.fivetasks import complete_all, open_five_tasks, publish_five_tasks

# Claiming: 3 with begin and commit. Loading: 2, the instances are at hand. Recording: 3 reads,
# 8 writes, begin and commit. Then the claim that finds nothing: 3.
STATEMENTS = 21


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


def test_a_kept_instance_is_used_in_its_own_version_only(
    load: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    _open(load, 2)
    asked: list[int] = []
    read = instances.load

    def counted(ids: Sequence[UUID]) -> dict[UUID, instances.Instance]:
        asked.append(len(ids))
        return read(ids)

    monkeypatch.setattr(instances, "load", counted)
    # Another process advances both: what is kept here is of an older version.
    other = build(load.node.settings, clock=load.clock)
    advance.drain_transitions(other, budget=BUDGET)
    complete_all(load.node)
    assert advance.drain_transitions(load.node, budget=BUDGET).done == 2
    complete_all(load.node)
    assert advance.drain_transitions(load.node, budget=BUDGET).done == 2
    assert asked == [2, 2, 0]


def test_what_was_rolled_back_is_not_kept(load: OneNode, monkeypatch: pytest.MonkeyPatch) -> None:
    (instance,) = _open(load, 1)
    with monkeypatch.context() as patch:
        patch.setattr(correlate, "wake", _fail)
        advance.drain_transitions(load.node, budget=BUDGET)
    claim = instances.Claim(instance=instance, version=2, attempts=1)
    assert load.node.kept.take([claim]) == {}
    load.clock.forward(timedelta(seconds=2))
    assert advance.drain_transitions(load.node, budget=BUDGET).done == 1
    assert set(load.node.kept.take([claim])) == {instance}


def test_of_many_bells_in_one_commit_a_few_ring(
    load: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    _open(load, 5)
    monkeypatch.setattr(doorbell, "ring", lambda job, _identifier: rung.append(job))
    assert advance.drain_transitions(load.node, budget=BUDGET).done == 5
    assert rung == ["deliver"] * MOST_BELLS


def _fail(*_: object, **__: object) -> None:
    raise StorageUnavailable("expected an answer of the database, got none", detail="gone")
