"""`lienthong procedure`: check procedure folders and publish them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dossier.clock import SystemClock
from exchange.publish import lint, publish, read_folder


@click.group("procedure")
def command() -> None:
    """Procedures: lint, publish."""


@command.command("lint")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def lint_file(file: Path, *, as_json: bool) -> int:
    """Check a BPMN FILE or a procedure folder; exit 0 when it can run."""
    found = lint(file)
    if as_json:
        click.echo(
            json.dumps(
                {"runnable": found.is_runnable, "problems": found.problems}, ensure_ascii=False
            )
        )
    else:
        for problem in found.problems:
            click.echo(
                f"{problem['severity']}: {problem['element']} (line {problem['line']}): "
                f"{problem['message']} [{problem['rule']}]"
            )
    return 0 if found.is_runnable else 1


@command.command("publish")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def publish_folder(folder: Path) -> None:
    """Publish the procedure in FOLDER on this node."""
    published = publish(read_folder(folder), at=SystemClock().now(), by="lienthong")
    click.echo(f"lienthong: {published.code} version {published.version} is published", err=True)
