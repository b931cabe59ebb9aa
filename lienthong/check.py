"""`lienthong check`: examine this node and say what to do."""

from __future__ import annotations

import click

from dossier.texts import Language
from exchange.examine import examine
from exchange.examine_partners import examine_partners
from exchange.settings import settings
from exchange.wiring import node


@click.command("check")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True)
@click.option("--partners/--no-partners", default=True, help="Call every partner as well.")
def command(lang: str, *, partners: bool) -> int:
    """Examine this node and its partners; exit 1 when something needs an operator."""
    found = examine(settings())
    if partners and any(one.code == "directory" and one.is_good for one in found):
        found += examine_partners(node())
    for one in found:
        click.echo(f"{'ok ' if one.is_good else 'BAD'} {one.say(Language(lang))}")
    return 0 if all(one.is_good for one in found) else 1
