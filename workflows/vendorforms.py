"""Which form a task of another vendor's model opens, and which fields it has.

Names become those that a file of ours can have, keys those that a case value can have.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from dossier.canonical import Json
from workflows.names import BPMN, CAMUNDA, ZEEBE

_KEYS: Final = ("formId", "externalReference", "formKey")
_FIELD: Final = CAMUNDA + "formField"
_CONSTRAINT: Final = CAMUNDA + "constraint"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DEEPEST: Final = 8  # groups within groups
_TYPES: Final = {  # components of form-js
    "textfield": "text", "textarea": "long", "number": "decimal", "checkbox": "boolean",
    "select": "choice", "radio": "choice", "datetime": "date",
}  # fmt: skip
_GENERATED: Final = {
    "string": "text", "long": "integer", "boolean": "boolean", "date": "date", "enum": "choice",
}  # fmt: skip
_SHAPES: Final[Mapping[str, Mapping[str, Json]]] = {
    "text": {"type": "string", "maxLength": 500},
    "long": {"type": "string", "maxLength": 2000, "x-widget": "long"},
    "date": {"type": "string", "format": "date"},
    "integer": {"type": "integer"},
    "decimal": {"type": "string", "format": "decimal"},
    "boolean": {"type": "boolean"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """One field of a foreign form."""

    key: str
    label: str
    kind: str  # a key of _SHAPES, or choice
    is_required: bool
    choices: tuple[tuple[str, str], ...] = ()  # value, label


def form_name(element: etree._Element) -> str | None:
    """Return the name of a task's form, None where it has none or a running case would name it."""
    key = form_key(element)
    if not key or key.startswith("=") or "${" in key or "#{" in key:
        return None
    last = re.split(r"[:/\\]", key)[-1].partition(".")[0]
    return slug(last, taken=(), otherwise="form")


def form_key(element: etree._Element) -> str | None:
    """Return what a task says about its form, as the vendor writes it."""
    key = element.get(CAMUNDA + "formKey") or element.get(CAMUNDA + "formRef")
    holder = element.find(BPMN + "extensionElements")
    if key or holder is None:
        return key
    zeebe = holder.find(ZEEBE + "formDefinition")
    if zeebe is not None:
        return next((zeebe.get(name) for name in _KEYS if zeebe.get(name)), None)
    is_generated = holder.find(CAMUNDA + "formData") is not None
    return element.get("id") if is_generated else None


def slug(text: str, *, taken: Iterable[str], otherwise: str) -> str:
    """Return a name of lower-case letters, digits and hyphens that is not taken."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()
    name = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:50] or otherwise
    used = set(taken)
    number = 2
    unique = name
    while unique in used:
        unique, number = f"{name}-{number}", number + 1
    return unique


# --- what its fields are ------------------------------------------------------------------------


def drawn_forms(root: etree._Element, beside: Mapping[str, bytes]) -> dict[str, Json]:
    """Return the forms that the model holds, or that lie `beside` it as `.form` files, by name.

    Those are form-js schemas and the generated forms of Camunda 7; what they hold that our forms
    have not (buttons, texts, tables, expressions) is left out.
    """
    schemas = {
        slug(name.partition(".")[0], taken=(), otherwise="form"): schema
        for name, content in beside.items()
        if (schema := _schema(content.decode("utf-8", "replace"))) is not None
    }
    for schema in tuple(schemas.values()):
        schemas.setdefault(
            slug(str(schema.get("id") or "form"), taken=(), otherwise="form"), schema
        )
    for element in root.iter(ZEEBE + "userTaskForm"):
        embedded = _schema(element.text or "")
        if embedded is not None:
            schemas[slug(element.get("id") or "", taken=(), otherwise="form")] = embedded
    found = {name: _form(name, list(_components(schema))) for name, schema in schemas.items()}
    for task in root.iter(BPMN + "userTask"):
        data = task.find(f"{BPMN}extensionElements/{CAMUNDA}formData")
        if data is not None:
            name = slug(task.get("id") or "", taken=(), otherwise="form")
            found[name] = _form(name, [_generated(field) for field in data.iter(_FIELD)])
    return {name: form for name, form in found.items() if form is not None}


def _schema(text: str) -> dict[str, Any] | None:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None


def _components(holder: Mapping[str, Any], depth: int = 0) -> Iterator[_Field]:
    components = holder.get("components")
    for one in components if isinstance(components, list) and depth < _DEEPEST else ():
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("key"), str) and one.get("type") in _TYPES:
            rules = one.get("validate")
            kind = _TYPES[str(one["type"])]
            is_date = one.get("subtype", "date") == "date"
            yield _Field(
                key=one["key"],
                label=str(one.get("label") or one.get("dateLabel") or one["key"]),
                kind=kind if kind != "date" or is_date else "text",
                is_required=isinstance(rules, dict) and rules.get("required") is True,
                choices=_choices(one.get("values")),
            )
        yield from _components(one, depth + 1)


def _choices(values: object) -> tuple[tuple[str, str], ...]:
    rows = [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
    return tuple((str(one.get("value")), str(one.get("label") or one.get("value"))) for one in rows)


def _generated(field: etree._Element) -> _Field:
    return _Field(
        key=field.get("id") or "",
        label=field.get("label") or field.get("id") or "",
        kind=_GENERATED.get(field.get("type") or "", "text"),
        is_required=any(one.get("name") == "required" for one in field.iter(_CONSTRAINT)),
        choices=tuple(
            (one.get("id") or "", one.get("name") or one.get("id") or "")
            for one in field.iter(CAMUNDA + "value")
        ),
    )


def _form(name: str, fields: list[_Field]) -> Json:
    """Return a form of ours; None for one without a field that ours can have."""
    properties: dict[str, Json] = {}
    required: list[Json] = []
    for field in fields:
        key = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field.key).lower().replace("-", "_")
        if not _NAME.fullmatch(key) or key in properties:
            continue
        properties[key] = _property(field)
        if field.is_required:
            required.append(key)
    if not properties:
        return None
    form: dict[str, Json] = {"type": "object", "x-label": {"vi": name, "en": name}}
    return {**form, "properties": properties, **({"required": required} if required else {})}


def _property(field: _Field) -> Json:
    label: Json = {"vi": field.label, "en": field.label}
    if field.kind == "choice" and field.choices:
        shown: Json = {value: {"vi": text, "en": text} for value, text in field.choices}
        values: list[Json] = [value for value, _text in field.choices]
        return {"type": "string", "enum": values, "x-choices": shown, "x-label": label}
    return {**_SHAPES.get(field.kind, _SHAPES["text"]), "x-label": label}
