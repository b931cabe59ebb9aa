"""Forms of tasks and payloads: a closed subset of JSON Schema 2020-12 with labels in two languages.

The same rules judge what a page posts (`Form.read`) and what a program sends (`Form.check`).
`docs/reference/forms.md` lists the subset.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from dossier.canonical import Json
from dossier.rule_errors import FieldFault, FormMalformed, FormRefused
from dossier.texts import Bilingual

_SIZE_LIMIT: Final = 256 * 1024
_LONGEST_TEXT: Final = 20_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_TOP: Final = {"$schema", "type", "x-label", "x-help", "properties", "required"}
_FIELD: Final = {"type", "x-label", "x-help"}


class FieldKind(StrEnum):
    """What a field holds, and so which control shows it."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    DATE = "date"
    INTEGER = "integer"
    DECIMAL = "decimal"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    DOCUMENT = "document"


_KEYWORDS: Final[Mapping[FieldKind, frozenset[str]]] = {
    FieldKind.TEXT: frozenset({"maxLength", "minLength"}),
    FieldKind.LONG_TEXT: frozenset({"maxLength", "minLength", "x-widget"}),
    FieldKind.DATE: frozenset({"format"}),
    FieldKind.INTEGER: frozenset({"minimum", "maximum"}),
    FieldKind.DECIMAL: frozenset({"format"}),
    FieldKind.CHOICE: frozenset({"enum", "x-choices"}),
    FieldKind.BOOLEAN: frozenset({"const"}),
    FieldKind.DOCUMENT: frozenset({"format", "x-kind"}),
}
_FAULTS: Final = {
    "maxLength": "too_long",
    "minLength": "too_short",
    "minimum": "too_small",
    "maximum": "too_large",
    "enum": "not_a_choice",
    "const": "not_agreed",
    "required": "missing",
    "additionalProperties": "unknown_field",
}

