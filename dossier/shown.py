"""Case values as people read them: labels of fields and answers in place of names and codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dossier.canonical import Json
from dossier.form import Choice, Field, FieldKind, Form
from dossier.texts import Bilingual


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownValue:
    """One value with what a form says about it."""

    name: str
    label: Bilingual | None  # None: no form asks for it
    value: Json
    answer: Bilingual | None  # the label of a choice


def shown(values: Mapping[str, Json], forms: Mapping[str, Form]) -> tuple[ShownValue, ...]:
    """Return the values, those that forms ask for first, in the order of the forms.

    The forms of parts, whose names have a point, come after those of the procedure. Documents are
    left out: pages show them by their names.
    """
    fields: dict[str, list[Field]] = {}
    for form_name in sorted(forms, key=lambda name: "." in name):
        for one in forms[form_name].fields:
            fields.setdefault(one.name, []).append(one)
    order = [*(name for name in fields if name in values), *sorted(set(values) - set(fields))]
    return tuple(_lines(order, values, fields))


def _lines(
    order: Sequence[str], values: Mapping[str, Json], fields: Mapping[str, Sequence[Field]]
) -> Iterator[ShownValue]:
    for name in order:
        asked = fields.get(name, ())
        if values[name] is None or any(one.kind is FieldKind.DOCUMENT for one in asked):
            continue
        answers = [one for field in asked for one in _answers(field, values[name])]
        yield ShownValue(
            name=name,
            label=asked[0].label if asked else None,
            value=values[name],
            answer=answers[0].label if answers else None,
        )


def _answers(field: Field, value: Json) -> list[Choice]:
    return [one for one in field.choices if one.value == value]
