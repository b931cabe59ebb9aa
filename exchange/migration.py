"""Use case: let running dossiers go on under another version of their procedure.

Nothing is guessed: a file maps every element on which a token may stand. One transaction per
instance; what cannot move stays where it is and is named.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.errors import LienThongError
from dossier.ids import Sha256
from dossier.model import Actor
from dossier.repair import Block, Migrated, Place
from exchange import access, intervene
from exchange.chronicle import Event
from exchange.effects import effects
from exchange.errors import ReasonMissing
from exchange.intervene import Change, Read
from exchange.node import Node
from exchange.repair_errors import MappingRefused
from exchange.stepping import adopt
from exchange.values import to_values
from storage import instances
from storage.facts import Fact, FactKind
from workflows import migrate as engine
from workflows.errors import MigrationRefused
from workflows.expressions import Value
from workflows.procedure import Procedure

_TABLES: Final = ("elements", "flows")
_LARGEST_BYTES: Final = 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """Which version becomes which, and how."""

    before: Procedure
    after: Procedure
    package_before: Sha256
    package_after: Sha256
    mapping: Mapping[str, str]  # elements and flows of the old version → those of the new one


def prepare(node: Node, code: str, *, before: str, after: str, mapping: bytes | None) -> Migration:
    """Return a migration; without a mapping, identical ids are mapped to themselves.

    Raises `ProcedureUnknown` and `MappingRefused`.
    """
    contracts = node.contracts()
    old, new = contracts.version(code, before), contracts.version(code, after)
    return Migration(
        before=old,
        after=new,
        package_before=contracts.package(code, before),
        package_after=contracts.package(code, after),
        mapping=propose(old, new) if mapping is None else parse_mapping(mapping, old, new),
    )


def propose(before: Procedure, after: Procedure) -> dict[str, str]:
    """Return the elements and flows with the same id and kind in both versions."""
    found: dict[str, str] = {}
    for role in before.deployment.roles:
        if role in after.deployment.roles:
            found |= engine.propose(before.definition(role), after.definition(role))
    return found


def parse_mapping(content: bytes, before: Procedure, after: Procedure) -> dict[str, str]:
    """Return the mapping of a TOML file; raise `MappingRefused` for ids that do not exist."""
    try:
        tables = tomllib.loads(content[:_LARGEST_BYTES].decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise MappingRefused(f"expected TOML, got {exc}", what="TOML") from exc
    if unknown := sorted(tables.keys() - set(_TABLES)):
        raise MappingRefused(f"expected tables {_TABLES}, got {unknown[0]}", what=unknown[0])
    found: dict[str, str] = {}
    for name in _TABLES:
        old, new = _ids(before, name), _ids(after, name)
        for source, target in dict(tables.get(name, {})).items():
            if source not in old or target not in new:
                wrong = source if source not in old else str(target)
                raise MappingRefused(f"expected a known id, got {wrong}", what=wrong)
            found[source] = target
    return found


def mapping_text(migration: Migration) -> str:
    """Return a mapping as the file that a person edits; what has no target is a comment."""
    lines = []
    for name in _TABLES:
        lines.append(f"[{name}]")
        for source in sorted(_ids(migration.before, name)):
            target = migration.mapping.get(source)
            lines.append(f'"{source}" = "{target}"' if target else f'# "{source}" = ""')
        lines.append("")
    return "\n".join(lines)


def _ids(procedure: Procedure, table: str) -> set[str]:
    found: set[str] = set()
    for role in procedure.deployment.roles:
        process = procedure.definition(role).process
        found |= set(process.nodes if table == "elements" else process.flows)
    return found


def count(migration: Migration) -> int:
    """Return how many instances run under the old version."""
    return len(instances.of_definition(migration.package_before))


def rehearse(node: Node, actor: Actor, migration: Migration) -> Iterator[Migrated]:
    """Yield what would become of every running instance; nothing changes."""
    for instance in instances.of_definition(migration.package_before):
        before = intervene.read(node, instance)
        try:
            change = _decide(node, actor, before, migration, reason="rehearsal")
        except LienThongError as exc:
            yield _blocked(before, migration, exc)
        else:
            yield _told(before, migration, change)


def migrate_all(
    node: Node, actor: Actor, migration: Migration, *, reason: str
) -> Iterator[Migrated]:
    """Move every running instance that can move, each in a transaction of its own.

    Instances that moved before are not met again, so a batch that was broken off goes on. Raises
    `ReasonMissing` before anything is done.
    """
    said = " ".join(reason.split())[:500]
    if not said:
        raise ReasonMissing("expected a reason for the migration, got none")
    for instance in instances.of_definition(migration.package_before):
        yield _migrate_one(node, actor, instance, migration, said)


def _migrate_one(
    node: Node, actor: Actor, instance: UUID, migration: Migration, reason: str
) -> Migrated:
    done: list[Migrated] = []

    def decide(before: Read) -> Change:
        change = _decide(node, actor, before, migration, reason=reason)
        done[:] = [_told(before, migration, change)]
        return change

    try:
        intervene.intervene(node, instance, decide, at=node.now())
    except LienThongError as exc:
        return _blocked(intervene.read(node, instance), migration, exc)
    return done[0]


def _decide(node: Node, actor: Actor, before: Read, migration: Migration, *, reason: str) -> Change:
    now = node.now()
    allowed = access.may_repair(actor, before.dossier, at=now)
    access.demand(allowed=allowed, what="migrate dossiers")
    _demand_roles(before, migration)
    role = before.instance.role
    transition = engine.migrate(
        migration.before.definition(role),
        migration.after.definition(role),
        before.instance.snapshot,
        migration.mapping,
        values=_known(before, migration),
        at=now,
    )
    stepped = adopt(
        before.instance,
        procedure=migration.after,
        transition=transition,
        by=_by(before, actor, now),
        values=before.values,
        at=now,
    )
    event = Event(
        dossier=before.dossier.id,
        at=now,
        kind="instance_migrated",
        instance=before.instance.id,
        actor=actor.username,
        parameters={
            "reason": reason,
            "from": migration.before.version,
            "to": migration.after.version,
        },
    )
    return Change(stepped=stepped, events=[event], package_sha256=migration.package_after)


def _by(before: Read, actor: Actor, at: datetime) -> Fact:
    return Fact(
        id=0,
        instance=before.instance.id,
        kind=FactKind.RETRY,
        ref="",
        payload={},
        actor=actor.username,
        on_behalf_of="",
        at=at,
    )


def _known(before: Read, migration: Migration) -> dict[str, Value]:
    return {**to_values(before.values), "param": dict(migration.after.parameter_values)}


def _demand_roles(before: Read, migration: Migration) -> None:
    """Refuse a version with a partner whom this dossier has bound to no agency."""
    bound = {*before.dossier.bindings, before.instance.role}
    unbound = sorted(set(migration.after.roles) - bound)
    if unbound:
        raise MigrationRefused(
            "expected a version whose roles are bound, got another",
            element=unbound[0],
            reason="role_unbound",
            count=len(unbound),
        )


# --- what is told -------------------------------------------------------------------------------


def _told(before: Read, migration: Migration, change: Change) -> Migrated:
    plan = _plan(before, migration)
    return Migrated(
        dossier_code=before.dossier.code,
        role=before.instance.role,
        moves=True,
        code="",
        kept=_named(migration.before, plan.kept),
        reopened=_named(migration.before, plan.reopened),
        armed=_named(migration.after, plan.armed),
        effects=tuple(effects(change.stepped, before)),
        blocks=(),
    )


def _blocked(before: Read, migration: Migration, error: LienThongError) -> Migrated:
    blocks: tuple[Block, ...] = ()
    if isinstance(error, MigrationRefused):
        reason, element = str(error.parameters["reason"]), str(error.parameters["element"])
        blocks = (Block(place=_place(migration.before, element), reason=reason),)
        if before.instance.role in migration.after.deployment.roles and before.instance.snapshot:
            found = _plan(before, migration).blocks
            named = [
                Block(place=_place(migration.before, o.element), reason=o.reason) for o in found
            ]
            blocks = tuple(named) or blocks
    return Migrated(
        dossier_code=before.dossier.code,
        role=before.instance.role,
        moves=False,
        code=error.code,
        kept=(),
        reopened=(),
        armed=(),
        effects=(),
        blocks=blocks,
    )


def _plan(before: Read, migration: Migration) -> engine.Plan:
    role = before.instance.role
    return engine.plan(
        migration.before.definition(role),
        migration.after.definition(role),
        before.instance.snapshot,
        migration.mapping,
    )


def _named(procedure: Procedure, elements: Sequence[str]) -> tuple[Place, ...]:
    return tuple(_place(procedure, one) for one in elements)


def _place(procedure: Procedure, element: str) -> Place:
    return Place(element_id=element, name=procedure.element_name(element))
