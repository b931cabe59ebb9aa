"""`lienthong check`: examine this node and say what to do."""

from __future__ import annotations

import click

from dossier.texts import Language
from exchange.examine import examine
from exchange.settings import settings


@click.command("check")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True)
def command(lang: str) -> int:
    """Examine this node; exit 1 when something needs an operator."""
    found = examine(settings())
    for one in found:
        click.echo(f"{'ok ' if one.is_good else 'BAD'} {one.say(Language(lang))}")
    return 0 if all(one.is_good for one in found) else 1
