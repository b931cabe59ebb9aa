"""`lienthong trust`: fetch what authorities say about revocation; verifying itself calls nobody."""

from __future__ import annotations

from pathlib import Path

import click

from exchange.revocation import Fetched, fetch_for_files, fetch_for_node
from exchange.settings import settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("trust")
def command() -> None:
    """What authorities say about revocation."""


@command.command("fetch")
@click.argument("certificates", nargs=-1, type=_FILE)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for *.crl and *.ocsp of CERTIFICATES.",
)
def fetch(*, certificates: tuple[Path, ...], into: Path | None) -> int:
    """Fetch the CRLs of this node, or CRLs and OCSP responses for CERTIFICATES (PEM or DER).

    Only hosts of LIENTHONG_OUTBOUND_HOSTS are asked. The workers fetch the node's CRLs every hour.
    Exit 1 when an address gave nothing usable.
    """
    if certificates and into is None:
        raise click.UsageError("--into says where the files of CERTIFICATES go")
    if certificates and into is not None:
        fetched = fetch_for_files(certificates, into=into, hosts=settings().outbound_hosts)
    else:
        from exchange.boot import boot  # noqa: PLC0415 - only the node's own trust needs it

        boot()
        from exchange.wiring import node  # noqa: PLC0415 - after the boot

        fetched = fetch_for_node(node())
    for one in fetched:
        click.echo(_line(one))
    return 1 if any(one.error for one in fetched) else 0


def _line(one: Fetched) -> str:
    outcome = one.error or ("new" if one.is_new else "unchanged")
    return f"{outcome}\t{one.address}\t{one.file or ''}"
