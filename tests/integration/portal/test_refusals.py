"""What the portal refuses, how it says so, and what every answer carries."""

from __future__ import annotations

import pytest

from tests.builders.exchange import OneNode
from tests.builders.portal import Visitor
from tests.integration.portal.conftest import Enter

HOA_BINH = "000.00.00.H28"
PERSON = "hb.chuyenvien"
NOBODY = "00000000-0000-4000-8000-000000000000"


def dossier_of(one: OneNode) -> str:
    return f"/dossiers/{one.sides(one.start_letter())[HOA_BINH].id}"


@pytest.mark.parametrize(
    "path", ["/login", "/verify", "/healthz", "/readyz", "/nowhere", "/static/portal.css", "/desk"]
)
def test_every_answer_carries_the_security_headers(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; object-src 'none'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_hold_no_inline_script_or_style(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    for path in ("/desk", "/dossiers/new", "/partners", "/verify", dossier_of(one)):
        page = person.get(path)
        assert not page.having("style")
        assert not [name for e in page.elements for name in e.attributes if name.startswith("on")]
        assert all("src" in one.attributes for one in page.elements if one.tag == "script")


def test_session_cookie_is_out_of_reach_of_scripts(one: OneNode, visitor: Visitor) -> None:
    entered = visitor.log_in(PERSON, one.logins[PERSON]["password"])
    assert "HttpOnly" in entered.headers["Set-Cookie"]
    assert "SameSite=Lax" in entered.headers["Set-Cookie"]


def test_form_without_token_is_refused(enter: Enter) -> None:
    person = enter(PERSON)
    refused = person.send(
        "POST", "/logout", body=b"x=1", content_type="application/x-www-form-urlencoded"
    )
    assert refused.status == 403
    assert "hết hiệu lực" in refused.alerts()
    assert person.get("/desk").status == 200


def test_foreign_host_is_refused_without_its_name(one: OneNode) -> None:
    refused = Visitor(one.node, host="evil.example").get("/login")
    assert refused.status == 400
    assert "evil" not in refused.text


def test_unknown_addresses_are_told_apart_from_forbidden_ones(enter: Enter) -> None:
    person = enter(PERSON)
    for path in ("/nowhere", f"/dossiers/{NOBODY}", f"/tasks/{NOBODY}", f"/documents/{NOBODY}"):
        missing = person.get(path)
        assert missing.status == 404
        assert missing.alerts()


def test_wrong_method_is_refused(enter: Enter) -> None:
    assert enter(PERSON).get("/logout").status == 405


def test_upload_over_the_limit_is_refused_before_it_is_read(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    limit = one.node.settings.max_document_bytes
    refused = person.send(
        "POST",
        dossier_of(one) + "/documents",
        content_type="multipart/form-data; boundary=x",
        extra={"CONTENT_LENGTH": str(limit + 1024**2)},
    )
    assert refused.status == 413
    assert "50 MB" in refused.alerts()


def test_form_over_the_limit_names_the_limit(visitor: Visitor) -> None:
    refused = visitor.send("POST", "/login", extra={"CONTENT_LENGTH": str(1024**2 + 1)})
    assert refused.status == 413
    assert "1 MB" in refused.alerts()


def test_upload_without_file_says_so(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    page = dossier_of(one)
    refused = person.post(f"{page}/documents", {}, files={}, page=page)
    assert refused.status == 400
    assert "Chưa chọn tệp" in refused.alerts()


def test_uploaded_page_is_only_ever_saved(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    page = dossier_of(one)
    hostile = b"<script>alert(1)</script>"
    person.post(f"{page}/documents", {}, files={"file": ("x.html", hostile)}, page=page)
    link = person.get(page).having("data-document")[0].attributes["href"]
    saved = person.get(link)
    assert saved.body == hostile
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert saved.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert saved.headers["X-Content-Type-Options"] == "nosniff"
    assert enter("thue.canbo").get(link).status == 404


def test_failure_says_nothing_of_itself(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portal.login.pages.show", broken)
    failed = visitor.get("/login")
    assert failed.status == 500
    assert "secret" not in failed.text
    assert failed.headers["Content-Security-Policy"]


def test_readiness_names_what_is_missing(one: OneNode, visitor: Visitor) -> None:
    assert visitor.get("/readyz").text == "ok directory=1\n"
    assert visitor.get("/healthz").text == "ok\n"


def test_body_that_ends_early_is_no_failure_of_ours(visitor: Visitor) -> None:
    visitor.get("/login")
    cut = visitor.send(
        "POST",
        "/login",
        body=b"username=x",
        content_type="application/x-www-form-urlencoded",
        extra={"CONTENT_LENGTH": "4000"},
    )
    assert cut.status == 403
