"""`lienthong evidence`: one time-stamp over many files, a record for each, and its renewal."""

from __future__ import annotations

from pathlib import Path

import click

from exchange.records import make_records, renew
from lienthong.timestamping import required_tsa, tsa_options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evidence")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@tsa_options
@click.option("--xml", "is_xml", is_flag=True, help="Write XML (RFC 6283) instead of DER.")
@click.option("--renew", "is_renewal", is_flag=True, help="FILES are records: renew them in place.")
def command(
    *,
    files: tuple[Path, ...],
    tsa: str | None,
    tsa_key: Path | None,
    tsa_cert: Path | None,
    is_xml: bool,
    is_renewal: bool,
) -> None:
    """Write an evidence record (RFC 4998) beside each of FILES, all under one time-stamp.

    Renew records before the certificate of the authority ends. `lienthong verify FILE.ers` judges a
    record with the file beside it.
    """
    stamped_by = required_tsa(tsa, key=tsa_key, cert=tsa_cert)
    if is_renewal:
        renew(files, tsa=stamped_by)
        click.echo(f"lienthong: {len(files)} records renewed", err=True)
        return
    for target in make_records(files, tsa=stamped_by, is_xml=is_xml):
        click.echo(str(target))
