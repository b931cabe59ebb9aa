"""Pages on which work changes hands: notices, delegation, escalation, absences, opinions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from dossier.calendar import HERE
from dossier.silence import reminders
from exchange import submit
from exchange.absences import absences_page
from storage import dossiers
from storage import reminders as rows
from tests.builders.exchange import LETTER, OneNode
from tests.builders.portal import Visitor

Enter = Callable[[str], Visitor]


def test_a_reminder_is_shown_on_the_desk_until_it_is_dismissed(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    task = one.open_tasks(code)["sign_letter"]
    assert task.due is not None
    steps = reminders(task.opened, deadline=task.due, calendar=one.node.calendar())
    one.clock.forward_to(steps[0].at)
    one.drain()
    leader = enter("hb.lanhdao")
    shown = leader.get("/desk").having("data-notice")
    assert [item.attributes["data-kind"] for item in shown] == ["task_reminder"]
    assert "50" in shown[0].text
    number = shown[0].attributes["data-notice"]
    assert enter("hb.vanthu").post(f"/notices/{number}/dismiss", {}, page="/desk").status == 404
    assert leader.post(f"/notices/{number}/dismiss", {}, page="/desk").status == 302
    assert leader.get("/desk").having("data-notice") == []


def test_a_task_is_delegated_and_escalated_from_its_page(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    task = one.open_tasks(code)["number_letter"]
    place = f"/tasks/{task.id}"
    clerk = enter("hb.vanthu")
    given = {"colleague": "hb.vanthu2", "reason": "Đi công tác"}
    assert clerk.post(f"{place}/delegate", given, page=place).status == 302
    assert one.open_tasks(code)["number_letter"].claimed_by == "hb.vanthu2"
    other = enter("hb.vanthu2")
    assert "Đi công tác" in other.get("/desk").having("data-notice")[0].text
    assert other.post(f"{place}/escalate", {"reason": " "}, page=place).status == 400
    assert other.post(f"{place}/escalate", {"reason": "Sổ bị khóa"}, page=place).status == 302
    leader = enter("hb.lanhdao")
    assert leader.get("/desk").having("data-element", "number_letter")
    assert "Đi công tác" in clerk.get(f"/dossiers/{task.dossier}").text


def test_who_is_away_says_so_and_ends_it(one: OneNode, enter: Enter) -> None:
    now = one.node.now().astimezone(HERE)
    given = {
        "substitute": "hb.vanthu2",
        "agency": "000.00.00.H28",
        "start": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "end": f"{now + timedelta(days=2):%Y-%m-%dT%H:%M}",
    }
    clerk = enter("hb.vanthu")
    assert (
        clerk.post("/absences", {**given, "substitute": "bd.vanthu"}, page="/absences").status
        == 400
    )
    assert clerk.post("/absences", {**given, "end": "x"}, page="/absences").status == 400
    assert clerk.post("/absences", given, page="/absences").status == 302
    (line,) = absences_page(one.node, one.actor("hb.vanthu2")).lines
    assert (line.user, line.substitute) == ("hb.vanthu", "hb.vanthu2")
    other = enter("hb.vanthu2")
    assert other.post(f"/absences/{line.id}/end", {}, page="/absences").status == 403
    assert clerk.post(f"/absences/{line.id}/end", {}, page="/absences").status == 302
    assert absences_page(one.node, one.actor("hb.vanthu")).lines == ()


def test_only_a_leader_notes_the_absence_of_others(one: OneNode, enter: Enter) -> None:
    given = {
        "user": "hb.vanthu",
        "substitute": "hb.vanthu2",
        "agency": "000.00.00.H28",
        "start": "2030-01-01T08:00",
        "end": "2030-01-05T08:00",
    }
    assert enter("hb.chuyenvien").post("/absences", given, page="/absences").status == 403
    assert enter("hb.lanhdao").post("/absences", given, page="/absences").status == 302


def test_the_dossier_shows_who_was_asked_who_was_silent_and_the_late_opinion(
    one: OneNode, enter: Enter
) -> None:
    code = one.start_business()
    person = enter("tp.kinhte")
    side = one.sides(code)["000.31.01.H08"]
    page = f"/dossiers/{side.id}"
    (row,) = person.get(page).having("data-consulted")
    assert row.attributes["data-state"] == "waiting"
    one.later(timedelta(seconds=30))
    assert person.get(page).having("data-consulted")[0].attributes["data-state"] == "silent"
    assert "silence_fell" in [note.kind for note in rows.told("tp.lanhdao")]
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101234567"})
    reply = person.get(page)
    assert reply.having("data-consulted")[0].attributes["data-state"] == "late"
    assert [one.text for one in reply.having("data-value", "tax_code")] == ["4101234567"]
    assert "1/1" in reply.text


def test_agencies_consulted_by_a_part_are_a_matrix_and_what_the_dossier_waits_for(
    one: OneNode, enter: Enter
) -> None:
    opened = submit.submit(
        one.node,
        one.actor("bd.phoihop"),
        procedure="investment-policy",
        agency="000.00.14.H08",
        subject="Nhà máy chế biến gỗ",
    )
    one.drain()
    code = dossiers.get(opened).code
    proposal = one.attach("bd.phoihop", opened, kind="proposal")
    values = {
        "project_name": "Nhà máy chế biến gỗ",
        "project_place": "Phú Tài",
        "investor_name": "Công ty Gỗ Việt",
        "investment_vnd": "350000000000",
        "proposal_file": str(proposal),
        "components_complete": "on",
    }
    one.do("bd.phoihop", code, "receive_proposal", values)
    one.do("bd.phoihop", code, "plan_consultation", {"consultation_note": "Cho ý kiến"})
    opinion = {"opinion_environment": "conditional", "opinion_environment_note": "Lập ĐTM"}
    one.do("bd.phoihop", code, "opine_environment", opinion)
    page = enter("bd.phoihop").get(f"/dossiers/{opened}")
    states = [line.attributes["data-state"] for line in page.having("data-consulted")]
    assert sorted(states) == ["answered"] + ["waiting"] * 7
    said = [line.text for line in page.having("data-value", "opinion_environment")]
    assert said == ["Đồng ý có điều kiện"] * 2  # in the matrix and among the values
    assert "350.000.000.000" in page.text
    assert "Hồ sơ đang ở bước: Lấy ý kiến" in page.text
    desk = enter("bd.phoihop").get("/desk").text
    assert "và 6 cơ quan khác" in desk
