"""Work changes hands: to a colleague, to the leaders, to named people; with a reason, on record."""

from __future__ import annotations

from uuid import UUID

import pytest

from dossier.errors import LienThongError
from dossier.model import DeskGroup, HistoryEntry, Task
from exchange import taskhand, taskwork
from exchange.publish import publish
from exchange.queries.desk import desk
from exchange.queries.tasks import open_tasks
from storage import history
from storage import reminders as rows
from tests.builders.exchange import LETTER, OneNode
from tests.builders.procedures import folder

HOA_BINH = "000.00.00.H28"
COMMUNE = "000.31.01.H08"


@pytest.fixture
def numbering(one: OneNode) -> tuple[str, Task]:
    """Return a letter that one of two clerks will number."""
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    return code, one.open_tasks(code)["number_letter"]


def refused(one: OneNode, username: str, task: UUID, *, to: str, reason: str = "Đi họp") -> str:
    """Return the code with which a delegation is refused."""
    with pytest.raises(LienThongError) as caught:
        taskhand.delegate(one.node, one.actor(username), task, to=to, reason=reason)
    return caught.value.code


def entries(one: OneNode, code: str, kind: str) -> list[HistoryEntry]:
    """Return the history entries of a kind."""
    return [e for e in history.of_dossier(one.sides(code)[HOA_BINH].id) if e.kind == kind]


def on_desk(one: OneNode, username: str, element: str) -> bool:
    """Tell whether a task stands on a person's desk."""
    found = desk(one.node, one.actor(username)).rows
    return any(
        row.element_id == element
        for group in (DeskGroup.OVERDUE, DeskGroup.DUE_TODAY, DeskGroup.MINE)
        for row in found[group]
    )


def test_the_holder_gives_a_task_to_a_colleague_who_is_told(
    one: OneNode, numbering: tuple[str, Task]
) -> None:
    code, task = numbering
    taskwork.claim(one.node, one.actor("hb.vanthu"), task.id)
    taskhand.delegate(
        one.node, one.actor("hb.vanthu"), task.id, to="hb.vanthu2", reason=" Đi  họp "
    )
    assert one.open_tasks(code)["number_letter"].claimed_by == "hb.vanthu2"
    entry = entries(one, code, "task_delegated")[0]
    assert (entry.actor, entry.parameters) == (
        "hb.vanthu", {"to": "hb.vanthu2", "reason": "Đi họp"},
    )  # fmt: skip
    assert [note.kind for note in rows.told("hb.vanthu2")] == ["task_delegated"]
    assert rows.told("hb.vanthu") == []
    assert refused(one, "hb.vanthu", task.id, to="hb.vanthu2") == "not_allowed"


def test_a_task_goes_only_to_who_may_do_it_and_with_a_reason(
    one: OneNode, numbering: tuple[str, Task]
) -> None:
    _, task = numbering
    assert refused(one, "hb.vanthu", task.id, to="hb.chuyenvien") == "colleague_refused"
    assert refused(one, "hb.vanthu", task.id, to="nobody") == "colleague_refused"
    assert refused(one, "hb.vanthu", task.id, to="hb.vanthu2", reason=" ") == "reason_needed"
    assert refused(one, "bd.vanthu", task.id, to="hb.vanthu2") == "not_allowed"


def test_a_leader_moves_a_task_that_somebody_holds(
    one: OneNode, numbering: tuple[str, Task]
) -> None:
    code, task = numbering
    taskwork.claim(one.node, one.actor("hb.vanthu"), task.id)
    taskhand.delegate(one.node, one.actor("hb.lanhdao"), task.id, to="hb.vanthu2", reason="Nghỉ ốm")
    assert one.open_tasks(code)["number_letter"].claimed_by == "hb.vanthu2"


def test_the_operator_hands_a_task_over_by_command(
    one: OneNode, numbering: tuple[str, Task]
) -> None:
    code, task = numbering
    assert [line.element_id for line in open_tasks(agency=HOA_BINH)] == ["number_letter"]
    taskhand.hand_over(one.node, task.id, to="hb.vanthu", reason="Không ai nhận")
    (line,) = open_tasks()
    assert line.holder == "hb.vanthu"
    assert entries(one, code, "task_delegated")[0].actor == "operator"
    assert open_tasks(overdue_at=one.node.now()) == []


def test_an_escalated_task_stands_on_the_leaders_desk_and_they_may_do_it(
    one: OneNode, numbering: tuple[str, Task]
) -> None:
    code, task = numbering
    assert not on_desk(one, "hb.lanhdao", "number_letter")
    taskwork.claim(one.node, one.actor("hb.vanthu"), task.id)
    taskhand.escalate(one.node, one.actor("hb.vanthu"), task.id, reason="Sổ bị khóa")
    assert on_desk(one, "hb.lanhdao", "number_letter")
    assert [note.kind for note in rows.told("hb.lanhdao")] == ["task_escalated"]
    assert entries(one, code, "task_escalated")[0].parameters == {"reason": "Sổ bị khóa"}
    one.do("hb.lanhdao", code, "number_letter")
    assert "number_letter" not in one.open_tasks(code)


def test_claiming_and_giving_back_are_on_record(one: OneNode, numbering: tuple[str, Task]) -> None:
    code, task = numbering
    for _ in range(2):  # taking one's own again says nothing new
        taskwork.claim(one.node, one.actor("hb.vanthu"), task.id)
    taskwork.release(one.node, one.actor("hb.vanthu"), task.id)
    assert [entry.actor for entry in entries(one, code, "task_claimed")] == ["hb.vanthu"]
    assert [entry.actor for entry in entries(one, code, "task_released")] == ["hb.vanthu"]


def test_named_candidates_are_the_only_ones(one: OneNode) -> None:
    files = dict(folder("p6_household_business"))
    model = files["process.bpmn"].decode()
    before, mark, after = model.partition('<bpmn:userTask id="check_application"')
    after = after.replace(
        '<lt:assign role="specialist" />', '<lt:assign users="tp.vanthu,tp.lanhdao" />', 1
    )
    declared = files["procedure.toml"].decode().replace('version = "1"', 'version = "2"')
    files["process.bpmn"] = (before + mark + after).encode()
    files["procedure.toml"] = declared.replace("2022-01-01", "2022-01-02", 1).encode()
    publish(files, at=one.node.now(), proposed_by="bd.quantri1", confirmed_by="bd.quantri2")
    with pytest.raises(LienThongError) as caught:
        one.start_business()  # in which the specialist checks
    assert caught.value.code == "not_allowed"
    assert on_desk(one, "tp.vanthu", "check_application")
    assert not on_desk(one, "tp.kinhte", "check_application")
