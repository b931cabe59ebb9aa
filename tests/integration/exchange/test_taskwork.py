"""Tasks and people: one of two clicks wins, numbers have no gaps, roles decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from dossier.errors import LienThongError
from dossier.ids import parse_agency_code
from dossier.model import Task
from dossier.rule_errors import FormRefused
from exchange import accounts, submit, taskwork
from exchange.absences import Absence
from exchange.queries.desk import desk
from storage import cases, documents, dossiers, history
from tests.builders.exchange import LETTER, SUBJECT, OneNode

HOA_BINH = "000.00.00.H28"
Together = Callable[..., list[object]]


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the error that the call raises, or nothing."""
    try:
        call()
    except LienThongError as exc:
        return exc.code
    return ""


def test_second_claimer_learns_who_holds_the_task(one: OneNode) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    task = one.open_tasks(code)["number_letter"]
    taskwork.claim(one.node, one.actor("hb.vanthu"), task.id)
    with pytest.raises(LienThongError) as caught:
        taskwork.claim(one.node, one.actor("hb.vanthu2"), task.id)
    assert caught.value.code == "task_taken"
    assert caught.value.parameters["holder"] == "hb.vanthu"
    taskwork.release(one.node, one.actor("hb.vanthu"), task.id)
    taskwork.claim(one.node, one.actor("hb.vanthu2"), task.id)


def test_of_two_people_completing_one_task_the_second_gets_a_conflict(
    one: OneNode, in_threads: Together
) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    task = one.open_tasks(code)["number_letter"]

    def complete(username: str) -> Callable[[], str]:
        actor = one.actor(username)
        return lambda: code_of(lambda: taskwork.complete(one.node, actor, task.id, submitted={}))

    codes = in_threads(complete("hb.vanthu"), complete("hb.vanthu2"))
    assert sorted(map(str, codes)) == ["", "task_closed"]
    one.drain()
    assert cases.values(one.sides(code)[HOA_BINH].id)["letter_number"] == "1/UBND-NC"


def test_two_clerks_at_once_get_neighbouring_numbers(one: OneNode, in_threads: Together) -> None:
    codes = [one.start_letter() for _ in range(2)]
    for code in codes:
        one.do("hb.chuyenvien", code, "draft_letter", LETTER)
        one.do("hb.lanhdao", code, "sign_letter")
    tasks = [one.open_tasks(code)["number_letter"] for code in codes]

    def complete(username: str, at: int) -> Callable[[], str]:
        actor = one.actor(username)
        return lambda: code_of(
            lambda: taskwork.complete(one.node, actor, tasks[at].id, submitted={})
        )

    assert in_threads(complete("hb.vanthu", 0), complete("hb.vanthu2", 1)) == ["", ""]
    one.drain()
    numbers = {str(cases.values(one.sides(code)[HOA_BINH].id)["letter_number"]) for code in codes}
    assert numbers == {"1/UBND-NC", "2/UBND-NC"}


def test_wrong_pin_changes_nothing(one: OneNode) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    task = one.open_tasks(code)["sign_letter"]
    with pytest.raises(LienThongError) as caught:
        taskwork.complete(one.node, one.actor("hb.lanhdao"), task.id, submitted={}, pin="0")
    assert caught.value.code == "pin_refused"
    assert "sign_letter" in one.open_tasks(code)
    letter = documents.latest(one.sides(code)[HOA_BINH].id, "letter")
    assert letter is not None
    assert letter.signatures == ()


def test_form_faults_are_all_named_and_nothing_changes(one: OneNode) -> None:
    code = one.start_letter()
    task = one.open_tasks(code)["draft_letter"]
    wrong = {**LETTER, "letter_subject": "x" * 301, "delegation_size": "many"}
    with pytest.raises(FormRefused) as caught:
        taskwork.complete(one.node, one.actor("hb.chuyenvien"), task.id, submitted=wrong)
    assert {fault.name for fault in caught.value.faults} == {"letter_subject", "delegation_size"}
    assert "draft_letter" in one.open_tasks(code)


@pytest.mark.parametrize("username", ["hb.lanhdao", "hb.vanthu", "bd.vanphong", "thue.canbo"])
def test_task_is_only_for_its_role_at_its_agency(one: OneNode, username: str) -> None:
    code = one.start_letter()
    task = one.open_tasks(code)["draft_letter"]
    with pytest.raises(LienThongError) as caught:
        taskwork.complete(one.node, one.actor(username), task.id, submitted=LETTER)
    assert caught.value.code == "not_allowed"


def test_task_of_a_unit_is_not_for_another_unit(one: OneNode) -> None:
    code = one.send_letter()
    one.do("bd.vanthu", code, "register_letter")
    one.do("bd.lanhdao", code, "assign_units", {"instruction": "Giao các đơn vị."})
    task = one.open_tasks(code)["contribute_ioc"]
    with pytest.raises(LienThongError) as caught:
        taskwork.claim(one.node, one.actor("bd.snv"), task.id)
    assert caught.value.code == "not_allowed"