_FORMATS: Final = FormatChecker(formats=())


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One answer of a choice field."""

    value: str
    label: Bilingual


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a form; limits that do not apply to its kind are None."""

    name: str
    kind: FieldKind
    label: Bilingual
    help: Bilingual | None
    is_required: bool
    choices: tuple[Choice, ...] = ()
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    document_kind: str = ""  # of a document field


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A form that is sound: every field labelled in both languages and bounded."""

    label: Bilingual
    help: Bilingual | None
    fields: tuple[Field, ...]  # in the order of the file
    schema: Mapping[str, Json]
    judge: Draft202012Validator = field(repr=False, compare=False)  # of the schema, closed

    def read(self, submitted: Mapping[str, str]) -> dict[str, Json]:
        """Return typed values of what a page posted, empty fields left out.

        Names that are no fields are ignored: pages post tokens and buttons too. A date is ISO
        text, a decimal is text with a point, a document is its id. Raises `FormRefused` with
        every fault.
        """
        values: dict[str, Json] = {}
        faults: list[FieldFault] = []
        for one in self.fields:
            text = _clean(submitted.get(one.name, ""))
            if one.kind is FieldKind.BOOLEAN:
                values[one.name] = text in ("on", "true", "1")
            elif text:
                try:
                    values[one.name] = _typed(one, text)
                except ValueError:
                    faults.append(FieldFault(name=one.name, code=f"not_{one.kind}"))
        judged = {fault.name for fault in faults}
        faults += [fault for fault in self._faults(values) if fault.name not in judged]
        self._raise(faults)
        return values

    def check(self, values: Mapping[str, Any]) -> dict[str, Json]:
        """Return typed values as a program sent them, texts in NFC; raise `FormRefused`."""
        cleaned: dict[str, Json] = {
            name: _clean(value) if isinstance(value, str) else value
            for name, value in values.items()
        }
        self._raise(list(self._faults(cleaned)))
        return cleaned

    def _faults(self, values: Mapping[str, object]) -> Iterator[FieldFault]:
        for name, value in values.items():
            if isinstance(value, float):
                kind = self._kinds().get(name, FieldKind.INTEGER)
                yield FieldFault(name=name, code=f"not_{kind}")
            elif isinstance(value, str) and _has_control(value):
                yield FieldFault(name=name, code="bad_character")
        if self._fits(values):
            return
        kinds = self._kinds()
        for error in sorted(self.judge.iter_errors(dict(values)), key=lambda one: str(one.path)):
            yield from _named(error, kinds, values)

    def _kinds(self) -> dict[str, FieldKind]:
        return {field.name: field.kind for field in self.fields}

    def _fits(self, values: Mapping[str, object]) -> bool:
        """Tell at a glance whether the values surely fit; the schema judges what is left."""
        rules = self.schema["properties"]
        if not isinstance(rules, Mapping) or not values.keys() <= rules.keys():
            return False
        return all(
            _fits(one, rules[one.name], values[one.name])
            if one.name in values
            else not one.is_required
            for one in self.fields
        )

    def _raise(self, faults: list[FieldFault]) -> None:
        if not faults:
            return
        first = {fault.name: fault for fault in reversed(faults)}
        order = [field.name for field in self.fields]
        kept = sorted(
            first.values(),
            key=lambda fault: order.index(fault.name) if fault.name in order else len(order),
        )
        raise FormRefused(
            f"expected values that fit the form, got {len(kept)} faults", faults=tuple(kept)
        )


def parse_form(content: bytes) -> Form:
    """Return the form of a JSON Schema file; raise `FormMalformed` with the reason and place."""
    schema = _decode(content)
    _known(schema, _TOP, "")
    if schema.get("type") != "object":
        raise _malformed("the schema must be of type object")
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise _malformed("a form needs at least one field")
    required = schema.get("required", [])
    if not isinstance(required, list) or not set(map(str, required)) <= properties.keys():
        raise _malformed("required must list fields of the form")
    fields = tuple(
        _field(name, found, is_required=name in required) for name, found in properties.items()
    )
    return Form(
        label=_bilingual(schema, "x-label", ""),
        help=_bilingual(schema, "x-help", "") if "x-help" in schema else None,
        fields=fields,
        schema=schema,
        judge=Draft202012Validator(
            {**schema, "additionalProperties": False}, format_checker=_FORMATS
        ),
    )


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@_FORMATS.checks("decimal")
def _is_decimal(value: object) -> bool:
    return not isinstance(value, str) or bool(_DECIMAL.fullmatch(value))


@_FORMATS.checks("document", raises=ValueError)
def _is_document(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value


def _typed(field: Field, text: str) -> Json:
    if field.kind is FieldKind.INTEGER:
        if not _INTEGER.fullmatch(text):
            raise ValueError(text)
        return int(text)
    if field.kind is FieldKind.DECIMAL:
        return text.replace(",", ".")
    if field.kind is FieldKind.DATE and (spoken := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text)):
        return f"{spoken[3]}-{spoken[2]}-{spoken[1]}"
    return text


def _fits(one: Field, rule: Any, value: object) -> bool:  # noqa: ANN401 - a schema's own JSON
    match one.kind:
        case FieldKind.TEXT | FieldKind.LONG_TEXT:
            shortest, longest = rule.get("minLength", 0), one.max_length or 0
            return isinstance(value, str) and shortest <= len(value) <= longest
        case FieldKind.CHOICE:
            return isinstance(value, str) and any(value == choice.value for choice in one.choices)
        case FieldKind.INTEGER:
            low = one.minimum if one.minimum is not None else -math.inf
            high = one.maximum if one.maximum is not None else math.inf
            return type(value) is int and low <= value <= high
        case FieldKind.BOOLEAN:
            return isinstance(value, bool) and "const" not in rule
        case _:
            return False


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _has_control(text: str) -> bool:
    return not text.isprintable() and any(
        unicodedata.category(sign) in ("Cc", "Cs", "Co") and sign not in "\n\t" for sign in text
    )


def _named(
    error: ValidationError, kinds: Mapping[str, FieldKind], values: Mapping[str, object]
) -> Iterator[FieldFault]:
    keyword = str(error.validator)
    limit: Any = error.validator_value
    if keyword == "required":
        for name in limit:
            if name not in values:
                yield FieldFault(name=name, code="missing")
        return
    if keyword == "additionalProperties":
        for name in values.keys() - kinds.keys():
            yield FieldFault(name=name, code="unknown_field", parameters={"name": name[:64]})
        return
    name = str(error.path[0]) if error.path else ""
    code = _FAULTS.get(keyword, f"not_{kinds.get(name, FieldKind.TEXT)}")
    bounded = keyword in ("maxLength", "minLength", "minimum", "maximum")
    yield FieldFault(name=name, code=code, parameters={"limit": limit} if bounded else {})


def _decode(content: bytes) -> dict[str, Any]:
    if len(content) > _SIZE_LIMIT:
        raise _malformed(f"it is larger than {_SIZE_LIMIT} bytes")
    try:
        schema = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise _malformed(f"it is not JSON: {exc}") from exc
    if not isinstance(schema, dict):
        raise _malformed("the schema must be an object")
    return schema


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is written twice")
    return table


def _field(name: str, found: object, *, is_required: bool) -> Field:
    if not _NAME.fullmatch(name):
        raise _malformed(f"field {name} must be a snake_case name")
    if not isinstance(found, dict):
        raise _malformed(f"field {name} must be an object")
    kind = _kind(name, found)
    _known(found, _FIELD | _KEYWORDS[kind], name)
    return Field(
        name=name,
        kind=kind,
        label=_bilingual(found, "x-label", name),
        help=_bilingual(found, "x-help", name) if "x-help" in found else None,
        is_required=is_required,
        choices=_choices(name, found) if kind is FieldKind.CHOICE else (),
        max_length=_max_length(name, found, kind),
        minimum=_number(name, found, "minimum"),
        maximum=_number(name, found, "maximum"),
        document_kind=_document_kind(name, found) if kind is FieldKind.DOCUMENT else "",
    )


def _kind(name: str, found: Mapping[str, Any]) -> FieldKind:
    kind = found.get("type")
    if kind == "integer":
        return FieldKind.INTEGER
    if kind == "boolean":
        return FieldKind.BOOLEAN
    if kind != "string":
        raise _malformed(f"field {name} must be a string, integer or boolean")
    if "enum" in found:
        return FieldKind.CHOICE
    formats = {kind.value: kind for kind in (FieldKind.DATE, FieldKind.DECIMAL, FieldKind.DOCUMENT)}
    if "format" in found:
        if found["format"] not in formats:
            raise _malformed(f"field {name} must have the format date, decimal or document")
        return formats[found["format"]]
    if "x-widget" in found and found["x-widget"] != "long":
        raise _malformed(f"field {name} must have the widget long, or none")
    return FieldKind.LONG_TEXT if "x-widget" in found else FieldKind.TEXT


def _choices(name: str, found: Mapping[str, Any]) -> tuple[Choice, ...]:
    values, labels = found["enum"], found.get("x-choices")
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        raise _malformed(f"field {name} must have choices that are texts")
    if not isinstance(labels, dict) or sorted(labels) != sorted(values):
        raise _malformed(f"field {name} must have x-choices with a label for each choice")
    return tuple(Choice(value=v, label=_bilingual(labels, v, f"{name} {v}")) for v in values)


def _max_length(name: str, found: Mapping[str, Any], kind: FieldKind) -> int | None:
    if kind not in (FieldKind.TEXT, FieldKind.LONG_TEXT):
        return None
    limit = _number(name, found, "maxLength")
    if limit is None or not 1 <= limit <= _LONGEST_TEXT:
        raise _malformed(f"field {name} must have a maxLength of 1 to {_LONGEST_TEXT}")
    shortest = _number(name, found, "minLength") or 0
    if not 0 <= shortest <= limit:
        raise _malformed(f"field {name} must have a minLength of 0 to {limit}")
    return limit


def _number(name: str, found: Mapping[str, Any], key: str) -> int | None:
    number = found.get(key)
    if number is not None and type(number) is not int:
        raise _malformed(f"field {name} must have a whole number as {key}")
    return number


def _document_kind(name: str, found: Mapping[str, Any]) -> str:
    kind = found.get("x-kind")
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", kind):
        raise _malformed(f"field {name} must name its kind of document in x-kind")
    return kind


def _bilingual(found: Mapping[str, Any], key: str, where: str) -> Bilingual:
    text = found.get(key)
    if (
        not isinstance(text, dict)
        or text.keys() != {"vi", "en"}
        or not all(isinstance(said, str) and said.strip() for said in text.values())
    ):
        raise _malformed(f"{where or 'the form'} must have {key} in vi and en")
    return Bilingual(vi=text["vi"], en=text["en"])


def _known(found: Mapping[str, Any], allowed: frozenset[str] | set[str], where: str) -> None:
    if unknown := found.keys() - allowed:
        raise _malformed(f"{where or 'the form'} has the unknown key {min(unknown)}")


def _malformed(reason: str) -> FormMalformed:
    return FormMalformed(f"expected a form as documented, got: {reason}", reason=reason)
