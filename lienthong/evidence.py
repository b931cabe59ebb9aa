"""`lienthong evidence`: one time-stamp over many files, a record for each, and its renewal."""

from __future__ import annotations

from pathlib import Path

import click

from exchange.records import make_records, renew
from exchange.signfiles import KeyFiles

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evidence")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--tsa-key", required=True, type=_FILE, help="Key of a time-stamp authority.")
@click.option("--tsa-cert", required=True, type=_FILE, help="Its certificates in PEM.")
@click.option("--xml", "is_xml", is_flag=True, help="Write XML (RFC 6283) instead of DER.")
@click.option("--renew", "is_renewal", is_flag=True, help="FILES are records: renew them in place.")
def command(
    *, files: tuple[Path, ...], tsa_key: Path, tsa_cert: Path, is_xml: bool, is_renewal: bool
) -> None:
    """Write an evidence record (RFC 4998) beside each of FILES, all under one time-stamp.

    Renew records before the certificate of the authority ends. `lienthong verify FILE.ers` judges a
    record with the file beside it.
    """
    tsa = KeyFiles(key=tsa_key, certificates=tsa_cert, pin=None)
    if is_renewal:
        renew(files, tsa=tsa)
        click.echo(f"lienthong: {len(files)} records renewed", err=True)
        return
    for target in make_records(files, tsa=tsa, is_xml=is_xml):
        click.echo(str(target))
