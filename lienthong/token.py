"""`lienthong token`: programs that use the REST interface."""

from __future__ import annotations

import getpass
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from dossier.clock import SystemClock
from exchange import tokens
from exchange.tokens import RestToken
from exchange.wiring import node


@click.group("token")
def command() -> None:
    """Tokens of programs that use the REST interface."""


@command.command("issue")
@click.argument("name")
@click.option("--agency", required=True, help="Code of the agency for which it works.")
@click.option(
    "--operation",
    "operations",
    required=True,
    multiple=True,
    help="jobs:<operation>, dossiers:start:<procedure> or dossiers:read; may be repeated.",
)
@click.option("--days", type=click.IntRange(1, 730), default=90, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def issue(name: str, agency: str, operations: tuple[str, ...], days: int, as_json: bool) -> None:
    """Issue a token to the program NAME; it is printed once and kept nowhere."""
    made, text = tokens.issue(
        node(),
        name=name,
        agency=agency,
        operations=operations,
        lasting=timedelta(days=days),
        by=getpass.getuser(),
    )
    if as_json:
        click.echo(json.dumps({**_shown(made), "token": text}, ensure_ascii=False))
        return
    click.echo(text)
    click.echo(f"{made.id}\t{made.expires.isoformat()}", err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def listed(as_json: bool) -> None:
    """Print all tokens, without their texts."""
    found = [_shown(one) for one in tokens.listed()]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        operations = " ".join(one["operations"])
        click.echo(f"{one['id']}\t{one['name']}\t{one['agency']}\t{one['state']}\t{operations}")


@command.command("revoke")
@click.argument("identifier", type=click.UUID)
def revoke(identifier: UUID) -> None:
    """Let the token IDENTIFIER open nothing any more."""
    tokens.revoke(identifier, by=getpass.getuser(), at=SystemClock().now())


def _shown(one: RestToken) -> dict[str, Any]:
    at = SystemClock().now()
    state = "revoked" if one.revoked else "expired" if one.expires <= at else "valid"
    return {
        "id": str(one.id),
        "name": one.name,
        "agency": one.agency,
        "operations": list(one.operations),
        "issued": one.issued.isoformat(),
        "issued_by": one.issued_by,
        "expires": one.expires.isoformat(),
        "last_used": one.last_used.isoformat() if one.last_used else None,
        "state": state,
    }
