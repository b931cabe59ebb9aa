"""Load a procedure folder as a whole: what it declares and what its model uses must agree.

It takes `{path: bytes}`; reading the disk is not its business. docs/reference/procedure-folder.md
describes every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Final

from dossier.deadline import parse_allowance
from dossier.errors import Rejected
from dossier.form import Form, parse_form
from workflows.agreement import check_agreement
from workflows.definition import deploy_or_refuse
from workflows.errors import ProcedureRefused
from workflows.expressions import Value
from workflows.procedure import (
    Deadline,
    DocumentKind,
    MessageType,
    Names,
    Parameter,
    PauseBasis,
    Procedure,
    Register,
    Role,
)
from workflows.timing import parse_duration
from workflows.tomlread import Table, refuse

MODEL: Final = "process.bpmn"
DECLARATION: Final = "procedure.toml"
BINDINGS: Final = re.compile(r"initiator|addressee|hosted:[a-z0-9_-]+|directory:[a-z0-9_-]+")
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_VERSION: Final = re.compile(r"[0-9]+(\.[0-9]+){0,2}")
_FORM: Final = re.compile(r"forms/([a-z0-9][a-z0-9_-]*)\.json")
_DECISION: Final = re.compile(r"decisions/([a-z0-9][a-z0-9_-]*)\.dmn")
_SCENARIO: Final = re.compile(r"scenarios/([a-z0-9][a-z0-9_-]*)\.yaml")
__all__ = ["Procedure", "load_procedure"]

_URGENCY: Final = ("normal", "urgent", "very_urgent", "immediate")


def load_procedure(files: Mapping[str, bytes]) -> Procedure:
    """Return the procedure of a folder.

    Raise `ProcedureRefused` with the path of the first contradiction, or `DefinitionRefused` for a
    model that cannot run.
    """
    forms, decisions, scenarios = _sort_files(files)
    top = Table(_toml(_required(files, DECLARATION)), "")
    source = _required(files, MODEL)
    deployment = deploy_or_refuse(source)
    head = top.table("procedure")
    procedure = Procedure(
        code=_matched(head, "code", _CODE),
        version=_matched(head, "version", _VERSION),
        name=head.bilingual("name"),
        effective=head.day("effective"),
        citation=head.text("citation"),
        unconfirmed=head.flag("unconfirmed"),
        roles={name: _role(table) for name, table in top.tables("roles").items()},
        messages={name: _message(table) for name, table in top.tables("messages").items()},
        documents={name: _document(table) for name, table in top.tables("documents").items()},
        parameters={name: _parameter(table) for name, table in top.tables("parameters").items()},
        deadline=_deadline(top.table("deadline")) if top.has("deadline") else None,
        pause_bases=tuple(_pause(table) for table in top.listed("pauses")),
        statuses=dict(_status(name, table) for name, table in top.tables("statuses").items()),
        registers={name: _register(table) for name, table in top.tables("registers").items()},
        english=top.texts("elements"),
        forms={name: _form(name, content) for name, content in forms.items()},
        decisions=decisions,
        scenarios=scenarios,
        deployment=deployment,
        source=source,
    )
    head.end()
    top.end()
    check_agreement(procedure)
    return procedure


# --- reading ----------------------------------------------------------------------------------


def _sort_files(
    files: Mapping[str, bytes],
) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]:
    found: tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]] = ({}, {}, {})
    for path, content in sorted(files.items()):
        for shelf, pattern in zip(found, (_FORM, _DECISION, _SCENARIO), strict=True):
            match = pattern.fullmatch(path)
            if match is not None:
                shelf[match[1]] = content
                break
        else:
            if path not in (MODEL, DECLARATION):
                raise refuse(path, "unknown_file")
    return found


def _required(files: Mapping[str, bytes], path: str) -> bytes:
    if path not in files:
        raise refuse(path, "missing")
    return files[path]


def _toml(content: bytes) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ProcedureRefused(
            f"expected TOML, got {exc}", where=DECLARATION, reason="not_toml"
        ) from exc


def _matched(table: Table, key: str, pattern: re.Pattern[str]) -> str:
    value = table.text(key)
    if not pattern.fullmatch(value):
        raise refuse(f"{table.where}.{key}", "not_allowed", allowed=pattern.pattern)
    return value


def _role(table: Table) -> Role:
    role = Role(
        name=table.bilingual("name"),
        bind=_matched(table, "bind", BINDINGS),
        units=table.names("units"),
    )
    table.end()
    return role


def _message(table: Table) -> MessageType:
    message = MessageType(
        name=table.bilingual("name"),
        source=table.text("from"),
        to=table.text("to"),
        documents=table.names("documents"),
        values=table.names("values"),
        payload=table.text("payload", ""),
        urgency=table.choice("urgency", _URGENCY, "normal"),
        expires=_duration(table, "expires", "P3D"),
        assurance_minimum=table.choice("assurance_minimum", ("sealed", "channel"), "sealed"),
    )
    table.end()
    return message


def _document(table: Table) -> DocumentKind:
    kind = DocumentKind(name=table.bilingual("name"), print=table.text("print", ""))
    table.end()
    return kind


def _duration(table: Table, key: str, default: str | None = None) -> str:
    text = table.text(key, default)
    try:
        if not text.startswith("P"):
            parse_allowance(text)
        else:
            parse_duration(text)
    except Rejected as exc:
        raise refuse(f"{table.where}.{key}", "not_a_duration") from exc
    return text


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
            return _duration(table, "value")
        case "date", date():
            return value
        case _:
            raise refuse(f"{table.where}.value", "wrong_type")


def _deadline(table: Table) -> Deadline:
    cutoff = table.text("cutoff", "")
    try:
        if cutoff:
            time.fromisoformat(cutoff)
    except ValueError as exc:
        raise refuse(f"{table.where}.cutoff", "wrong_type") from exc
    deadline = Deadline(
        total=_duration(table, "total"),
        mode=table.choice("mode", ("day", "minute")),
        cutoff=cutoff,
        start=table.choice("start", ("receipt",), "receipt"),
        citation=table.text("citation"),
        unconfirmed=table.flag("unconfirmed"),
    )
    table.end()
    return deadline


def _pause(table: Table) -> PauseBasis:
    status = table.whatever("status") if table.has("status") else None
    if status not in (None, 5, 6):
        raise refuse(f"{table.where}.status", "not_allowed", allowed="5, 6")
    pause = PauseBasis(
        basis=table.text("basis"),
        status=int(status) if isinstance(status, int) else None,
        citation=table.text("citation"),
        unconfirmed=table.flag("unconfirmed"),
    )
    table.end()
    return pause


def _status(name: str, table: Table) -> tuple[int, Names]:
    if not name.isdigit() or not 1 <= int(name) <= 10:
        raise refuse(table.where, "not_allowed", allowed="1–10")
    both = table.bilingual("name")
    table.end()
    return int(name), both


def _register(table: Table) -> Register:
    register = Register(
        pattern=table.text("pattern"),
        name=table.bilingual("name") if table.has("name") else None,
    )
    if "{number}" not in register.pattern:
        raise refuse(f"{table.where}.pattern", "not_allowed", allowed="{number}")
    table.end()
    return register


def _form(name: str, content: bytes) -> Form:
    try:
        return parse_form(content)
    except Rejected as exc:
        raise refuse(f"forms/{name}.json", exc.code) from exc
