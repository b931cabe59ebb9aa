"""`lienthong directory`: import the next edition of the signed directory, or look at it."""

from __future__ import annotations

from pathlib import Path

import click

from dossier.clock import SystemClock
from exchange.directory import import_directory
from exchange.settings import settings
from exchange.trust import read_trust
from exchange.wiring import node


@click.group("directory")
def command() -> None:
    """The signed directory."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--anchor", default="", metavar="SHA256", help="Pin this anchor (first import).")
def import_edition(file: Path, anchor: str) -> None:
    """Verify FILE and put it in force."""
    here = settings()
    imported = import_directory(
        file.read_bytes(),
        anchor_sha256=anchor or here.directory_anchor,
        trust=read_trust(here.trust_dir),
        floor=here.trust_dir / "directory.number",
        at=SystemClock().now(),
        by="lienthong",
    )
    click.echo(f"lienthong: directory number {imported.number} is in force", err=True)


@command.command("show")
def show() -> None:
    """Print the agencies of the directory in force."""
    for agency in node().directory().agencies:
        click.echo(f"{agency.code}\t{agency.name_vi}\t{agency.endpoint}")
