"""Case values as people read them: labels of forms, answers of choices, no codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dossier.form import Form, parse_form
from dossier.shown import shown

LABEL = {"vi": "Nhãn", "en": "Label"}
OTHER = {"vi": "Nhãn khác", "en": "Other label"}


def form(**fields: Mapping[str, Any]) -> Form:
    """Return a form of these fields."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "x-label": LABEL,
        "properties": {name: {"x-label": LABEL, **found} for name, found in fields.items()},
        "required": [],
    }
    return parse_form(json.dumps(schema).encode())


def choice(*values: str, label: Mapping[str, str] = LABEL) -> dict[str, Any]:
    """Return a choice field of these answers."""
    return {"type": "string", "enum": [*values], "x-choices": dict.fromkeys(values, label)}


TEXT = {"type": "string", "maxLength": 20}
FORMS = {"one": form(subject=TEXT, decision=choice("yes", "no"))}


def test_values_stand_in_the_order_of_the_forms_and_those_without_a_label_last() -> None:
    found = shown({"authority": "commune", "decision": "no", "subject": "A"}, FORMS)
    assert [one.name for one in found] == ["subject", "decision", "authority"]
    assert [one.label.vi if one.label else "" for one in found] == ["Nhãn", "Nhãn", ""]


def test_a_choice_shows_its_answer_and_other_values_show_themselves() -> None:
    subject, decision = shown({"subject": "A", "decision": "no"}, FORMS)
    assert decision.answer is not None
    assert decision.answer.en == "Label"
    assert (subject.answer, subject.value) == (None, "A")


def test_a_value_that_several_forms_ask_for_takes_the_answer_that_has_it() -> None:
    forms = FORMS | {"two": form(decision=choice("deemed_agreed", label=OTHER))}
    (decision,) = shown({"decision": "deemed_agreed"}, forms)
    assert decision.answer is not None
    assert decision.answer.en == "Other label"


def test_documents_and_values_that_are_not_there_are_left_out() -> None:
    plan = {"type": "string", "format": "document", "x-kind": "plan"}
    forms = {"one": form(plan=plan, subject=TEXT)}
    assert shown({"plan": "0b8f6f0e-6d0e-4a53-9c7a-0f6c4f3f9a11", "subject": None}, forms) == ()
