"""The values of a dossier, each with a version: different names merge, the same name conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dossier.canonical import Json
from storage import bulk, sql
from storage.errors import VersionConflict

_UPSERT = sql.insert_into(
    "case_value",
    "dossier scope name content version",
    otherwise="ON CONFLICT (dossier, scope, name) DO UPDATE SET content = excluded.content,"
    " version = case_value.version + 1",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseChange:
    """Values to be written to one scope of one dossier."""

    dossier: UUID
    values: Mapping[str, Json]
    scope: str = ""  # empty: the dossier itself


def values(dossier: UUID, *, scope: str = "") -> dict[str, Json]:
    """Return the values of a scope by name."""
    rows = sql.all_rows(
        "SELECT name, content FROM case_value WHERE dossier = %s AND scope = %s ORDER BY name",
        (str(dossier), scope),
    )
    return {name: sql.to_json(content) for name, content in rows}


def all_values(dossiers: Sequence[UUID]) -> dict[UUID, dict[str, Json]]:
    """Return the values of several dossiers by one query; a dossier without values is empty."""
    found: dict[UUID, dict[str, Json]] = {one: {} for one in dossiers}
    if not found:
        return found
    condition, ids = bulk.is_one_of("dossier", [str(one) for one in found])
    rows = sql.all_rows(
        f"SELECT dossier, name, content FROM case_value WHERE scope = '' AND {condition}",  # noqa: S608 - our own constants
        ids,
    )
    for dossier, name, content in rows:
        found[UUID(dossier)][name] = sql.to_json(content)
    return found


def versions(dossier: UUID, *, scope: str = "") -> dict[str, int]:
    """Return the version of each value: hand them back to `write` as `expected`."""
    rows = sql.all_rows(
        "SELECT name, version FROM case_value WHERE dossier = %s AND scope = %s",
        (str(dossier), scope),
    )
    return {name: int(version) for name, version in rows}


def write(
    dossier: UUID,
    changed: Mapping[str, Json],
    *,
    scope: str = "",
    expected: Mapping[str, int] | None = None,
) -> None:
    """Write values; with `expected`, only over the versions that were read.

    A name that is not in `expected` was not there when it was read. Raises `VersionConflict` with
    the names that somebody else has written meanwhile; the caller's transaction must roll back.
    """
    if expected is None:
        write_many([CaseChange(dossier=dossier, values=changed, scope=scope)])
        return
    lost = [
        name
        for name, value in sorted(changed.items())
        if not _swap(dossier, scope, name, value, expected.get(name, 0))
    ]
    if lost:
        raise VersionConflict("expected the versions that were read", names=", ".join(lost))


def write_many(changes: Sequence[CaseChange]) -> None:
    """Write values of several dossiers, in an order that cannot deadlock."""
    rows = sorted(
        (str(change.dossier), change.scope, name, sql.from_json(value))
        for change in changes
        for name, value in change.values.items()
    )
    sql.execute_many(_UPSERT, [(*row, 1) for row in rows])


def _swap(dossier: UUID, scope: str, name: str, value: Json, version: int) -> bool:
    if version == 0:
        touched = sql.execute(
            sql.insert_into(
                "case_value",
                "dossier scope name content version",
                otherwise="ON CONFLICT (dossier, scope, name) DO NOTHING",
            ),
            (str(dossier), scope, name, sql.from_json(value), 1),
        )
    else:
        touched = sql.execute(
            "UPDATE case_value SET content = %s, version = version + 1"
            " WHERE dossier = %s AND scope = %s AND name = %s AND version = %s",
            (sql.from_json(value), str(dossier), scope, name, version),
        )
    return touched == 1
