"""`lienthong incident`: what a person must look at."""

from __future__ import annotations

import click

from exchange.queries.incidents import open_incidents


@click.group("incident")
def command() -> None:
    """What a person must look at."""


@command.command("list")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True)
def listed(lang: str) -> None:
    """Print the open incidents, newest first."""
    for line in open_incidents(language=lang):
        click.echo(
            f"{line.opened:%Y-%m-%d %H:%M}\t{line.dossier_code}\t{line.code}\t{line.sentence}"
        )
