"""Reminders: three, each once, to who acts and to who leads; a pause moves them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dossier.model import Task
from dossier.silence import Reminder, reminders
from exchange import submit
from storage import dossiers, history
from storage import reminders as rows
from storage.reminders import Notice
from tests.builders.exchange import LETTER, OneNode

HOA_BINH = "000.00.00.H28"
COMMUNE = "000.31.01.H08"


def waiting_for_a_signature(one: OneNode) -> tuple[str, Task]:
    """Return a letter that waits for its leader."""
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    return code, one.open_tasks(code)["sign_letter"]


def steps_of(one: OneNode, task: Task) -> tuple[Reminder, ...]:
    """Return when a task is due for its reminders."""
    assert task.due is not None
    return reminders(task.opened, deadline=task.due, calendar=one.node.calendar())


def about(task: Task, username: str) -> list[Notice]:
    """Return what a person was told about a task, oldest first."""
    found = [one for one in rows.told(username) if one.task == task.id]
    return sorted(found, key=lambda one: one.id)


def percents(task: Task, username: str) -> list[object]:
    """Return the percents of the reminders that a person got about a task."""
    return [(one.parameters or {}).get("percent") for one in about(task, username)]


def test_half_four_fifths_and_all_of_the_time_each_once(one: OneNode) -> None:
    code, task = waiting_for_a_signature(one)
    for number, step in enumerate(steps_of(one, task), start=1):
        one.clock.forward_to(step.at - timedelta(seconds=1))
        one.drain()
        assert percents(task, "hb.lanhdao") == [50, 80, 100][: number - 1]
        one.clock.forward_to(step.at)
        one.drain()
        one.drain()
        assert percents(task, "hb.lanhdao") == [50, 80, 100][:number]
    given = [
        entry
        for entry in history.of_dossier(one.sides(code)[HOA_BINH].id)
        if entry.kind == "reminder_given" and entry.element_id == "sign_letter"
    ]
    assert [entry.parameters["percent"] for entry in given] == [50, 80, 100]


def test_who_acts_and_who_leads_are_told_and_nobody_else(one: OneNode) -> None:
    code = one.start_letter()
    task = one.open_tasks(code)["draft_letter"]
    one.clock.forward_to(steps_of(one, task)[0].at)
    one.drain()
    assert percents(task, "hb.chuyenvien") == [50]
    assert percents(task, "hb.lanhdao") == [50]
    assert about(task, "hb.vanthu") == []
    assert about(task, "bd.lanhdao") == []


def test_a_finished_task_reminds_nobody_and_its_notices_are_gone(one: OneNode) -> None:
    code, task = waiting_for_a_signature(one)
    one.clock.forward_to(steps_of(one, task)[0].at)
    one.later(timedelta())
    assert percents(task, "hb.lanhdao") == [50]
    one.do("hb.lanhdao", code, "sign_letter")
    assert about(task, "hb.lanhdao") == []
    one.clock.forward(timedelta(days=30))
    one.drain()
    assert about(task, "hb.lanhdao") == []


def test_what_was_missed_while_the_node_was_down_is_given_at_once(one: OneNode) -> None:
    _, task = waiting_for_a_signature(one)
    one.clock.forward_to(steps_of(one, task)[2].at + timedelta(days=3))
    one.drain()
    assert percents(task, "hb.lanhdao") == [50, 80, 100]


def test_a_person_dismisses_their_own_notice_only(one: OneNode) -> None:
    _, task = waiting_for_a_signature(one)
    one.clock.forward_to(steps_of(one, task)[0].at)
    one.drain()
    notice = about(task, "hb.lanhdao")[0]
    assert not rows.dismiss("hb.vanthu", notice.id, at=one.node.now())
    assert rows.dismiss("hb.lanhdao", notice.id, at=one.node.now())
    assert about(task, "hb.lanhdao") == []


@pytest.fixture
def supplemented(one: OneNode) -> str:
    """Return an application that waits for a supplement: its clock stands still."""
    opened = submit.submit(
        one.node,
        one.actor("tp.motcua"),
        procedure="household-business",
        agency=COMMUNE,
        subject="Đăng ký hộ kinh doanh",
    )
    one.drain()
    code = dossiers.get(opened).code
    document = one.attach("tp.motcua", opened, kind="application")
    one.do(
        "tp.motcua",
        code,
        "receive_application",
        {
            "business_name": "Tạp hóa",
            "business_address": "Phường Trần Phú",
            "business_lines": "Bán lẻ",
            "owner_name": "Chủ hộ",
            "owner_id": "052099000001",
            "application_file": str(document),
            "components_complete": "on",
        },
    )
    one.do("tp.kinhte", code, "check_application", {"check_decision": "supplement"})
    return code


def test_a_pause_holds_the_dossiers_reminders_and_moves_its_due_instant(
    one: OneNode, supplemented: str
) -> None:
    held = one.sides(supplemented)[COMMUNE]
    assert held.due is not None
    one.clock.forward(timedelta(days=20))
    one.drain()
    told = [note for note in rows.told("tp.lanhdao") if note.kind == "case_reminder"]
    assert told == []
    one.do("tp.motcua", supplemented, "await_supplement", {"supplement_received": "Đã nộp đủ"})
    moved = dossiers.get(held.id).due
    assert moved is not None
    assert moved > held.due
    one.clock.forward_to(moved)
    one.drain()
    told = [note for note in rows.told("tp.lanhdao") if note.kind == "case_reminder"]
    assert {(note.parameters or {})["percent"] for note in told} == {50, 80, 100}
