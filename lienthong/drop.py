"""`lienthong drop`: the folders of agencies that have no service."""

from __future__ import annotations

import click

from exchange import folders
from exchange.wiring import node


@click.group("drop")
def command() -> None:
    """Folders of agencies without a service."""


@command.command("add")
@click.argument("agency")
def add(agency: str) -> None:
    """Make the folder of AGENCY; the directory must allow it the channel filedrop."""
    click.echo(folders.add_folder(node(), agency))


@command.command("list")
def listed() -> None:
    """Print the folders, what waits in them, and how many files could not be used."""
    for one in folders.listed(node()):
        click.echo(f"{one.agency}\t{one.path}\t{one.waiting}\t{one.refused}")


@command.command("sweep")
def sweep() -> None:
    """Deal with all folders now, as the worker does every second."""
    done = folders.sweep_folders(node()).done
    click.echo(f"lienthong: {done} files", err=True)
