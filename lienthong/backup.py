"""`lienthong backup` and `lienthong restore`: a node in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from dossier.clock import SystemClock
from exchange import backup
from exchange.settings import settings


@click.command("backup")
@click.option("-o", "target", type=click.Path(path_type=Path), help="The file to write.")
def back_up(*, target: Path | None) -> int:
    """Write this node's rows, documents and log into one file; private keys stay where they are."""
    at = SystemClock().now()
    chosen = target or Path(backup.default_name(at))
    with _Bar() as bar:
        made = backup.back_up(settings(), chosen, at=at, progress=bar.show)
    click.echo(str(chosen))
    manifest = made.manifest
    click.echo(f"lienthong: log of {manifest.log_size} entries, epoch {manifest.epoch}", err=True)
    for one in made.missing:
        click.echo(f"lienthong: error: the file {one} is named by a row and not stored", err=True)
    return 1 if made.missing else 0


@click.command("restore")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newest checkpoint of the old log that anybody kept.",
)
def restore(*, source: Path, checkpoint: Path | None) -> None:
    """Fill this node's empty database and blob folder from a backup."""
    known = checkpoint.read_bytes() if checkpoint else b""
    with _Bar() as bar:
        found = backup.restore(
            settings(), source, at=SystemClock().now(), progress=bar.show, checkpoint=known
        )
    click.echo(
        f"lienthong: restored a log of {found.manifest.log_size} entries; new epoch {found.epoch}",
        err=True,
    )
    if found.behind:
        click.echo(
            f"lienthong: the backup is {found.behind} entries behind the checkpoint", err=True
        )


class _Bar:
    """A progress bar on stderr, one line for each kind of part; mutable."""

    def __init__(self) -> None:
        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._lines: dict[str, object] = {}

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts are through."""
        line = self._lines.get(what)
        if line is None:
            line = self._lines[what] = self._progress.add_task(what, total=total)
        self._progress.update(line, completed=done, total=total)  # type: ignore[arg-type]  # rich's TaskID
