"""Markup in subjects, file names, form values and model labels stays text on every page."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from exchange.publish import publish, read_folder
from tests.builders.exchange import LETTER, OneNode
from tests.builders.portal import Reply, Visitor
from tests.integration.portal.conftest import Enter

HOA_BINH = "000.00.00.H28"
PERSON = "hb.chuyenvien"
CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title></textarea><iframe srcdoc='<b>'>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "javascript:alert(1)//<a href=x>",
    "<math><style><img src onerror=alert(1)></style></math>",
    "\u202e<b>cod.exe\u2066",
    "&lt;script&gt;&#60;script&#62;",
    "]]><script>alert(1)</script><![CDATA[",
)


def assert_clean(page: Reply) -> None:
    assert page.status in (200, 400)
    for element in page.elements:
        assert element.tag not in ("iframe", "img", "math", "style", "b"), element
        assert not [name for name in element.attributes if name.startswith("on")]
        assert not element.attributes.get("href", "").lower().startswith("javascript:")
    assert all("src" in one.attributes for one in page.elements if one.tag == "script")


def opened(person: Visitor, one: OneNode, subject: str) -> str:
    given = {"procedure": f"official-letter@{HOA_BINH}", "subject": subject, "addressee": "H08"}
    where = person.post("/dossiers/new", given, page="/dossiers/new").headers["Location"]
    one.drain()
    return where


def test_subjects_stay_text(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    for hostile in CORPUS:
        page = person.get(opened(person, one, hostile))
        assert_clean(page)
        shown = next(element.text for element in page.elements if element.tag == "h1")
        assert shown == " ".join(hostile.split())
    assert_clean(person.get("/desk"))


def test_file_names_stay_text(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    where = opened(person, one, "Tệp")
    for hostile in CORPUS:
        file = {"file": (f"{hostile}.pdf".replace('"', "'"), b"%PDF-1.4\n%%EOF\n")}
        person.post(f"{where}/documents", {}, files=file, page=where)
    page = person.get(where)
    assert_clean(page)
    assert len(page.having("data-document")) >= len(CORPUS) - 2
    for link in page.having("data-document"):
        saved = person.get(link.attributes["href"])
        assert saved.headers["Content-Disposition"].startswith("attachment")
        assert "\n" not in saved.headers["Content-Disposition"]


@pytest.mark.parametrize("field", ["letter_subject", "letter_body", "visit_from", "pin"])
def test_refused_values_come_back_as_text(one: OneNode, enter: Enter, field: str) -> None:
    person = enter(PERSON)
    one.start_letter()
    task = person.get("/desk").having("data-element", "draft_letter")[0].attributes["data-task"]
    for hostile in CORPUS:
        given = {field: hostile, "unknown": hostile}
        refused = person.post(f"/tasks/{task}/complete", given, page=f"/tasks/{task}")
        assert refused.status == 400
        assert_clean(refused)


def test_stored_values_stay_text(one: OneNode, enter: Enter) -> None:
    person = enter(PERSON)
    code = one.start_letter()
    one.do(PERSON, code, "draft_letter", {**LETTER, "letter_body": "\n".join(CORPUS[:7])})
    assert_clean(person.get(f"/dossiers/{one.sides(code)[HOA_BINH].id}"))


def test_labels_of_a_model_stay_text(one: OneNode, enter: Enter) -> None:
    folder = Path(str(resources.files("procedures"))) / "p8_official_letter"
    files = read_folder(folder)
    label = quoteattr(CORPUS[1])
    files["process.bpmn"] = (
        files["process.bpmn"].decode().replace('name="Soạn thảo công văn"', f"name={label}")
    ).encode()
    files["procedure.toml"] = (
        files["procedure.toml"].decode().replace('version = "1"', 'version = "2"', 1)
    ).encode()
    publish(files, at=one.node.now(), proposed_by="test.one", confirmed_by="test.two")
    person = enter(PERSON)
    page = person.get(opened(person, one, "Nhãn"))
    assert "onerror=alert(1)" in page.text
    assert_clean(page)
    assert_clean(person.get("/desk"))


def test_searched_codes_and_error_pages_stay_text(enter: Enter) -> None:
    person = enter(PERSON)
    for hostile in CORPUS:
        quoted = hostile.encode().hex(" ").upper().replace(" ", "%")
        assert_clean(person.get(f"/dossiers?q=%{quoted}"))
