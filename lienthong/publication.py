"""The verbs by which two people publish procedures and rule packs: propose, confirm, refuse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from dossier.texts import Language, render
from exchange import proposals
from exchange.boot import boot
from exchange.procedures.folder import read_folder
from exchange.queries.proposals import lacking
from exchange.rules import read_pack
from lienthong.person import BY, PASSWORD, person

_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
_LANG: Final = click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)


@click.command("publish")
@click.argument("folder", type=_FOLDER)
@BY
@PASSWORD
@_LANG
def publish(folder: Path, by: str, password: Any, lang: str) -> None:  # noqa: ANN401 - click's file
    """Propose the procedure in FOLDER for this node; a second person confirms it.

    Its lint and its scenarios must pass and enter every element.
    """
    _propose(read_folder(folder), by, password, lang)


@click.command("publish")
@click.argument("folder", type=_FOLDER)
@BY
@PASSWORD
@_LANG
def publish_rules(folder: Path, by: str, password: Any, lang: str) -> None:  # noqa: ANN401 - click's file
    """Propose the rule pack in FOLDER for this node; a second person confirms it."""
    _propose(read_pack(folder), by, password, lang)


@click.command("confirm")
@click.argument("name")
@click.argument("version")
@BY
@PASSWORD
@_LANG
def confirm(name: str, version: str, by: str, password: Any, lang: str) -> None:  # noqa: ANN401 - click's file
    """Publish the proposed VERSION of the procedure NAME; rule packs are called `rules`.

    Whoever proposed it cannot confirm it.
    """
    node, actor = person(by, password)
    found = proposals.find_open(name, version)
    _say(proposals.confirm(actor, found.id, at=node.now()), "confirmed", lang)


@click.command("refuse")
@click.argument("name")
@click.argument("version")
@click.option("--reason", required=True, help="Why; it stays on record.")
@BY
@PASSWORD
@_LANG
def refuse(name: str, version: str, reason: str, by: str, password: Any, lang: str) -> None:  # noqa: ANN401 - click's file
    """Refuse the proposed VERSION of the procedure NAME, or of the `rules`."""
    node, actor = person(by, password)
    found = proposals.find_open(name, version)
    _say(proposals.refuse(actor, found.id, reason=reason, at=node.now()), "refused", lang)


@click.command("proposals")
@_LANG
def list_proposals(lang: str) -> None:
    """Print the proposals, open ones first."""
    boot()
    for one in proposals.listed():
        state = render("proposal", f"state_{one.state.value}", Language(lang))
        click.echo(f"{one.name}\t{one.version}\t{one.effective_from}\t{one.proposed_by}\t{state}")


def _propose(files: Mapping[str, bytes], by: str, password: Any, lang: str) -> None:  # noqa: ANN401 - click's file
    node, actor = person(by, password)
    proposed = proposals.propose(actor, files, at=node.now())
    for problem in lacking(node, files, language=Language(lang)):
        click.echo(problem.line_of_text(), err=True)
    _say(proposed, "proposed", lang)


def _say(proposal: proposals.Proposal, what: str, lang: str) -> None:
    said = render(
        "proposal",
        what,
        Language(lang),
        name=proposal.name,
        version=proposal.version,
        effective=proposal.effective_from.isoformat(),
    )
    click.echo(f"lienthong: {said}", err=True)
