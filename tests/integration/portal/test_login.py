"""Logging in: throttled, in one's own language, and back to the page that was wanted."""

from __future__ import annotations

import pytest
from django.conf import settings

from exchange import accounts
from tests.builders.exchange import OneNode
from tests.builders.portal import Visitor
from tests.integration.portal.conftest import Enter

PERSON = "hb.chuyenvien"


def session_of(visitor: Visitor) -> str:
    return visitor.cookies[str(settings.SESSION_COOKIE_NAME)]


def test_pages_send_strangers_to_the_login_and_back(one: OneNode, visitor: Visitor) -> None:
    refused = visitor.get("/dossiers?q=H28")
    assert refused.status == 302
    assert refused.headers["Location"] == "/login?next=%2Fdossiers%3Fq%3DH28"
    form = visitor.get(refused.headers["Location"]).fields("/login")
    given = {"username": PERSON, "password": one.logins[PERSON]["password"]}
    entered = visitor.post("/login", {**given, "next": form["next"]})
    assert entered.headers["Location"] == "/dossiers?q=H28"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "javascript:0", ""])
def test_login_leads_to_our_own_pages_only(one: OneNode, visitor: Visitor, wanted: str) -> None:
    given = {"username": PERSON, "password": one.logins[PERSON]["password"], "next": wanted}
    assert visitor.post("/login", given).headers["Location"] == "/desk"


def test_wrong_password_says_so_and_keeps_the_name(visitor: Visitor) -> None:
    refused = visitor.post("/login", {"username": "hb.<b>", "password": "wrong"})
    assert refused.status == 403
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in refused.alerts()
    assert refused.having("id", "username")[0].attributes["value"] == "hb.<b>"
    assert "wrong" not in refused.text


def test_account_is_throttled_before_its_password_is_looked_at(
    one: OneNode, visitor: Visitor
) -> None:
    for _ in range(accounts.PER_ACCOUNT):
        visitor.post("/login", {"username": PERSON, "password": "wrong"})
    refused = visitor.log_in(PERSON, one.logins[PERSON]["password"])
    assert refused.status == 403
    assert "15 phút" in refused.alerts()


def test_disabled_account_is_out_at_its_next_click(enter: Enter) -> None:
    person = enter(PERSON)
    assert person.get("/desk").status == 200
    accounts.disable(PERSON)
    assert person.get("/desk").headers["Location"].startswith("/login")


def test_logout_ends_the_session_on_the_server(enter: Enter) -> None:
    person = enter(PERSON)
    kept = dict(person.cookies)
    person.post("/logout", {}, page="/desk")
    person.cookies = kept
    assert person.get("/desk").status == 302


def test_login_makes_a_new_session_key(one: OneNode, visitor: Visitor) -> None:
    visitor.get("/login")
    visitor.log_in(PERSON, one.logins[PERSON]["password"])
    before = session_of(visitor)
    visitor.post("/logout", {}, page="/desk")
    visitor.log_in(PERSON, one.logins[PERSON]["password"])
    assert session_of(visitor) != before


def test_portal_speaks_vietnamese_whatever_the_browser_prefers(visitor: Visitor) -> None:
    page = visitor.send("GET", "/login", extra={"HTTP_ACCEPT_LANGUAGE": "en-US"})
    assert page.elements[0].attributes["lang"] == "vi"
    assert "Đăng nhập" in page.text


def test_chosen_language_stays_with_the_account(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    back = person.post("/language", {"language": "en", "next": "/partners"}, page="/desk")
    assert back.headers["Location"] == "/partners"
    assert person.get("/desk").elements[0].attributes["lang"] == "en"
    assert enter(PERSON).get("/desk").elements[0].attributes["lang"] == "en"
    assert one.actor(PERSON).language == "en"


def test_strangers_choose_a_language_too(visitor: Visitor) -> None:
    visitor.post("/language", {"language": "en"})
    assert "Log in" in visitor.get("/login").text
