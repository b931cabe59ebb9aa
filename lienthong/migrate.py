"""`lienthong migrate`: bring the node's database up to this version's schema."""

from __future__ import annotations

import click

from exchange.migrate import migrate


@click.command("migrate")
def command() -> None:
    """Create or update the tables of this node's database."""
    applied = migrate()
    click.echo(
        f"lienthong: {applied} migrations applied" if applied else "lienthong: up to date", err=True
    )
