"""The verbs of `lienthong log` that read this node's database."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from exchange import logproofs
from exchange.wiring import node

_FILE: Final[Any] = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER: Final[Any] = click.Path(file_okay=False, path_type=Path)


@click.command("checkpoint")
def checkpoint() -> None:
    """Print the newest signed head of the log."""
    click.echo(logproofs.newest_checkpoint(node()).decode(), nl=False)


@click.command("key")
def key() -> None:
    """Print the key that others verify this log's heads with."""
    for one in logproofs.keys(node()):
        click.echo(one)


@click.command("prove")
@click.argument("index", nargs=-1, type=click.IntRange(min=0))
@click.option("--dossier", "code", help="All entries of this dossier.")
@click.option("-o", "folder", default=Path(), type=_FOLDER, help="Folder of the files to write.")
def prove(index: tuple[int, ...], code: str | None, folder: Path) -> None:
    """Write the entries numbered INDEX and the proofs that the log holds them."""
    here = node()
    found = logproofs.prove(here, index) + (logproofs.prove_dossier(here, code) if code else [])
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        (folder / f"{one.index}.entry").write_bytes(one.entry)
        (folder / f"{one.index}.proof").write_bytes(one.proof)
        click.echo(str(folder / f"{one.index}.proof"))


@click.command("consistency")
@click.argument("old", type=_FILE)
def consistency(old: Path) -> None:
    """Print the proof that this log continues that of the checkpoint in file OLD."""
    click.echo(logproofs.prove_growth(node(), old.read_bytes()).decode(), nl=False)
