"""`lienthong blobs`: the stored files of this node."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import track

from dossier.clock import SystemClock
from exchange import orphans
from exchange.settings import settings


@click.group("blobs")
def command() -> None:
    """The stored files of this node."""


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
