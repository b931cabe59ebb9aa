"""P6: registration of a household business, with the tax office answering, silent and late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dossier.canonical import Json
from tests.builders.procedures import play
from workflows.play import Play
from workflows.scenario_errors import PlayRefused

APPLICATION: dict[str, Json] = {
    "business_name": "Bún chả cá Bà Tám",
    "business_address": "12 Trần Hưng Đạo, phường Lê Lợi",
    "business_lines": "Dịch vụ ăn uống",
    "owner_name": "Trần Thị Tám",
    "owner_id": "052188000123",
    "application_file": "don-de-nghi.pdf",
    "components_complete": True,
}
SIGNER = {"certificate_signer_title": "CHỦ TỊCH", "certificate_signer_name": "Lê Văn Ba"}


def _asked() -> Play:
    """Return a play in which the tax office has just been asked."""
    found = play("p6_household_business")
    found.start("commune")
    found.complete("receive_application", values=APPLICATION)
    found.complete("check_application", values={"check_decision": "approve"})
    return found


def _finish(found: Play) -> None:
    found.complete("check_certificate", values=SIGNER)
    found.complete("sign_certificate")
    found.complete("number_certificate")
    found.complete("return_result", values={"result_receiver": "Bà Tám", "result_form": "desk"})


def test_the_tax_office_answers_and_the_certificate_is_returned() -> None:
    found = _asked()
    assert set(found.open_elements()) == {"assign_tax_code"}
    found.complete("assign_tax_code", values={"tax_code": "4101234567"})
    assert found.runs["tax"].outcome == "completed"
    _finish(found)
    assert (found.runs["commune"].outcome, found.runs["commune"].status) == ("completed", 10)
    assert found.runs["commune"].values["certificate_number"] == "1/GCN-HKD"


def test_the_certificate_is_written_from_the_application() -> None:
    found = _asked()
    found.complete("assign_tax_code", values={"tax_code": "4101234567"})
    values = found.runs["commune"].values
    assert values["certificate_title"] == "GIẤY CHỨNG NHẬN ĐĂNG KÝ HỘ KINH DOANH"
    assert values["certificate_body"] == (
        "Tên hộ kinh doanh: Bún chả cá Bà Tám\n"
        "Chủ hộ: Trần Thị Tám\n"
        "Địa điểm kinh doanh: 12 Trần Hưng Đạo, phường Lê Lợi\n"
        "Ngành, nghề: Dịch vụ ăn uống\n"
        "Mã số thuế: 4101234567"
    )


def test_a_silent_tax_office_makes_a_task_and_the_clock_keeps_running() -> None:
    found = _asked()
    due = found.next_due()
    assert due is not None and due - found.clock.at == timedelta(seconds=20)
    found.forward("PT20S")
    assert "enter_tax_code" in found.open_elements()
    assert found.runs["commune"].pauses == {}
    found.complete(
        "enter_tax_code",
        values={"tax_code": "4107654321", "tax_contact_note": "Ông An, điện thoại"},
    )
    _finish(found)
    assert found.runs["commune"].outcome == "completed"


def test_an_answer_in_time_withdraws_the_timer() -> None:
    found = _asked()
    found.complete("assign_tax_code", values={"tax_code": "4101234567"})
    assert found.next_due() is None
    found.forward("1wd")
    assert "enter_tax_code" not in found.open_elements()


def test_a_late_answer_is_kept_and_changes_nothing() -> None:
    found = _asked()
    found.forward("PT20S")
    found.complete("assign_tax_code", values={"tax_code": "4101234567"})
    assert [one.message_type for one in found.quiet.late] == ["tax-code"]
    assert "enter_tax_code" in found.open_elements()


def test_an_application_that_does_not_pass_is_refused_with_its_reason() -> None:
    found = play("p6_household_business")
    found.start("commune")
    found.complete("receive_application", values=APPLICATION)
    found.complete(
        "check_application",
        values={"check_decision": "refuse", "check_reason": "Ngành nghề cấm kinh doanh"},
    )
    found.complete(
        "announce_refusal", values={"refusal_reason": "Ngành nghề thuộc danh mục cấm kinh doanh"}
    )
    assert (found.runs["commune"].outcome, found.runs["commune"].status) == ("completed", 3)
    assert found.sent == []


def test_statuses_follow_the_case() -> None:
    found = play("p6_household_business")
    seen = []
    found.start("commune")
    seen.append(found.runs["commune"].status)
    found.complete("receive_application", values=APPLICATION)
    seen.append(found.runs["commune"].status)
    found.complete("check_application", values={"check_decision": "approve"})
    seen.append(found.runs["commune"].status)
    found.complete("assign_tax_code", values={"tax_code": "4101234567"})
    found.complete("check_certificate", values=SIGNER)
    found.complete("sign_certificate")
    found.complete("number_certificate")
    seen.append(found.runs["commune"].status)
    assert seen == [1, 2, 4, 9]


def test_the_application_travels_to_the_tax_office() -> None:
    found = _asked()
    (sent,) = found.sent
    assert sent.documents == ("application",)
    assert set(sent.values) == {
        "business_name", "business_address", "business_lines", "owner_name", "owner_id",
    }  # fmt: skip
    assert "application" in found.runs["tax"].documents


def test_an_application_without_its_document_is_not_received() -> None:
    found = play("p6_household_business")
    found.start("commune")
    values = {name: value for name, value in APPLICATION.items() if name != "application_file"}
    with pytest.raises(PlayRefused):
        found.complete("receive_application", values=values)
    assert found.runs["commune"].documents == frozenset()


def test_a_mock_tax_office_is_enough() -> None:
    found = play("p6_household_business", "commune")
    found.start("commune")
    found.complete("receive_application", values=APPLICATION)
    found.complete("check_application", values={"check_decision": "approve"})
    found.receive("tax-code", values={"tax_code": "4101234567"})
    assert found.open_elements() == ("check_certificate",)
