"""The main job on one node: sealed containers between co-hosted agencies, from start to end."""

from __future__ import annotations

from datetime import timedelta

from dossier.model import Business, MessageState
from storage import cases, documents, history, inbox, incidents, outbox
from tests.builders.exchange import OneNode

HOA_BINH = "000.00.00.H28"
BINH_DINH = "000.00.00.H08"
COMMUNE = "000.31.01.H08"
TAX = "000.08.52.G12"


def test_letter_is_answered_and_both_sides_close(one: OneNode) -> None:
    code = one.send_letter()
    assert set(one.sides(code)) == {HOA_BINH, BINH_DINH}
    one.answer_letter(code)
    one.close_letter(code)
    sides = one.sides(code)
    assert not sides[HOA_BINH].is_open
    assert not sides[BINH_DINH].is_open
    assert sides[HOA_BINH].business is Business.DELIVERED
    assert incidents.count_open() == 0


def test_units_work_in_parallel(one: OneNode) -> None:
    code = one.send_letter()
    one.do("bd.vanthu", code, "register_letter")
    one.do("bd.lanhdao", code, "assign_units", {"instruction": "Giao các đơn vị."})
    assert set(one.open_tasks(code)) == {
        "contribute_service_centre",
        "contribute_ioc",
        "contribute_home_affairs",
    }


def test_letter_arrives_with_the_leaders_signature(one: OneNode) -> None:
    code = one.send_letter()
    received = documents.latest(one.sides(code)[BINH_DINH].id, "letter")
    assert received is not None
    assert len(received.signatures) == 1


def test_only_declared_values_travel(one: OneNode) -> None:
    code = one.send_letter()
    received = cases.values(one.sides(code)[BINH_DINH].id)
    assert received["delegation_size"] == 12
    assert received["letter_number"] == "1/UBND-NC"
    assert "letter_body" not in received


def test_reply_names_the_letter_it_answers(one: OneNode) -> None:
    code = one.send_letter()
    one.answer_letter(code)
    sides = one.sides(code)
    letter = outbox.of_dossier(sides[HOA_BINH].id)[0].message
    reply = inbox.of_dossier(sides[HOA_BINH].id)[0].envelope
    assert reply.in_reply_to is not None
    assert reply.in_reply_to.message_id == letter.message_id
    assert reply.in_reply_to.container_sha256 == letter.container_sha256


def test_tax_office_answers(one: OneNode) -> None:
    code = one.start_business()
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101567890"})
    assert "enter_tax_code" not in one.open_tasks(code)
    one.finish_business(code)
    sides = one.sides(code)
    assert not sides[COMMUNE].is_open
    assert cases.values(sides[COMMUNE].id)["tax_code"] == "4101567890"


def test_silent_tax_office_gives_the_task_to_a_person(one: OneNode) -> None:
    code = one.start_business()
    assert "enter_tax_code" not in one.open_tasks(code)
    one.later(timedelta(seconds=21))
    one.do(
        "tp.kinhte",
        code,
        "enter_tax_code",
        {"tax_code": "4101567891", "tax_contact_note": "Đã gọi điện."},
    )
    one.finish_business(code)
    assert not one.sides(code)[COMMUNE].is_open


def test_late_answer_is_kept_and_has_no_effect(one: OneNode) -> None:
    code = one.start_business()
    one.later(timedelta(seconds=21))
    one.do(
        "tp.kinhte",
        code,
        "enter_tax_code",
        {"tax_code": "4101567891", "tax_contact_note": "Đã gọi điện."},
    )
    one.finish_business(code)
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101000000"})
    commune = one.sides(code)[COMMUNE]
    late = inbox.of_dossier(commune.id)
    assert [message.state for message in late] == [MessageState.CORRELATED]
    assert cases.values(commune.id)["tax_code"] == "4101567891"


def test_history_has_no_gap(one: OneNode) -> None:
    code = one.send_letter()
    for side in one.sides(code).values():
        numbers = [entry.sequence for entry in history.of_dossier(side.id)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers
