"""`lienthong directory`: import the next edition of the signed directory, or look at it."""

from __future__ import annotations

from pathlib import Path

import click

from dossier.clock import SystemClock
from exchange import editions
from exchange.directory import import_directory
from exchange.settings import settings
from exchange.signfiles import KeyFiles
from exchange.trust import read_trust
from exchange.wiring import node

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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


@command.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--sealed",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the edition in force there too, as it was sealed: the next one's --previous.",
)
@click.argument("file", required=False, type=_FILE)
def export(file: Path | None, output: Path | None, sealed: Path | None) -> None:
    """Print the edition in FILE, or the one in force, as its authority edits it (TOML)."""
    if sealed is not None:
        sealed.write_bytes(editions.in_force()[1])
    source = editions.export_source(settings(), file)
    if output is None:
        click.echo(source, nl=False)
    else:
        output.write_text(source, "utf-8")


@command.command("sign")
@click.argument("source", type=_FILE)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--previous", type=_FILE, help="The sealed edition before; none for the first.")
@click.option("--key", required=True, type=_FILE, help="The authority's key, PKCS#8 PEM.")
@click.option("--cert", required=True, type=_FILE, help="Its certificates in PEM.")
@click.option("--pin-file", type=_FILE, help="File with the key's PIN.")
@click.option("--tsa-key", type=_FILE, help="Key of a time-stamp authority: level B-T.")
@click.option("--tsa-cert", type=_FILE, help="Its certificates in PEM.")
def sign(
    *,
    source: Path,
    output: Path,
    previous: Path | None,
    key: Path,
    cert: Path,
    pin_file: Path | None,
    tsa_key: Path | None,
    tsa_cert: Path | None,
) -> None:
    """Seal the edition that SOURCE (TOML) describes, as the successor of the previous one."""
    pin = pin_file.read_bytes().strip() if pin_file else None
    edition, changes = editions.sign_source(
        source,
        output,
        here=settings(),
        previous=previous,
        key=KeyFiles(key=key, certificates=cert, pin=pin),
        tsa=KeyFiles(key=tsa_key, certificates=tsa_cert, pin=None) if tsa_key else None,
    )
    for line in changes:
        click.echo(line)
    click.echo(f"lienthong: {output.name}: directory number {edition.number}", err=True)


@command.command("diff")
@click.argument("file", type=_FILE)
@click.argument("other", required=False, type=_FILE)
def diff(file: Path, other: Path | None) -> None:
    """Print what FILE changes in the edition in force, or in the one in OTHER."""
    for line in editions.compare(settings(), file, other):
        click.echo(line)


@command.command("show")
def show() -> None:
    """Print the agencies of the directory in force."""
    for agency in node().directory().agencies:
        click.echo(f"{agency.code}\t{agency.name_vi}\t{agency.endpoint}")