@pytest.mark.parametrize(
    ("addressee", "expected"),
    [
        ("000.00.00.H15", "addressee_refused"),
        ("000.00.00.H28", "addressee_refused"),
        ("", "addressee_refused"),
    ],
)
def test_letter_needs_another_agency_to_go_to(one: OneNode, addressee: str, expected: str) -> None:
    with pytest.raises(LienThongError) as caught:
        submit.submit(
            one.node,
            one.actor("hb.chuyenvien"),
            procedure="official-letter",
            agency=HOA_BINH,
            subject=SUBJECT,
            addressee=addressee,
        )
    assert caught.value.code == expected


def test_tax_officer_may_not_open_a_letter(one: OneNode) -> None:
    with pytest.raises(LienThongError) as caught:
        submit.submit(
            one.node,
            one.actor("thue.canbo"),
            procedure="official-letter",
            agency=HOA_BINH,
            subject=SUBJECT,
            addressee="000.00.00.H08",
        )
    assert caught.value.code == "not_allowed"


def log_in(one: OneNode, username: str, password: str, address: str = "127.0.0.1") -> str:
    return code_of(
        lambda: accounts.log_in(one.node, username=username, password=password, address=address)
    )


def test_login_is_throttled_for_the_account_even_with_the_right_password(one: OneNode) -> None:
    right = one.logins["hb.vanthu"]["password"]
    wrong = [log_in(one, "hb.vanthu", "wrong", f"127.0.0.{n}") for n in range(accounts.PER_ACCOUNT)]
    assert set(wrong) == {"login_refused"}
    assert log_in(one, "hb.vanthu", right) == "login_throttled"
    one.clock.forward(accounts.WINDOW + timedelta(seconds=1))
    assert log_in(one, "hb.vanthu", right) == ""


def test_login_is_throttled_for_the_address(one: OneNode) -> None:
    for number in range(accounts.PER_ADDRESS):
        log_in(one, f"nobody{number}", "wrong")
    assert log_in(one, "hb.vanthu", one.logins["hb.vanthu"]["password"]) == "login_throttled"


def test_disabled_account_cannot_log_in(one: OneNode) -> None:
    accounts.disable("hb.vanthu")
    assert log_in(one, "hb.vanthu", one.logins["hb.vanthu"]["password"]) == "login_refused"


# --- Substitutes -------------------------------------------------------------------------------


def away(one: OneNode, *, agency: str = HOA_BINH, days: int = 2) -> None:
    """Let the second clerk of Hòa Bình be absent, and a specialist stand in."""
    accounts.note_absence(
        Absence(
            user="hb.vanthu",
            substitute="hb.chuyenvien",
            agency=parse_agency_code(agency),
            valid_from=one.node.now() - timedelta(minutes=1),
            valid_until=one.node.now() + timedelta(days=days),
        )
    )


def number_task(one: OneNode) -> tuple[str, Task]:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    return code, one.open_tasks(code)["number_letter"]


def test_substitute_acts_in_place_of_an_absent_person_and_it_is_written_down(
    one: OneNode,
) -> None:
    away(one)
    code, task = number_task(one)
    substitute = one.actor("hb.chuyenvien")
    assert task.id in {
        row.task for rows in desk(one.node, substitute).rows.values() for row in rows
    }
    taskwork.complete(one.node, substitute, task.id, submitted={})
    one.drain()
    told = history.of_dossier(one.sides(code)[HOA_BINH].id)
    completed = [line for line in told if line.element_id == "number_letter"]
    assert {(line.actor, line.on_behalf_of) for line in completed if line.actor != "system"} == {
        ("hb.chuyenvien", "hb.vanthu")
    }


def test_substitute_has_no_powers_before_after_or_elsewhere(one: OneNode) -> None:
    away(one, agency="000.00.00.H08")
    _code, task = number_task(one)
    substitute = one.actor("hb.chuyenvien")
    assert code_of(lambda: taskwork.claim(one.node, substitute, task.id)) == "not_allowed"
    away(one, days=1)
    taskwork.claim(one.node, substitute, task.id)
    taskwork.release(one.node, substitute, task.id)
    one.clock.forward(timedelta(days=1, seconds=1))
    assert code_of(lambda: taskwork.claim(one.node, substitute, task.id)) == "not_allowed"


def test_nobody_stands_in_for_themselves(one: OneNode) -> None:
    same = Absence(
        user="hb.vanthu",
        substitute="hb.vanthu",
        agency=parse_agency_code(HOA_BINH),
        valid_from=one.node.now(),
        valid_until=one.node.now() + timedelta(days=1),
    )
    assert code_of(lambda: accounts.note_absence(same)) == "absence_refused"


def test_document_of_another_dossier_is_refused(one: OneNode) -> None:
    opened = [
        submit.submit(
            one.node,
            one.actor("tp.motcua"),
            procedure="household-business",
            agency="000.31.01.H08",
            subject="Đăng ký hộ kinh doanh",
        )
        for _ in range(2)
    ]
    one.drain()
    foreign = one.attach("tp.motcua", opened[0], kind="application")
    code = dossiers.get(opened[1]).code
    task = one.open_tasks(code)["receive_application"]
    values = {
        "business_name": "Tạp hóa",
        "business_address": "Phường Trần Phú",
        "business_lines": "Bán lẻ",
        "owner_name": "Chủ hộ",
        "owner_id": "052099000001",
        "application_file": str(foreign),
        "components_complete": "on",
    }
    actor = one.actor("tp.motcua")
    call = code_of(lambda: taskwork.complete(one.node, actor, task.id, submitted=values))
    assert call == "document_unknown"
