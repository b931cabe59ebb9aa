"""`lienthong webhook`: who is told of events, and what they were told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

from dossier.calendar import HERE
from dossier.clock import SystemClock
from exchange import webhooks
from exchange.settings import settings


@click.group("webhook")
def command() -> None:
    """Who is told of events."""


@command.command("add")
@click.argument("name")
@click.option("--url", required=True, help="Where notifications go; its host must be listed.")
@click.option(
    "--secret-file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the shared secret; it is read at every sending and never stored.",
)
@click.option("--kind", "kinds", multiple=True, help="Only this kind of event; repeatable.")
@click.option("--agency", default="", help="Only dossiers of this agency.")
def add(name: str, url: str, secret_file: Path, kinds: tuple[str, ...], agency: str) -> None:
    """Notify URL under the name NAME."""
    webhooks.subscribe(
        settings(),
        name,
        url=url,
        secret_file=secret_file,
        kinds=kinds,
        agency=agency,
        at=SystemClock().now(),
    )


@command.command("list")
@click.argument("name", required=False)
def listed(name: str | None) -> None:
    """Print the subscriptions, or what the subscriber NAME was told."""
    if name is None:
        for one in webhooks.listed():
            kinds = ",".join(one.kinds) or "*"
            click.echo(f"{one.name}\t{one.url}\t{kinds}\t{one.waiting}\t{one.stuck}")
        return
    for told in webhooks.told(name):
        click.echo(
            f"{told.event}\t{told.created:%Y-%m-%dT%H:%M:%SZ}\t{told.kind}\t{told.dossier}\t"
            f"{told.state}\t{told.attempts}\t{told.last_error}"
        )


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Stop notifying NAME; what was not sent yet is dropped."""
    webhooks.unsubscribe(name)


@command.command("replay")
@click.argument("name")
@click.option("--since", type=click.DateTime(), help="Only events from then on (local time).")
@click.option("--event", type=click.UUID, help="Only this event.")
def replay(name: str, since: datetime | None, event: UUID | None) -> None:
    """Send NAME again what it was sent, with the same ids."""
    start = since.replace(tzinfo=HERE) if since else None
    count = webhooks.replay(name, since=start, event=event, at=SystemClock().now())
    click.echo(f"lienthong: {count} notifications are due again", err=True)
