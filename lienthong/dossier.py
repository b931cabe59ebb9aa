"""`lienthong dossier`: look at dossiers and export their evidence."""

from __future__ import annotations

import json
from pathlib import Path

import click

from exchange import export
from exchange.wiring import node
from lienthong.repair import repair_token, tokens


@click.group("dossier")
def command() -> None:
    """Dossiers and their evidence."""


command.add_command(tokens)
command.add_command(repair_token)


@command.command("export")
@click.argument("code")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File."
)
def export_evidence(code: str, output: Path) -> None:
    """Write the evidence bundle of dossier CODE to a file."""
    here = node()
    size = export.export_to(here, export.find(here, code), output)
    click.echo(f"lienthong: {output.name}: {size} bytes", err=True)


@command.command("show")
@click.argument("code")
def show(code: str) -> None:
    """Print a dossier as JSON."""
    found = export.find(node(), code)
    click.echo(
        json.dumps(
            {
                "code": found.code,
                "agency": found.agency,
                "procedure": found.procedure,
                "version": found.procedure_version,
                "subject": found.subject,
                "status": found.business.value,
                "open": found.is_open,
                "opened": found.opened.isoformat(),
                "closed": found.closed.isoformat() if found.closed else None,
                "due": found.due.isoformat() if found.due else None,
            },
            ensure_ascii=False,
        )
    )
