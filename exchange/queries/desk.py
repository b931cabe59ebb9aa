"""The desk: what a person should see first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from dossier.calendar import HERE, local_day
from dossier.model import Actor, Desk, DeskRow
from exchange import standin
from exchange.node import Node
from storage import desk as rows


def desk(node: Node, actor: Actor, *, limit: int = 50) -> Desk:
    """Return the four groups of the person's desk with their counts."""
    now = node.now()
    found = rows.desk(
        rows.DeskQuery(
            username=actor.username,
            bindings=(*actor.bindings, *standin.covered_bindings(actor, at=now)),
            now=now,
            day_end=end_of_day(now),
            limit=limit,
        )
    )
    names = {one.code: one.name for one in node.contracts().all_effective(day=local_day(now))}

    def named(row: DeskRow) -> DeskRow:
        return replace(row, procedure=names.get(row.procedure["vi"], row.procedure))

    return Desk(
        counts=found.counts,
        rows={group: [named(row) for row in listed] for group, listed in found.rows.items()},
    )


def end_of_day(now: datetime) -> datetime:
    """Return the last instant of the local day, in UTC."""
    tomorrow = local_day(now) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=HERE).astimezone(UTC)
