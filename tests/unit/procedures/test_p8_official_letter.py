"""P8: an official letter and its reply, with both provinces in one play."""

from __future__ import annotations

import pytest

from dossier.canonical import Json
from tests.builders.procedures import MORNING, play
from workflows.play import Play
from workflows.scenario_errors import PlayRefused

LETTER: dict[str, Json] = {
    "letter_subject": "V/v nghiên cứu, học tập kinh nghiệm tại tỉnh Bình Định",
    "letter_body": "Đề nghị được học tập mô hình Trung tâm Phục vụ hành chính công.",
    "visit_from": "2022-04-18",
    "visit_to": "2022-04-20",
    "delegation_size": 12,
    "letter_signer_title": "KT. CHỦ TỊCH – PHÓ CHỦ TỊCH",
    "letter_signer_name": "Nguyễn Văn Thành",
}
REPLY = {
    "reply_subject": "V/v tiếp đoàn công tác tỉnh Hòa Bình",
    "reply_body": "Ủy ban nhân dân tỉnh Bình Định trân trọng kính mời đoàn đến làm việc.",
    "agreed_from": "2022-04-18",
    "agreed_to": "2022-04-20",
    "reply_signer_title": "KT. CHỦ TỊCH – PHÓ CHỦ TỊCH",
    "reply_signer_name": "Lâm Hải Giang",
}
CONTRIBUTIONS = {
    "contribute_service_centre": {"service_centre_contribution": "Giới thiệu mô hình Trung tâm"},
    "contribute_ioc": {
        "online_services_contribution": "Dịch vụ công mức độ 3, 4",
        "ioc_contribution": "Trung tâm điều hành thông minh",
    },
    "contribute_home_affairs": {"reception_contribution": "Lịch đón đoàn"},
}


def _sent() -> Play:
    """Return a play in which the letter has just arrived."""
    found = play("p8_official_letter")
    found.start("sender", values={"subject": "Học tập kinh nghiệm"})
    found.complete("draft_letter", values=LETTER)
    found.complete("sign_letter")
    found.complete("number_letter")
    return found


def _answered(order: tuple[str, ...] = tuple(CONTRIBUTIONS)) -> Play:
    """Return a play in which the reply has just come back."""
    found = _sent()
    found.complete("register_letter")
    found.complete("assign_units", values={"instruction": "Giao các đơn vị chuẩn bị"})
    for element in order:
        found.complete(element, values=CONTRIBUTIONS[element])
    found.complete("draft_reply", values=REPLY)
    found.complete("sign_reply")
    found.complete("number_reply")
    return found


def test_the_letter_goes_out_and_both_sides_close() -> None:
    found = _answered()
    assert found.runs["receiver"].outcome == "completed"
    found.complete("register_reply")
    found.complete("acknowledge_reply", values={"reply_judgement": "complete"})
    assert found.runs["sender"].outcome == "terminated"
    assert found.runs["sender"].status == 10
    assert [one.message_type for one in found.sent] == ["letter", "reply"]
    assert found.undelivered == ()


def test_the_number_of_the_letter_travels_with_it() -> None:
    found = _sent()
    assert found.sent[0].values["letter_number"] == "1/UBND-NC"
    assert found.runs["receiver"].values["letter_number"] == "1/UBND-NC"
    assert found.sent[0].documents == ("letter",)


def test_each_side_keeps_its_own_numbers() -> None:
    found = _answered()
    assert found.runs["sender"].values["letter_number"] == "1/UBND-NC"
    assert found.runs["sender"].values["reply_number"] == "1/UBND-NC"
    found.complete("register_reply")
    assert found.runs["sender"].numbers == {"outgoing": 1, "incoming": 1}
    assert found.runs["receiver"].numbers == {"incoming": 1, "outgoing": 1}


@pytest.mark.parametrize("last", list(CONTRIBUTIONS))
def test_three_units_work_in_parallel_in_any_order(last: str) -> None:
    found = _sent()
    found.complete("register_letter")
    found.complete("assign_units", values={"instruction": "Giao các đơn vị chuẩn bị"})
    assert set(CONTRIBUTIONS) <= set(found.open_elements())
    for element in [one for one in CONTRIBUTIONS if one != last]:
        found.complete(element, values=CONTRIBUTIONS[element])
        assert "draft_reply" not in found.open_elements()
    found.complete(last, values=CONTRIBUTIONS[last])
    assert found.open_elements() == ("draft_reply",)


def test_nothing_leaves_before_the_leader_has_signed() -> None:
    found = play("p8_official_letter")
    found.start("sender")
    found.complete("draft_letter", values=LETTER)
    assert found.open_elements() == ("sign_letter",)
    _, task = found.open_task("sign_letter")
    assert (task.sign, task.sign_documents, task.assign.role) == ("approved", ("letter",), "leader")
    assert found.sent == []


def test_a_late_reply_is_reminded_once_and_still_taken() -> None:
    found = _sent()
    found.forward("5wd")
    assert "remind_receiver" in found.open_elements()
    found.forward("5wd")
    assert found.open_elements().count("remind_receiver") == 1
    found.complete(
        "remind_receiver", values={"reminder_channel": "phone", "reminder_note": "Đã gọi"}
    )
    assert found.runs["sender"].outcome == ""
    found.complete("register_letter")
    found.complete("assign_units", values={"instruction": "Giao các đơn vị chuẩn bị"})
    for element, values in CONTRIBUTIONS.items():
        found.complete(element, values=values)
    found.complete("draft_reply", values=REPLY)
    found.complete("sign_reply")
    found.complete("number_reply")
    found.complete("register_reply")
    found.complete("acknowledge_reply", values={"reply_judgement": "partial"})
    assert found.runs["sender"].outcome == "terminated"


def test_closing_withdraws_an_open_reminder() -> None:
    found = _sent()
    found.forward("5wd")
    found.receive("reply", values={"reply_number": "9/UBND-NC", "reply_subject": "Trả lời"})
    found.complete("register_reply")
    found.complete("acknowledge_reply", values={"reply_judgement": "complete"})
    assert found.runs["sender"].tasks == {}
    assert found.runs["sender"].timers == {}


def test_the_reminder_falls_due_after_five_working_days() -> None:
    found = _sent()
    due = found.next_due()
    assert due is not None
    # From Tuesday 5 April: the 11th is the day off in lieu of the Hung Kings' day.
    assert f"{due.astimezone(MORNING.tzinfo):%Y-%m-%d %H:%M}" == "2022-04-13 17:30"


@pytest.mark.parametrize(
    "change", [{"letter_subject": "x" * 301}, {"delegation_size": "many"}, {"surprise": "x"}]
)
def test_a_draft_that_does_not_fit_its_form_is_refused(change: dict[str, Json]) -> None:
    found = play("p8_official_letter")
    found.start("sender")
    with pytest.raises(PlayRefused):
        found.complete("draft_letter", values={**LETTER, **change})
    assert found.open_elements() == ("draft_letter",)
