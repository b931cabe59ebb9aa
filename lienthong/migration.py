"""The verb by which running dossiers go on under another version: `procedure migrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from dossier.canonical import Json
from dossier.repair import Block, Migrated, Place
from dossier.texts import Language, render, render_stored
from exchange import migration
from lienthong.person import BY, PASSWORD, person
from lienthong.repair import JSON, LANG, say

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("migrate")
@click.argument("code")
@click.option("--from", "before", required=True, metavar="VERSION", help="What they run under.")
@click.option("--to", "after", required=True, metavar="VERSION", help="What they go on under.")
@click.option("--mapping", type=_FILE, help="TOML: [elements] and [flows], old id = new id.")
@click.option("--propose", is_flag=True, help="Print a mapping of identical ids and stop.")
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option("--reason", default="", help="Why; it stays on record.")
@BY
@PASSWORD
@JSON
@LANG
def migrate(
    code: str,
    before: str,
    after: str,
    mapping: Path | None,
    propose: bool,
    dry_run: bool,
    reason: str,
    by: str,
    password: Any,  # noqa: ANN401 - click's file
    as_json: bool,
    lang: str,
) -> int:
    """Move the running dossiers of procedure CODE to another version.

    Without a mapping identical ids are mapped. Exit 1 when one of them stays where it is.
    """
    node, actor = person(by, password)
    content = mapping.read_bytes() if mapping else None
    wanted = migration.prepare(node, code, before=before, after=after, mapping=content)
    if propose:
        click.echo(migration.mapping_text(wanted), nl=False)
        return 0
    if dry_run:
        steps = migration.rehearse(node, actor, wanted)
    else:
        steps = migration.migrate_all(node, actor, wanted, reason=reason)
    found = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for one in progress.track(steps, total=migration.count(wanted), description=code):
            found.append(one)
            if not as_json:
                click.echo("\n".join(_lines(one, Language(lang))))
    moved = sum(one.moves for one in found)
    if as_json:
        rows: list[Json] = [_row(one) for one in found]
        click.echo(json.dumps({"instances": rows}, ensure_ascii=False, indent=2))
    told = "rehearsed" if dry_run else "summary"
    click.echo(render("migration", told, Language(lang), moved=moved, total=len(found)), err=True)
    return 0 if moved == len(found) else 1


def _lines(one: Migrated, language: Language) -> list[str]:
    named = {"dossier": one.dossier_code, "role": one.role}
    if not one.moves:
        reasons = [_reason(block, language) for block in one.blocks] or [_refusal(one, language)]
        return [render("migration", "stays", language, **named, reason="; ".join(reasons))]
    lines = [render("migration", "moves", language, **named)]
    for what in ("kept", "reopened", "armed"):
        places: tuple[Place, ...] = tuple(getattr(one, what))
        lines += [
            "  " + render("effect", what, language, element=place.name[language.value])
            for place in places
        ]
    return lines + ["  " + say(effect, language) for effect in one.effects]


def _reason(block: Block, language: Language) -> str:
    element = block.place.name[language.value] or block.place.element_id
    return render_stored("block", block.reason, language, {"element": element})


def _refusal(one: Migrated, language: Language) -> str:
    return render_stored("error", one.code, language, {})


def _row(one: Migrated) -> Json:
    return {
        "dossier": one.dossier_code,
        "role": one.role,
        "moves": one.moves,
        "code": one.code,
        "kept": [place.element_id for place in one.kept],
        "reopened": [place.element_id for place in one.reopened],
        "armed": [place.element_id for place in one.armed],
        "effects": [[effect.what, effect.element_id] for effect in one.effects],
        "blocks": [[block.reason, block.place.element_id] for block in one.blocks],
    }
