"""`lienthong agency`: the agencies that this node hosts."""

from __future__ import annotations

from pathlib import Path

import click

from dossier.clock import SystemClock
from dossier.ids import parse_agency_code
from exchange import agencies, rotate
from exchange.settings import settings
from exchange.wiring import node

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("agency")
def command() -> None:
    """Agencies that this node hosts."""


@command.command("add")
@click.argument("code")
@click.option("--name-vi", required=True, help="Name in Vietnamese.")
@click.option("--name-en", required=True, help="Name in English.")
def add(code: str, name_vi: str, name_en: str) -> None:
    """Host the agency CODE on this node; its seal belongs into the keys folder."""
    agencies.add(parse_agency_code(code), name_vi=name_vi, name_en=name_en)


@command.command("rotate-key")
@click.argument("code")
@click.option("--cert", type=_FILE, help="The new certificates in PEM, the seal's first.")
def rotate_key(code: str, cert: Path | None) -> None:
    """Make the next sealing key of CODE; with --cert, put it in place of the present one."""
    agency = parse_agency_code(code)
    if cert is None:
        click.echo(rotate.prepare(settings(), agency))
        click.echo(
            "lienthong: hint: let the certification authority certify it and the directory "
            "authority bind it, then run this with --cert",
            err=True,
        )
        return
    done = rotate.install(
        settings(),
        agency,
        certificates=cert.read_bytes(),
        directory=node().directory(),
        at=SystemClock().now(),
    )
    click.echo(f"{done.new_sha256}\t{done.new_until:%Y-%m-%d}")
    if done.old_until:
        click.echo(
            f"lienthong: the old seal stays bound until {done.old_until:%Y-%m-%d %H:%M}", err=True
        )


@command.command("list")
def listed() -> None:
    """Print the agencies of this node, and whether their seal is here."""
    for agency in agencies.listed():
        seal = "sealed" if agency.has_seal else "no seal"
        click.echo(f"{agency.code}\t{agency.name_vi}\t{seal}")
