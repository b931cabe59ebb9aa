"""Claiming and applying: nothing is done twice, nothing that was learned is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from storage import facts, instances, sql
from storage.errors import VersionConflict
from storage.transactions import transaction
from tests.builders.storage import AT, store_instances

pytestmark = pytest.mark.usefixtures("database")
LEASE = timedelta(seconds=5)


def _claim(token: str = "t1", limit: int = 10) -> list[tuple[UUID, int]]:
    claims = instances.claim_ready(owner="w", token=token, lease=LEASE, limit=limit, at=AT)
    return [(claim.instance, claim.attempts) for claim in claims]


def _apply(instance: UUID, *, token: str | None, version: int = 0, done: bool = False) -> None:
    with transaction():
        instances.lock([instance], token=token)
        waiting = facts.unapplied([instance])[instance]
        facts.mark_applied({fact.id: version + 1 for fact in waiting})
        change = instances.InstanceChange(
            id=instance, read_version=version, snapshot=b"state", done=done
        )
        instances.apply([change], token=token, at=AT)


def _learn(instance: UUID, ref: str) -> bool:
    return facts.add(
        facts.NewFact(
            instance=instance,
            kind=facts.FactKind.TASK_COMPLETED,
            ref=ref,
            payload={"x": 1},
            actor="an",
            on_behalf_of="",
            at=AT,
        )
    )


def test_a_claimed_instance_is_not_claimed_again() -> None:
    made = store_instances(3)
    assert sorted(one for one, _ in _claim()) == sorted(made)
    assert _claim("t2") == []


def test_an_applied_step_is_what_is_loaded_next() -> None:
    (instance,) = store_instances()
    _claim()
    _apply(instance, token="t1")
    found = instances.get(instance)
    assert (found.snapshot, found.version, found.attempts) == (b"state", 1, 0)
    assert found.status is instances.InstanceStatus.WAITING
    assert _claim("t2") == []


def test_a_fact_learned_while_the_engine_stepped_keeps_the_instance_ready() -> None:
    (instance,) = store_instances()
    _claim()
    (start,) = facts.unapplied([instance])[instance]
    _learn(instance, "late")
    with transaction():
        facts.mark_applied({start.id: 1})
        change = instances.InstanceChange(id=instance, read_version=0, snapshot=b"s")
        instances.apply([change], token="t1", at=AT)
    assert [one for one, _ in _claim("t2")] == [instance]
    assert [fact.ref for fact in facts.unapplied([instance])[instance]] == ["late"]


def test_a_slow_holder_of_a_lost_lease_cannot_apply() -> None:
    (instance,) = store_instances()
    _claim("slow")
    instances.clear_leases("w")
    _claim("quick")
    _apply(instance, token="quick")
    with pytest.raises(VersionConflict):
        _apply(instance, token="slow")


def test_the_version_alone_fences_a_holder_without_a_token() -> None:
    (instance,) = store_instances()
    _apply(instance, token=None)
    with pytest.raises(VersionConflict):
        _apply(instance, token=None)


def test_a_lost_row_rolls_the_whole_batch_back() -> None:
    one, other = store_instances(2)
    _claim()
    changes = [
        instances.InstanceChange(id=one, read_version=0, snapshot=b"s"),
        instances.InstanceChange(id=other, read_version=7, snapshot=b"s"),
    ]
    with pytest.raises(VersionConflict), transaction():
        instances.apply(changes, token="t1", at=AT)
    assert instances.get(one).version == 0


def test_attempts_count_before_the_work_and_suspects_come_a_few_together_then_alone() -> None:
    store_instances(13)
    assert [attempts for _, attempts in _claim(limit=13)] == [1] * 13
    instances.clear_leases("w")
    assert [attempts for _, attempts in _claim("t2", limit=13)] == [2] * 10
    instances.clear_leases("w")
    rest = [_claim(f"t{number}", limit=13) for number in range(3, 14)]
    assert sorted(attempts for claims in rest for _, attempts in claims) == [2, 2, 2, *[3] * 10]
    assert sorted(map(len, rest)) == [1] * 10 + [3]


def test_a_parked_instance_waits_for_a_person_and_keeps_its_facts() -> None:
    (instance,) = store_instances()
    _claim()
    assert instances.park(instance, token="t1")
    _learn(instance, "meanwhile")
    assert _claim("t2") == []
    assert instances.reopen(instance, at=AT)
    assert _claim("t3") == [(instance, 1)]
    assert len(facts.unapplied([instance])[instance]) == 2


def test_a_done_instance_is_never_ready_again() -> None:
    (instance,) = store_instances()
    _claim()
    _apply(instance, token="t1", done=True)
    _learn(instance, "late")
    assert instances.get(instance).status is instances.InstanceStatus.DONE
    assert _claim("t2") == []


def test_the_same_fact_is_stored_once() -> None:
    (instance,) = store_instances()
    assert _learn(instance, "task:1")
    assert not _learn(instance, "task:1")


def test_a_retry_waits_until_its_time() -> None:
    (instance,) = store_instances()
    _claim()
    instances.retry_later(instance, token="t1", ready_at=AT + timedelta(seconds=1))
    assert _claim("t2") == []
    claims = instances.claim_ready(
        owner="w", token="t3", lease=LEASE, limit=1, at=AT + timedelta(seconds=1)
    )
    assert [claim.attempts for claim in claims] == [2]


def test_hints_keep_their_limit_whatever_the_planner_chooses() -> None:
    store_instances(9)
    joins = ("hashjoin", "mergejoin", "hashagg", "material", "sort") if sql.is_postgresql() else ()
    for name in joins:
        sql.execute(f"SET enable_{name} = off")
    try:
        found = instances.hint_due(at=AT, hinted_before=AT - timedelta(seconds=1), limit=2)
    finally:
        for name in joins:
            sql.execute(f"RESET enable_{name}")
    assert len(found) == 2


def test_hints_come_once_per_interval_and_in_bounds() -> None:
    store_instances(3)
    before = AT - timedelta(seconds=1)
    assert len(instances.hint_due(at=AT, hinted_before=before, limit=2)) == 2
    assert len(instances.hint_due(at=AT, hinted_before=before, limit=2)) == 1
    assert instances.hint_due(at=AT, hinted_before=before, limit=2) == []
    assert instances.backlog(AT).due == 3


def test_two_workers_at_once_share_the_work(in_threads: Callable[..., list[object]]) -> None:
    made = store_instances(40)
    gate = threading.Barrier(2)

    def work(token: str) -> list[UUID]:
        gate.wait()
        taken: list[UUID] = []
        while claimed := _claim(token, limit=5):
            taken += [one for one, _ in claimed]
        return taken

    shares = in_threads(lambda: work("a"), lambda: work("b"))
    taken = [one for share in shares for one in share]  # type: ignore[attr-defined]  # lists
    assert sorted(taken) == sorted(made)
