"""`lienthong rules`: the rule packs of this node: list, show, compare, take out, publish."""

from __future__ import annotations

from pathlib import Path

import click

from dossier.texts import Language
from exchange.packs import compare_packs, export_pack, list_packs, show_pack
from lienthong.publication import confirm, list_proposals, publish_rules, refuse

_LANG = click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)


@click.group("rules")
def command() -> None:
    """Rule packs: calendars, statuses, codes, forms and silence rules by effective date."""


@command.command("list")
def listed() -> None:
    """Print the packs in the order of their effect; `*` marks the one in effect today."""
    for line in list_packs():
        click.echo(line)


@command.command("show")
@click.argument("pack")
@_LANG
def show(pack: str, lang: str) -> None:
    """Print what a PACK says, a version of this node or a folder."""
    for line in show_pack(pack, language=Language(lang)):
        click.echo(line)


@command.command("diff")
@click.argument("before")
@click.argument("after")
@_LANG
def diff(before: str, after: str, lang: str) -> None:
    """Say what differs between two packs, each a version of this node or a folder."""
    for line in compare_packs(before, after, language=Language(lang)):
        click.echo(line)


@command.command("export")
@click.argument("version")
@click.argument("folder", type=click.Path(path_type=Path))
def export(version: str, folder: Path) -> None:
    """Write the pack of VERSION into a new FOLDER, to begin the next one from."""
    export_pack(version, folder)


for verb in (publish_rules, confirm, refuse, list_proposals):
    command.add_command(verb)
