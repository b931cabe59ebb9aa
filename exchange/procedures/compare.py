"""Use case: say what differs between two versions of a procedure, element by element."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum, StrEnum, unique
from pathlib import Path
from typing import Any, Final, TypeAlias

from dossier.canonical import Json
from dossier.texts import Language, render
from exchange.procedures.folder import read_folder
from workflows.package import DECLARATION, MODEL, load_folder
from workflows.parts import PART_DECLARATION
from workflows.procedure import Procedure

_PLACE: Final = ("line", "incoming", "outgoing", "id")  # of a node: where it is, not what it is
_LABELS: Final = "elements"  # the table of English labels; it is compared with the elements

Traits: TypeAlias = dict[str, str]  # what is known of one thing, by key
Things: TypeAlias = dict[str, Traits]  # by place, such as `process.bpmn#check_application`


@unique
class ChangeKind(StrEnum):
    """What happened to a thing between the two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference."""

    kind: ChangeKind
    place: str  # file, with the element, field or table after `#`
    key: str = ""  # of a changed thing
    before: str = ""
    after: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What differs between two folders."""

    before: str  # code and version
    after: str
    is_same_contract: bool  # process.bpmn has the same bytes
    changes: tuple[Change, ...]


def compare_folders(before: Path, after: Path) -> Compared:
    """Compare two procedure folders; raise the refusals of reading them."""
    return compare_files(read_folder(before), read_folder(after))


def compare_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Compared:
    """Compare the files of two procedure folders."""
    old, new = load_folder(before), load_folder(after)
    changes = differences(_things(old, before), _things(new, after))
    return Compared(
        before=f"{old.code} {old.version}",
        after=f"{new.code} {new.version}",
        is_same_contract=old.digest == new.digest,
        changes=tuple(changes),
    )


def comparison_json(compared: Compared) -> dict[str, Json]:
    """Return the comparison as plain JSON."""
    return {
        "before": compared.before,
        "after": compared.after,
        "same_contract": compared.is_same_contract,
        "changes": [
            {
                "kind": change.kind.value,
                "place": change.place,
                "key": change.key,
                "before": change.before,
                "after": change.after,
            }
            for change in compared.changes
        ],
    }


def comparison_lines(compared: Compared, *, language: Language) -> Iterator[str]:
    """Yield what a person reads of a comparison."""
    yield f"{compared.before} → {compared.after}"
    contract = "same_contract" if compared.is_same_contract else "other_contract"
    yield render("comparison", contract, language)
    if not compared.changes:
        yield render("comparison", "no_change", language)
    yield from change_lines(compared.changes)


def change_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield one line for each difference."""
    for change in changes:
        match change.kind:
            case ChangeKind.ADDED:
                yield f"+ {change.place}"
            case ChangeKind.REMOVED:
                yield f"- {change.place}"
            case ChangeKind.CHANGED:
                before, after = change.before or "–", change.after or "–"
                yield f"~ {change.place} {change.key}: {before} → {after}"


def differences(before: Things, after: Things) -> Iterator[Change]:
    """Yield what differs between two sets of things, in the order of their places."""
    for place in sorted(before.keys() | after.keys()):
        if place not in after:
            yield Change(kind=ChangeKind.REMOVED, place=place)
        elif place not in before:
            yield Change(kind=ChangeKind.ADDED, place=place)
        else:
            yield from _changed(place, before[place], after[place])


def _changed(place: str, before: Traits, after: Traits) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield Change(kind=ChangeKind.CHANGED, place=place, key=key, before=old, after=new)


# --- what a folder says -------------------------------------------------------------------------


def _things(procedure: Procedure, files: Mapping[str, bytes]) -> Things:
    things: Things = dict(_drawn(procedure))
    for path, content in files.items():
        file = path.rpartition("/")[2]
        if "/forms/" in f"/{path}":
            things.update(_fields(path, json.loads(content)))
        elif file in (DECLARATION, PART_DECLARATION):
            things.update(_declared(path, tomllib.loads(content.decode())))
        elif file != MODEL:
            things[path] = {"content": content.decode(errors="replace")}
    return things


def _declared(file: str, tables: Mapping[str, Any]) -> Iterator[tuple[str, Traits]]:
    """Yield the tables of a declaration, those of roles, messages… one by one."""
    for name, table in tables.items():
        if name == _LABELS:
            continue
        if isinstance(table, list):
            for number, entry in enumerate(table, start=1):
                yield f"{file}#{name}.{number}", dict(_flat(entry))
        elif table and all(isinstance(inner, Mapping) for inner in table.values()):
            for inner, entry in table.items():
                yield f"{file}#{name}.{inner}", dict(_flat(entry))
        else:
            yield f"{file}#{name}", dict(_flat(table))


def _drawn(procedure: Procedure) -> Iterator[tuple[str, Traits]]:
    """Yield the pools, elements and flows, without where they are drawn."""
    for pool in procedure.collaboration.pools:
        yield f"{MODEL}#{pool.role}", dict(_flat({"name": pool.name, "lanes": pool.lanes}))
    for message in procedure.collaboration.flows:
        yield f"{MODEL}#{message.id}", dict(_flat(asdict(message)))
    for role in procedure.deployment.roles:
        process = procedure.definition(role).process
        for node in process.nodes.values():
            traits = {key: value for key, value in asdict(node).items() if key not in _PLACE}
            names = dict(procedure.element_name(node.id))
            yield procedure.place_of(node.id), dict(_flat({**traits, "name": names}))
        for flow in process.flows.values():
            traits = {key: value for key, value in asdict(flow).items() if key not in _PLACE}
            yield procedure.place_of(flow.id), dict(_flat(traits))


def _fields(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Traits]]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        yield f"{path}#{name}", dict(_flat({**field, "required": name in required}))
    rest = {key: value for key, value in schema.items() if key not in ("properties", "required")}
    yield path, dict(_flat(rest))


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested tables and lists by their dotted path; nothing for nothing."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "line":
                yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        yield from _listed(value, path)
    elif value is not None and value != "":
        yield path, str(value.value if isinstance(value, Enum) else value)


def _listed(values: Sequence[object], path: str) -> Iterator[tuple[str, str]]:
    if any(isinstance(inner, Mapping | list | tuple) for inner in values):
        for number, inner in enumerate(values, start=1):
            yield from _flat(inner, f"{path}.{number}")
    elif values:
        yield path, ", ".join(map(str, values))
