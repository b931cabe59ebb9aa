"""Load a procedure folder as a whole: what it declares and what its model uses must agree.

It takes `{path: bytes}`; reading the disk is not its business. docs/reference/procedure-folder.md
describes every key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Final

from workflows.agreement import check_agreement
from workflows.definition import deploy_or_refuse
from workflows.parts import PART_DECLARATION, load_part, split_parts, with_parts
from workflows.procedure import (
    Deadline,
    DocumentKind,
    MessageType,
    Names,
    PauseBasis,
    Procedure,
    Register,
    Role,
)
from workflows.shelves import MODEL, VERSION, duration, matched, read_parameters, read_shelves
from workflows.tomlread import Table, refuse

__all__ = ["DECLARATION", "MODEL", "Procedure", "is_part", "load_folder", "load_procedure"]

DECLARATION: Final = "procedure.toml"
BINDINGS: Final = re.compile(r"initiator|addressee|hosted:[a-z0-9_-]+|directory:[a-z0-9_-]+")
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_URGENCY: Final = ("normal", "urgent", "very_urgent", "immediate")


def load_procedure(files: Mapping[str, bytes]) -> Procedure:
    """Return the procedure of a folder.

    Raise `ProcedureRefused` with the path of the first contradiction, or `DefinitionRefused` for a
    model that cannot run.
    """
    own, parts = split_parts(files)
    shelves = read_shelves(own, declaration=DECLARATION)
    top = shelves.declaration
    deployment = deploy_or_refuse(shelves.model, [part.linked for part in parts])
    head = top.table("procedure")
    procedure = Procedure(
        code=matched(head, "code", _CODE),
        version=matched(head, "version", VERSION),
        name=head.bilingual("name"),
        effective=head.day("effective"),
        citation=head.text("citation"),
        unconfirmed=head.flag("unconfirmed"),
        roles={name: _role(table) for name, table in top.tables("roles").items()},
        messages={name: _message(table) for name, table in top.tables("messages").items()},
        documents={name: _document(table) for name, table in top.tables("documents").items()},
        parameters=read_parameters(top),
        deadline=_deadline(top.table("deadline")) if top.has("deadline") else None,
        pause_bases=tuple(_pause(table) for table in top.listed("pauses")),
        statuses=dict(_status(name, table) for name, table in top.tables("statuses").items()),
        registers={name: _register(table) for name, table in top.tables("registers").items()},
        english=top.texts("elements"),
        forms=shelves.forms,
        decisions=shelves.decisions,
        scenarios=shelves.scenarios,
        deployment=deployment,
        source=shelves.model,
    )
    head.end()
    top.end()
    procedure = with_parts(procedure, parts)
    check_agreement(procedure)
    return procedure


def load_folder(files: Mapping[str, bytes]) -> Procedure:
    """Return the procedure of a folder, or the part of a folder with a `part.toml`."""
    return load_part(files) if is_part(files) else load_procedure(files)


def is_part(files: Mapping[str, bytes]) -> bool:
    """Tell whether the files are those of a part."""
    return PART_DECLARATION in files and DECLARATION not in files


# --- reading ----------------------------------------------------------------------------------


def _role(table: Table) -> Role:
    if isinstance(table.whatever("bind") if table.has("bind") else "", list):
        raise refuse(f"{table.where}.bind", "bound_twice")
    role = Role(
        name=table.bilingual("name"),
        bind=matched(table, "bind", BINDINGS),
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
        expires=duration(table, "expires", "P3D"),
        assurance_minimum=table.choice("assurance_minimum", ("sealed", "channel"), "sealed"),
    )
    table.end()
    return message


def _document(table: Table) -> DocumentKind:
    kind = DocumentKind(name=table.bilingual("name"), print=table.text("print", ""))
    table.end()
    return kind


def _deadline(table: Table) -> Deadline:
    cutoff = table.text("cutoff", "")
    try:
        if cutoff:
            time.fromisoformat(cutoff)
    except ValueError as exc:
        raise refuse(f"{table.where}.cutoff", "wrong_type") from exc
    deadline = Deadline(
        total=duration(table, "total"),
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
