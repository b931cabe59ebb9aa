"""What a procedure folder and a folder of a part have in common: shelves of files, TOML, forms."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from dossier.deadline import parse_allowance
from dossier.errors import Rejected
from dossier.form import Form, parse_form
from workflows.errors import ProcedureRefused
from workflows.expressions import Value
from workflows.procedure import Parameter
from workflows.timing import parse_duration
from workflows.tomlread import Table, refuse

MODEL: Final = "process.bpmn"
VERSION: Final = re.compile(r"[0-9]+(\.[0-9]+){0,2}")
_FORM: Final = re.compile(r"forms/([a-z0-9][a-z0-9_-]*)\.json")
_DECISION: Final = re.compile(r"decisions/([a-z0-9][a-z0-9_-]*)\.dmn")
_SCENARIO: Final = re.compile(r"scenarios/([a-z0-9][a-z0-9_-]*)\.yaml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelves:
    """The files of one folder by kind and name."""

    model: bytes
    declaration: Table
    forms: Mapping[str, Form]
    decisions: Mapping[str, bytes]
    scenarios: Mapping[str, bytes]


def read_shelves(files: Mapping[str, bytes], *, declaration: str, folder: str = "") -> Shelves:
    """Sort the files of a folder; raise `ProcedureRefused` for one that has no place in it.

    `folder` is where it lies in a larger one, for the paths of refusals.
    """
    forms: dict[str, bytes] = {}
    decisions: dict[str, bytes] = {}
    scenarios: dict[str, bytes] = {}
    for path, content in sorted(files.items()):
        for shelf, pattern in ((forms, _FORM), (decisions, _DECISION), (scenarios, _SCENARIO)):
            match = pattern.fullmatch(path)
            if match is not None:
                shelf[match[1]] = content
                break
        else:
            if path not in (MODEL, declaration):
                is_foreign = path.endswith((".form", ".html"))
                raise refuse(folder + path, "foreign_form" if is_foreign else "unknown_file")
    for path in (declaration, MODEL):
        if path not in files:
            raise refuse(folder + path, "missing")
    return Shelves(
        model=files[MODEL],
        declaration=Table(_toml(files[declaration], folder + declaration), ""),
        forms={name: _form(f"{folder}forms/{name}.json", one) for name, one in forms.items()},
        decisions=decisions,
        scenarios=scenarios,
    )


def matched(table: Table, key: str, pattern: re.Pattern[str]) -> str:
    """Return a text that fits a pattern."""
    value = table.text(key)
    if not pattern.fullmatch(value):
        raise refuse(f"{table.where}.{key}", "not_allowed", allowed=pattern.pattern)
    return value


def duration(table: Table, key: str, default: str | None = None) -> str:
    """Return the text of a duration: ISO 8601 or an allowance such as `3wd`."""
    text = table.text(key, default)
    try:
        if not text.startswith("P"):
            parse_allowance(text)
        else:
            parse_duration(text)
    except Rejected as exc:
        raise refuse(f"{table.where}.{key}", "not_a_duration") from exc
    return text


def read_parameters(top: Table) -> dict[str, Parameter]:
    """Return the figures of a declaration by name."""
    return {name: _parameter(table) for name, table in top.tables("parameters").items()}


def _toml(content: bytes, where: str) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ProcedureRefused(f"expected TOML, got {exc}", where=where, reason="not_toml") from exc


def _parameter(table: Table) -> Parameter:
    kind = table.choice("type", ("text", "integer", "boolean", "duration", "date"))
    parameter = Parameter(
        value=_parameter_value(table, kind),
        type=kind,
        citation=table.text("citation", ""),
        unconfirmed=table.flag("unconfirmed"),
    )
    table.end()
    return parameter


def _parameter_value(table: Table, kind: str) -> Value:
    value = table.whatever("value")
    match kind, value:
        case "boolean", bool():
            return value
        case "integer", int() if not isinstance(value, bool):
            return Decimal(value)
        case "text", str():
            return value
        case "duration", str():
            return duration(table, "value")
        case "date", date():
            return value
        case _:
            raise refuse(f"{table.where}.value", "wrong_type")


def _form(path: str, content: bytes) -> Form:
    try:
        return parse_form(content)
    except Rejected as exc:
        raise refuse(path, exc.code) from exc
