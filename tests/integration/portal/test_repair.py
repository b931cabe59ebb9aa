"""The operator's page: tokens, what an order would change, the order itself; without scripts."""

from __future__ import annotations

import re

from tests.builders.exchange import LETTER, OneNode
from tests.integration.portal.conftest import Enter

ADMIN = "hb.quantri1"
HOA_BINH = "000.00.00.H28"


def test_a_token_is_sent_back_after_its_effects_were_shown(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    (open_before,) = one.open_tasks(code)
    address = f"/dossiers/{one.sides(code)[HOA_BINH].id}/repair"
    person = enter(ADMIN)
    page = person.get(address)
    assert page.status == 200
    assert f'data-element="{open_before}"' in page.text
    assert 'value="back:draft_letter"' in page.text
    assert 'value="skip:"' not in page.text  # the leader signs this step
    token = re.search(r'data-token="([^"]+)"', page.text)
    instance = re.search(r'name="instance" value="([^"]+)"', page.text)
    assert token is not None
    assert instance is not None
    form = {
        "instance": instance[1],
        "token": token[1],
        "choice": "back:draft_letter",
        "reason": "wrong form",
    }
    shown = person.post(address, form, page=address)
    assert shown.status == 200
    assert 'data-effect="task_opened" data-element="draft_letter"' in shown.text
    assert set(one.open_tasks(code)) == {open_before}
    done = person.post(address, {**form, "confirmed": "yes"}, page=address)
    assert done.status == 302
    assert set(one.open_tasks(code)) == {"draft_letter"}


def test_an_order_without_a_reason_is_refused_in_words(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    address = f"/dossiers/{one.sides(code)[HOA_BINH].id}/repair"
    person = enter(ADMIN)
    page = person.get(address)
    token = re.search(r'data-token="([^"]+)"', page.text)
    instance = re.search(r'name="instance" value="([^"]+)"', page.text)
    assert token is not None
    assert instance is not None
    form = {"instance": instance[1], "token": token[1], "choice": "skip:", "reason": " "}
    refused = person.post(address, form, page=address)
    assert refused.status == 400
    assert "Phải nêu lý do." in refused.text
    assert set(one.open_tasks(code)) == {"draft_letter"}


def test_the_page_is_for_the_role_and_names_no_case_value(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    address = f"/dossiers/{one.sides(code)[HOA_BINH].id}/repair"
    assert enter("hb.lanhdao").get(address).status == 403
    page = enter(ADMIN).get(address)
    assert LETTER["letter_body"] not in page.text
    assert LETTER["letter_subject"] not in page.text


def test_an_operator_finds_the_page_by_the_code(one: OneNode, enter: Enter) -> None:
    code = one.start_letter()
    person = enter(ADMIN)
    assert 'action="/repairs"' in person.get("/incidents").text
    found = person.get(f"/repairs?code={code}")
    assert found.status == 302
