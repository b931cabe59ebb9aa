"""Publish a drawn process on the one node, open dossiers of it and complete their tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from dossier.canonical import Json
from exchange import advance, submit
from exchange.publish import publish
from storage import facts, instances, sql
from storage.facts import FactKind, NewFact
from storage.transactions import transaction
from tests.builders.chaos import ACTOR, COMMUNE
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.workflows import draw_pools

TOML = """
[procedure]
code = "drawn"
version = "1"
name = {{ vi = "Vẽ", en = "Drawn" }}
effective = 2020-01-01
citation = "-"
[roles.commune]
name = {{ vi = "UBND xã", en = "Commune" }}
bind = "initiator"
[parameters.count]
value = {count}
type = "integer"
"""


def later(one: OneNode) -> datetime:
    """Return an instant after every publication so far: the newest version is opened."""
    (count,) = sql.the_row("SELECT COUNT(*) FROM procedure_version")
    return one.node.now() + timedelta(seconds=int(count))


def opened(one: OneNode, drawn: str, *, count: int = 3) -> UUID:
    """Publish a drawn process, open a dossier and return its instance."""
    files = {
        "procedure.toml": TOML.format(count=count).encode(),
        "process.bpmn": draw_pools({"commune": drawn}, ""),
    }
    publish(files, at=later(one), proposed_by="a", confirmed_by="b")
    return again(one)


def again(one: OneNode) -> UUID:
    """Open another dossier of the drawn procedure."""
    dossier = submit.submit(
        one.node, ACTOR, procedure="drawn", agency=COMMUNE, subject="load", addressee=""
    )
    advance.drain_transitions(one.node, budget=BUDGET)
    (instance,) = instances.of_dossier(dossier)
    return instance.id


def open_at(instance: UUID) -> list[str]:
    """Return the elements of the open tasks."""
    rows = sql.all_rows(
        "SELECT element_id FROM task WHERE instance = %s AND state = 'open' ORDER BY element_id",
        (str(instance),),
    )
    return [str(row[0]) for row in rows]


def complete(
    one: OneNode,
    instance: UUID,
    element: str,
    values: Mapping[str, Json] | None = None,
    then: Callable[[], None] | None = None,
) -> None:
    """Store the fact of one completed task of an element, as the desk does, and advance."""
    (token,) = sql.the_row(
        "SELECT token FROM task WHERE instance = %s AND element_id = %s AND state = 'open'"
        " ORDER BY token LIMIT 1",
        (str(instance), element),
    )
    with transaction():
        sql.execute("UPDATE task SET state = 'completed' WHERE token = %s", (token,))
        facts.add(
            NewFact(
                instance=instance,
                kind=FactKind.TASK_COMPLETED,
                ref=token,
                payload={"values": dict(values or {})},
                actor="load",
                on_behalf_of="",
                at=one.node.now(),
            )
        )
        if then is not None:
            then()
    advance.drain_transitions(one.node, budget=BUDGET)
