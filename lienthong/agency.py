"""`lienthong agency`: the agencies that this node hosts."""

from __future__ import annotations

import click

from dossier.ids import parse_agency_code
from exchange import agencies


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


@command.command("list")
def listed() -> None:
    """Print the agencies of this node, and whether their seal is here."""
    for agency in agencies.listed():
        seal = "sealed" if agency.has_seal else "no seal"
        click.echo(f"{agency.code}\t{agency.name_vi}\t{seal}")
