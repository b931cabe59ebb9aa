"""`lienthong blobs`: the stored files of this node."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from dossier.clock import SystemClock
from exchange import mending, orphans
from exchange.settings import settings


@click.group("blobs")
def command() -> None:
    """The stored files of this node."""


@command.command("check")
@click.option(
    "--backup",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put bad files back from this backup.",
)
def check(*, backup: Path | None) -> int:
    """Read every stored file that a row names; exit 1 when one is missing or damaged."""
    bad = 0
    examined = mending.examine(settings(), backup=backup)
    console = Console(stderr=True)
    for one in track(examined, "files", mending.count(), console=console, transient=True):
        if one.error:
            click.echo(f"{one.sha256}\t{one.error}\t{'put back' if one.is_mended else 'bad'}")
            bad += not one.is_mended
    click.echo(f"lienthong: {bad} files are missing or damaged", err=True)
    return 1 if bad else 0


@command.command("collect")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def collect(*, dry_run: bool) -> None:
    """Remove stored files that no row names and that are older than LIENTHONG_BLOB_GRACE_HOURS."""
    work = orphans.find if dry_run else orphans.collect
    found = work(settings(), at=SystemClock().now())
    count, size = 0, 0
    for one in track(found, "orphans", console=Console(stderr=True), transient=True):
        click.echo(f"{one.sha256}\t{one.size_bytes}")
        count, size = count + 1, size + one.size_bytes
    said = "would be removed" if dry_run else "removed"
    click.echo(f"lienthong: {count} files of {size} bytes {said}", err=True)
