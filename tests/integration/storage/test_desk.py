"""The desk: the right groups, for the right person, by two statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dossier.model import DeskGroup, Role, RoleBinding
from storage import dossiers, instances, subscriptions, tasks
from storage.desk import DeskQuery, desk
from storage.transactions import transaction
from tests.builders.storage import AT, CONTRACT, RECEIVER, SALT, SENDER, dossier, task

pytestmark = pytest.mark.usefixtures("database")
QUERY = DeskQuery(
    username="an",
    bindings=(RoleBinding(agency=SENDER, role=Role.SPECIALIST, unit="it"),),
    now=AT,
    day_end=AT + timedelta(hours=8),
    limit=20,
)


def _instance(code: str) -> tuple[UUID, tuple[object, ...]]:
    of = dossier(code=code)
    dossiers.add(of, log_salt=SALT)
    made = instances.NewInstance(
        id=uuid4(),
        dossier=of.id,
        agency=SENDER,
        definition_sha256=CONTRACT,
        role="sender",
        opened=AT,
    )
    instances.add(made)
    return made.id, (of,)


def _task(code: str, **changes: object) -> None:
    instance, (of,) = _instance(code)
    tasks.open_tasks([tasks.NewTask(task=replace(task(of, instance), **changes), locals=None)])  # type: ignore[arg-type]  # the caller's business


def test_tasks_fall_into_groups_by_their_due_instant() -> None:
    _task("late", due=AT - timedelta(hours=1))
    _task("today", due=AT + timedelta(hours=1))
    _task("later", due=AT + timedelta(days=2))
    _task("never")
    found = desk(QUERY)
    codes = {group: [row.code for row in rows] for group, rows in found.rows.items()}
    assert codes == {
        DeskGroup.OVERDUE: ["late"],
        DeskGroup.DUE_TODAY: ["today"],
        DeskGroup.MINE: ["later", "never"],
        DeskGroup.WAITING: [],
    }
    lights = [row.light for rows in found.rows.values() for row in rows]
    assert lights == ["red", "amber", "green", "none"]


def test_others_work_is_not_on_the_desk() -> None:
    _task("other role", role=Role.LEADER)
    _task("other unit", unit="hr")
    _task("taken", claimed_by="ba")
    _task("mine", claimed_by="an", unit="it")
    assert [row.code for row in desk(QUERY).rows[DeskGroup.MINE]] == ["mine"]
    assert desk(replace(QUERY, bindings=())).counts[DeskGroup.MINE] == 0


def test_a_dossier_that_waits_for_an_agency_names_it() -> None:
    instance, _ = _instance("waiting")
    subscriptions.open_subscriptions(
        [
            subscriptions.Subscription(
                instance=instance,
                ref=f"{instance}:9",
                kind=subscriptions.WaitKind.MESSAGE,
                name="study-visit-reply",
                from_agency=RECEIVER,
                agency=SENDER,
                dossier_code="waiting",
                conversation_id=dossier().conversation_id,
                element_id="AwaitReply",
                opened=AT,
            )
        ]
    )
    (row,) = desk(QUERY).rows[DeskGroup.WAITING]
    assert (row.code, row.holder, row.element_id, row.task) == (
        "waiting",
        RECEIVER,
        "AwaitReply",
        None,
    )


def test_a_large_desk_costs_two_statements_and_shows_a_page() -> None:
    with transaction():
        for number in range(300):
            _task(f"H28-{number:04}", due=AT + timedelta(days=1, minutes=number))
    with CaptureQueriesContext(connection) as captured:
        found = desk(QUERY)
    assert len(captured) == 2
    assert found.counts[DeskGroup.MINE] == 300
    assert len(found.rows[DeskGroup.MINE]) == 20
    second = desk(replace(QUERY, offset=20))
    assert second.rows[DeskGroup.MINE][0].code == "H28-0020"
