"""`lienthong incident`: what a person must look at, and trying again what stopped."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import click

from dossier.canonical import Json
from dossier.texts import Language, render
from exchange import incidents
from exchange.queries.incidents import open_incidents
from exchange.wiring import node as this_node
from lienthong.person import BY, PASSWORD, person

_LANG = click.option("--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("incident")
def command() -> None:
    """What a person must look at."""


@command.command("list")
@_JSON
@_LANG
def listed(as_json: bool, lang: str) -> None:
    """Print the open incidents, newest first: where, what, and which values the step reads."""
    lines = open_incidents(this_node(), language=lang)
    if as_json:
        rows: list[Json] = [
            {
                "id": str(line.id),
                "opened": line.opened.isoformat(),
                "dossier": line.dossier_code,
                "element": line.element_id,
                "code": line.code,
                "reads": list(line.names_read),
                "sentence": line.sentence,
            }
            for line in lines
        ]
        click.echo(json.dumps({"incidents": rows}, ensure_ascii=False, indent=2))
        return
    for line in lines:
        place = line.element_id + (f" [{', '.join(line.names_read)}]" if line.names_read else "")
        click.echo(
            f"{line.id}\t{line.opened:%Y-%m-%d %H:%M}\t{line.dossier_code}\t{place}"
            f"\t{line.code}\t{line.sentence}"
        )


@command.command("retry")
@click.argument("ids", nargs=-1, type=click.UUID)
@click.option("--all", "every", is_flag=True, help="Every step that can be tried again.")
@click.option("--code", default="", help="With --all: only incidents of this code.")
@click.option("--procedure", default="", help="With --all: only dossiers of this procedure.")
@BY
@PASSWORD
@_LANG
def retry(
    ids: tuple[UUID, ...],
    every: bool,
    code: str,
    procedure: str,
    by: str,
    password: Any,  # noqa: ANN401 - click's file
    lang: str,
) -> int:
    """Try again the steps that the incidents IDS stopped, or all of them.

    Exit 1 when one could not be tried.
    """
    if bool(ids) == every:
        raise click.UsageError("expected ids, or --all")
    node, actor = person(by, password)
    if ids:
        for one in ids:
            incidents.retry(node, actor, one)
        click.echo(render("retried", "some", Language(lang), tried=len(ids), left=0), err=True)
        return 0
    tried, left = incidents.retry_all(node, actor, code=code, procedure=procedure)
    for row in tried:
        click.echo(f"{row.incident.id}\t{row.dossier_code}\t{row.incident.element_id}")
    said = render("retried", "some", Language(lang), tried=len(tried), left=len(left))
    click.echo(said, err=True)
    return 1 if left else 0
