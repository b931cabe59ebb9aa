"""Forms: what a page posts becomes typed values, or every fault with its field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier import form
from dossier.form import FieldKind, Form, parse_form
from dossier.rule_errors import FormMalformed, FormRefused
from dossier.texts import Language, known_codes

LABEL = {"vi": "Nhãn", "en": "Label"}
DOCUMENT = "0b8f6f0e-6d0e-4a53-9c7a-0f6c4f3f9a11"


def _form(fields: Mapping[str, Mapping[str, Any]], *, required: Sequence[str] = ()) -> Form:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "x-label": LABEL,
        "properties": {name: {"x-label": LABEL} | dict(found) for name, found in fields.items()},
        "required": list(required),
    }
    return parse_form(json.dumps(schema).encode())


EVERY: dict[str, dict[str, Any]] = {
    "subject": {"type": "string", "maxLength": 20, "minLength": 3},
    "body": {"type": "string", "maxLength": 200, "x-widget": "long"},
    "arrival": {"type": "string", "format": "date"},
    "people": {"type": "integer", "minimum": 1, "maximum": 30},
    "area": {"type": "string", "format": "decimal"},
    "decision": {"type": "string", "enum": ["yes", "no"], "x-choices": {"yes": LABEL, "no": LABEL}},
    "agreed": {"type": "boolean", "const": True},
    "plan": {"type": "string", "format": "document", "x-kind": "plan"},
}
POSTED = {
    "subject": " Tham quan ",
    "body": "Dòng 1\r\nDòng 2",
    "arrival": "18/04/2022",
    "people": "12",
    "area": "12,5",
    "decision": "yes",
    "agreed": "on",
    "plan": DOCUMENT,
    "csrfmiddlewaretoken": "x",
}


def _faults(found: Form, posted: dict[str, str]) -> dict[str, str]:
    with pytest.raises(FormRefused) as caught:
        found.read(posted)
    return {fault.name: fault.code for fault in caught.value.faults}


def test_every_kind_of_field_is_read() -> None:
    found = _form(EVERY, required=[*EVERY])
    assert {field.kind for field in found.fields} == set(FieldKind)
    assert [field.name for field in found.fields] == [*EVERY]
    assert found.read(POSTED) == {
        "subject": "Tham quan",
        "body": "Dòng 1\nDòng 2",
        "arrival": "2022-04-18",
        "people": 12,
        "area": "12.5",
        "decision": "yes",
        "agreed": True,
        "plan": DOCUMENT,
    }


def test_what_a_page_posts_passes_the_check_of_programs() -> None:
    found = _form(EVERY, required=[*EVERY])
    assert found.check(found.read(POSTED)) == found.read(POSTED)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("subject", "x" * 21, "too_long"),
        ("subject", "ab", "too_short"),
        ("subject", "ab\x00cd", "bad_character"),
        ("arrival", "31/02/2022", "not_date"),
        ("arrival", "mai", "not_date"),
        ("arrival", "20220418", "not_date"),
        ("people", "0", "too_small"),
        ("people", "31", "too_large"),
        ("people", "12.5", "not_integer"),
        ("people", "٣", "not_integer"),
        ("people", "9" * 5000, "not_integer"),
        ("area", "1.234,5", "not_decimal"),
        ("area", "nhiều", "not_decimal"),
        ("decision", "maybe", "not_a_choice"),
        ("agreed", "", "not_agreed"),
        ("plan", "../../etc/passwd", "not_document"),
    ],
)
def test_a_wrong_field_is_named_with_its_fault(name: str, text: str, code: str) -> None:
    assert _faults(_form(EVERY), POSTED | {name: text}) == {name: code}


def test_every_fault_comes_at_once_in_the_order_of_the_form() -> None:
    faults = _faults(_form(EVERY, required=[*EVERY]), {"people": "many"})
    assert list(faults) == [*EVERY]
    assert faults["people"] == "not_integer" and faults["subject"] == "missing"


def test_an_empty_optional_field_is_left_out() -> None:
    assert _form({"subject": EVERY["subject"]}).read({"subject": "  "}) == {}


def test_the_limit_stands_in_the_fault() -> None:
    with pytest.raises(FormRefused) as caught:
        _form(EVERY).read(POSTED | {"subject": "x" * 21})
    assert caught.value.faults[0].parameters == {"limit": 20}


@pytest.mark.parametrize(
    ("values", "name", "code"),
    [
        ({"subject": 12}, "subject", "not_text"),
        ({"people": "12"}, "people", "not_integer"),
        ({"people": 12.0}, "people", "not_integer"),
        ({"people": True}, "people", "not_integer"),
        ({"agreed": "on"}, "agreed", "not_boolean"),
        ({"surprise": 1}, "surprise", "unknown_field"),
        ({"subject": None}, "subject", "not_text"),
    ],
)
def test_programs_must_send_the_right_types(values: dict[str, Any], name: str, code: str) -> None:
    with pytest.raises(FormRefused) as caught:
        _form(EVERY).check(values)
    assert (caught.value.faults[0].name, caught.value.faults[0].code) == (name, code)


def test_texts_are_composed() -> None:
    assert _form({"subject": EVERY["subject"]}).read({"subject": "Bi\u0300nh"}) == {
        "subject": "Bình"
    }


def test_every_fault_has_a_sentence() -> None:
    codes = set(form._FAULTS.values()) | {f"not_{kind}" for kind in FieldKind} | {"bad_character"}
    for lang in Language:
        assert codes <= known_codes("field", lang)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "must be an object"),
        (b'{"type": "object", "type": "object"}', "written twice"),
        (b'{"type": "object", "$ref": "http://x"}', r"unknown key \$ref"),
        (b'{"type": "array"}', "of type object"),
        (b'{"type": "object", "properties": {}}', "at least one field"),
        (b" " * 300_000, "larger than"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_refuses_a_file_that_is_no_form(content: bytes, reason: str) -> None:
    with pytest.raises(FormMalformed, match=reason):
        parse_form(content)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"type": "string"}, "maxLength"),
        ({"type": "string", "maxLength": 100_000}, "maxLength"),
        ({"type": "string", "maxLength": 5, "minLength": 6}, "minLength"),
        ({"type": "string", "maxLength": "5"}, "whole number"),
        ({"type": "string", "maxLength": 5, "pattern": "(a+)+"}, "unknown key pattern"),
        ({"type": "string", "maxLength": 5, "x-widget": "canvas"}, "widget"),
        ({"type": "string", "format": "email"}, "format"),
        ({"type": "string", "format": "document"}, "x-kind"),
        ({"type": "string", "enum": []}, "choices"),
        ({"type": "string", "enum": ["a"], "x-choices": {"b": LABEL}}, "label for each"),
        ({"type": "number"}, "must be a string"),
        ({"type": "boolean", "x-label": {"vi": "a"}}, "vi and en"),
    ],
)
def test_refuses_a_field_and_says_why(field: dict[str, Any], reason: str) -> None:
    with pytest.raises(FormMalformed, match=reason):
        _form({"field": field})


def test_refuses_a_required_field_that_is_not_there() -> None:
    with pytest.raises(FormMalformed, match="required"):
        _form({"subject": EVERY["subject"]}, required=["other"])


def test_refuses_a_field_name_in_another_case() -> None:
    with pytest.raises(FormMalformed, match="snake_case"):
        _form({"Subject": EVERY["subject"]})


@given(st.dictionaries(st.sampled_from([*EVERY]), st.text(max_size=40)))
def test_any_post_is_values_or_faults(posted: dict[str, str]) -> None:
    found = _form(EVERY)
    try:
        values = found.read(posted)
    except FormRefused as refused:
        assert refused.faults
        return
    assert found.check(values) == values


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_our_error(content: bytes) -> None:
    with pytest.raises(FormMalformed):
        parse_form(content)
