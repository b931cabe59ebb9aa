"""The pages of the main job: desk, dossier, task, documents, evidence, verify."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.errors import PartnerUnavailable
from dossier.wire import SendHints
from exchange import submit
from storage.errors import StorageFull
from tests.builders.exchange import LETTER, SUBJECT, OneNode
from tests.builders.portal import Reply, Visitor
from tests.integration.portal.conftest import Enter

HOA_BINH = "000.00.00.H28"
PERSON = "hb.chuyenvien"
PDF = b"%PDF-1.4\n%%EOF\n"


class Away:
    """A partner that does not answer."""

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        raise PartnerUnavailable("expected an answer")


def task_of(person: Visitor, element: str) -> str:
    return person.get("/desk").having("data-element", element)[0].attributes["data-task"]


def address(one: OneNode, code: str) -> str:
    return f"/dossiers/{one.sides(code)[HOA_BINH].id}"


def root(page: Reply) -> dict[str, str]:
    return page.having("data-open")[0].attributes


def test_opening_a_dossier_leads_to_its_page(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    given = {"procedure": f"official-letter@{HOA_BINH}", "subject": SUBJECT}
    opened = person.post("/dossiers/new", {**given, "addressee": "H08"}, page="/dossiers/new")
    page = person.get(opened.headers["Location"])
    assert root(page)["data-open"] == "true"
    assert "đang được xử lý" in page.text
    one.drain()
    page = person.get(opened.headers["Location"])
    assert page.having("data-task")[0].attributes["data-element"] == "draft_letter"
    assert "đang được xử lý" not in page.text


def test_opening_without_addressee_keeps_the_subject(enter: Enter) -> None:
    given = {"procedure": f"official-letter@{HOA_BINH}", "subject": SUBJECT, "addressee": ""}
    refused = enter(PERSON).post("/dossiers/new", given, page="/dossiers/new")
    assert refused.status == 400
    assert refused.alerts()
    assert refused.having("id", "subject")[0].text == SUBJECT


def test_desk_rows_carry_what_a_person_acts_on(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    row = enter(PERSON).get("/desk").having("data-element", "draft_letter")[0].attributes
    assert row["data-code"] == code
    assert row["data-dossier"] == str(one.sides(code)[HOA_BINH].id)
    assert row["data-task"] == str(one.open_tasks(code)["draft_letter"].id)


def test_refused_form_keeps_every_value_and_names_every_field(one: OneNode, enter: Enter) -> None:
    one.start_letter()
    person = enter(PERSON)
    task = task_of(person, "draft_letter")
    given = {**LETTER, "letter_subject": "x" * 400, "delegation_size": "mười"}
    refused = person.post(f"/tasks/{task}/complete", given, page=f"/tasks/{task}")
    assert refused.status == 400
    assert "Số mục cần sửa: 2" in refused.alerts()
    for name in ("letter_subject", "delegation_size"):
        field = refused.having("name", name)[0].attributes
        assert field["value"] == given[name]
        assert field["aria-invalid"] == "true"
        fault = field["aria-describedby"].split()[-1]
        assert refused.having("id", fault)[0].text
        assert refused.having("href", f"#{field['id']}")
    assert refused.having("name", "letter_body")[0].text == LETTER["letter_body"]


def test_wrong_pin_is_said_at_its_field_and_never_echoed(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do(PERSON, code, "draft_letter", LETTER)
    leader = enter("hb.lanhdao")
    task = task_of(leader, "sign_letter")
    refused = leader.post(f"/tasks/{task}/complete", {"pin": "000111"}, page=f"/tasks/{task}")
    assert refused.status == 403
    assert refused.having("id", "pin-fault")
    assert "000111" not in refused.text


def test_second_person_learns_who_holds_the_task(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do(PERSON, code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    first, second = enter("hb.vanthu"), enter("hb.vanthu2")
    task = task_of(first, "number_letter")
    assert first.post(f"/tasks/{task}/claim", {}, page=f"/tasks/{task}").status == 302
    late = second.post(f"/tasks/{task}/claim", {}, page="/desk")
    assert late.status == 409
    assert "hb.vanthu" in late.alerts()
    assert second.post(f"/tasks/{task}/complete", {}, page="/desk").status == 409
    assert first.post(f"/tasks/{task}/release", {}, page=f"/tasks/{task}").status == 302
    assert second.post(f"/tasks/{task}/claim", {}, page=f"/tasks/{task}").status == 302


def test_completing_twice_says_that_the_task_is_closed(one: OneNode, enter: Enter) -> None:
    one.start_letter()
    person = enter(PERSON)
    task = task_of(person, "draft_letter")
    page = f"/tasks/{task}"
    assert person.post(f"{page}/complete", LETTER, page=page).status == 302
    again = person.post(f"{page}/complete", LETTER, page="/desk")
    assert again.status == 409
    assert "đã được hoàn thành" in again.alerts()


def test_full_disk_loses_nothing_that_was_typed(
    one: OneNode, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.start_letter()
    person = enter(PERSON)
    task = task_of(person, "draft_letter")

    def full(*_arguments: object, **_named: object) -> None:
        raise StorageFull("expected room on the disk")

    with monkeypatch.context() as broken:
        broken.setattr("exchange.taskwork.complete", full)
        later = person.post(f"/tasks/{task}/complete", LETTER, page=f"/tasks/{task}")
    assert later.status == 503
    assert later.headers["Retry-After"] == "30"
    assert "đã đầy" in later.alerts()
    assert later.having("name", "letter_body")[0].text == LETTER["letter_body"]
    again = person.post(f"/tasks/{task}/complete", LETTER, page=f"/tasks/{task}")
    assert again.status == 302


def test_values_are_shown_by_the_labels_of_their_forms(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do(PERSON, code, "draft_letter", LETTER)
    leader = enter("hb.lanhdao")
    task = leader.get(f"/tasks/{task_of(leader, 'sign_letter')}")
    assert task.having("data-value", "delegation_size")[0].text == "12"
    assert "Số người trong đoàn" in task.text
    assert "delegation_size</" not in task.text
    page = leader.get(f"/dossiers/{one.sides(code)[HOA_BINH].id}")
    assert [chip.text for chip in page.having("data-substatus")] == ["Chờ ký duyệt"]


def test_dates_are_read_as_people_write_them(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    person = enter(PERSON)
    task = task_of(person, "draft_letter")
    given = {**LETTER, "visit_from": "14/12/2026"}
    assert person.post(f"/tasks/{task}/complete", given, page=f"/tasks/{task}").status == 302
    one.drain()
    assert "14/12/2026" in person.get(address(one, code)).text


def test_file_of_a_refused_form_need_not_be_sent_again(one: OneNode, enter: Enter) -> None:
    person = enter("tp.motcua")
    given = {"procedure": "household-business@000.31.01.H08", "subject": "Đăng ký hộ kinh doanh"}
    person.post("/dossiers/new", given, page="/dossiers/new")
    one.drain()
    task = task_of(person, "receive_application")
    page = f"/tasks/{task}"
    file = {"application_file": ("giấy đề nghị.pdf", PDF)}
    refused = person.post(f"{page}/complete", {}, files=file, page=page)
    assert refused.status == 400
    kept = refused.fields(f"{page}/complete")["application_file"]
    assert "giấy đề nghị.pdf" in refused.text
    given = {
        "business_name": "Tạp hóa",
        "business_address": "Phường Trần Phú",
        "business_lines": "Bán lẻ",
        "owner_name": "Chủ hộ",
        "owner_id": "052099000001",
        "components_complete": "on",
        "application_file": kept,
    }
    assert person.post(f"{page}/complete", given, page=page).status == 302


def test_document_of_another_dossier_cannot_be_slipped_in(one: OneNode, enter: Enter) -> None:
    first = one.start_business()
    foreign = one.sides(first)["000.31.01.H08"]
    person = enter("tp.motcua")
    link = person.get(f"/dossiers/{foreign.id}").having("data-document")[0].attributes
    given = {"procedure": "household-business@000.31.01.H08", "subject": "Hộ kinh doanh thứ hai"}
    person.post("/dossiers/new", given, page="/dossiers/new")
    one.drain()
    task = task_of(person, "receive_application")
    values = {"application_file": link["data-document"]}
    refused = person.post(f"/tasks/{task}/complete", values, page=f"/tasks/{task}")
    assert refused.status == 400
    assert refused.having("id", "field-application_file-fault")


def test_message_shows_its_way_and_its_receipt(one: OneNode, enter: Enter) -> None:
    code = one.send_letter()
    message = enter(PERSON).get(address(one, code)).having("data-message")[0]
    assert message.attributes["data-message-type"] == "letter"
    assert message.attributes["data-direction"] == "out"
    assert message.attributes["data-state"] == "sent"
    assert "biên nhận" in message.text


def test_dossier_is_found_by_its_code_and_hidden_from_strangers(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    assert root(enter(PERSON).get(f"/dossiers?q={code}"))["data-code"] == code
    stranger = enter("thue.canbo")
    assert not stranger.get(f"/dossiers?q={code}").having("data-code")
    assert stranger.get(address(one, code)).status == 404
    task = one.open_tasks(code)["draft_letter"].id
    assert stranger.get(f"/tasks/{task}").status == 403


def test_closed_dossier_gives_evidence_that_the_verify_page_accepts(
    one: OneNode, enter: Enter, visitor: Visitor
) -> None:
    code = one.send_letter()
    one.later(timedelta(seconds=2))
    one.answer_letter(code)
    one.close_letter(code)
    one.later(timedelta(seconds=2))  # CRLs are younger than the last seal
    person = enter(PERSON)
    page = person.get(address(one, code))
    assert root(page)["data-open"] == "false"
    bundle = person.get(address(one, code) + "/evidence")
    assert bundle.headers["Content-Disposition"] == f'attachment; filename="{code}.asice"'
    for content, verdict in (
        (bundle.body, "TOTAL-PASSED"),
        (bundle.body[:-40], "TOTAL-FAILED"),
        (b"nothing", "TOTAL-FAILED"),
    ):
        judged = visitor.post("/verify", {}, files={"file": ("x.asice", content)}, page="/verify")
        assert judged.status == 200
        assert judged.having("data-verdict")[0].attributes["data-verdict"] == verdict


def test_incident_of_a_parked_message_offers_to_send_it_again(
    one: OneNode, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(one.node, "sending", lambda _partner: Away())
        code = one.send_letter()
        for _ in range(one.node.settings.delivery_attempts):
            one.later(timedelta(hours=1))
    clerk = enter("hb.vanthu")
    row = clerk.get("/incidents").having("data-incident")[0].attributes
    assert row["data-incident-dossier"] == code
    parked = clerk.get(address(one, code)).having("data-message")[0].attributes
    assert parked["data-state"] == "parked"
    sent = clerk.post(f"/incidents/{row['data-incident']}/resend", {}, page="/incidents")
    assert sent.headers["Location"] == "/incidents"
    one.drain()
    message = clerk.get(address(one, code)).having("data-message")[0].attributes
    assert message["data-state"] == "sent"
    assert not clerk.get("/incidents").having("data-incident")


def test_desk_asks_the_database_no_more_for_more_rows(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    one.start_letter()
    person.get("/desk")  # contracts are read once
    few = queries_of(person, "/desk")
    for _ in range(6):
        submit_letter(one)
    one.drain()
    assert len(person.get("/desk").having("data-task")) == 7
    assert queries_of(person, "/desk") == few


def test_dossier_page_asks_the_database_no_more_for_more_rows(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    person = enter(PERSON)
    one.do(PERSON, code, "draft_letter", LETTER)
    few = queries_of(person, address(one, code))
    for number in range(5):
        file = {"file": (f"{number}.pdf", PDF)}
        person.post(f"{address(one, code)}/documents", {}, files=file, page=address(one, code))
    person.get(address(one, code))  # shows the confirmations
    one.do("hb.lanhdao", code, "sign_letter")
    assert len(person.get(address(one, code)).having("data-document")) == 6
    assert queries_of(person, address(one, code)) == few


def queries_of(person: Visitor, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert person.get(path).status == 200
    return len(asked)


def submit_letter(one: OneNode) -> None:
    submit.submit(
        one.node,
        one.actor(PERSON),
        procedure="official-letter",
        agency=HOA_BINH,
        subject=SUBJECT,
        addressee="H08",
    )
