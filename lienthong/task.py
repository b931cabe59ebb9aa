"""`lienthong task`: open work of this node, and giving it to somebody."""

from __future__ import annotations

import json
from dataclasses import asdict
from uuid import UUID

import click

from dossier.calendar import HERE
from dossier.clock import SystemClock
from exchange import taskhand
from exchange.queries.tasks import open_tasks
from exchange.wiring import node


@click.group("task")
def command() -> None:
    """Work that waits for people."""


@command.command("list")
@click.option("--agency", default="", help="Code of one agency.")
@click.option("--overdue", is_flag=True, help="Only what is overdue.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def listed(agency: str, overdue: bool, limit: int, as_json: bool) -> None:
    """Print open tasks, those due first."""
    at = SystemClock().now() if overdue else None
    found = open_tasks(agency=agency, overdue_at=at, limit=limit)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    for one in found:
        due = f"{one.due.astimezone(HERE):%Y-%m-%d %H:%M}" if one.due else "-"
        holder = one.holder or "-"
        click.echo(f"{one.id}\t{due}\t{one.dossier_code}\t{one.element_id}\t{one.role}\t{holder}")


@command.command("hand-over")
@click.argument("identifier", type=click.UUID)
@click.option("--to", required=True, help="Who shall do it; must be somebody who may.")
@click.option("--reason", required=True, help="Stands in the history of the dossier.")
def hand_over(identifier: UUID, to: str, reason: str) -> None:
    """Give the task IDENTIFIER to somebody, as the operator."""
    taskhand.hand_over(node(), identifier, to=to, reason=reason)
