"""`lienthong user`: accounts of real people and their roles."""

from __future__ import annotations

from datetime import datetime

import click

from dossier.calendar import HERE
from dossier.ids import parse_agency_code
from dossier.model import Role, RoleBinding
from exchange import accounts
from exchange.absences import Absence


@click.group("user")
def command() -> None:
    """People and their roles."""


@command.command("add")
@click.argument("username")
@click.option("--name", required=True, help="Name as others see it.")
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.password_option(help="Asked for when it is not given.")
def add(username: str, name: str, language: str, password: str) -> None:
    """Open an account for USERNAME."""
    accounts.add(username, display_name=name, password=password, language=language)


@command.command("set-password")
@click.argument("username")
@click.password_option(help="Asked for when it is not given.")
def set_password(username: str, password: str) -> None:
    """Replace the password of USERNAME."""
    accounts.set_password(username, password)


@command.command("disable")
@click.argument("username")
def disable(username: str) -> None:
    """Let nobody log in as USERNAME any more; what the account did stays on record."""
    accounts.disable(username)


@command.command("grant")
@click.argument("username")
@click.option("--agency", required=True, help="Code of the agency.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--unit", default="", help="Unit of the agency; empty: all of it.")
@click.option("--procedure", default="", help="One procedure; empty: all of them.")
def grant(username: str, agency: str, role: str, unit: str, procedure: str) -> None:
    """Give USERNAME a role at an agency."""
    accounts.grant(
        username,
        RoleBinding(
            agency=parse_agency_code(agency), role=Role(role), unit=unit, procedure=procedure
        ),
    )


@command.command("absence")
@click.argument("username")
@click.option("--substitute", required=True, help="Who acts meanwhile; acts are shown as such.")
@click.option("--agency", required=True, help="Code of the agency.")
@click.option("--from", "start", required=True, type=click.DateTime(), help="First instant.")
@click.option("--until", "end", required=True, type=click.DateTime(), help="Instant of return.")
def absence(username: str, substitute: str, agency: str, start: datetime, end: datetime) -> None:
    """Let a substitute act for USERNAME during an absence (local time)."""
    accounts.note_absence(
        Absence(
            user=username,
            substitute=substitute,
            agency=parse_agency_code(agency),
            valid_from=start.replace(tzinfo=HERE),
            valid_until=end.replace(tzinfo=HERE),
        )
    )


@command.command("list")
def listed() -> None:
    """Print all accounts."""
    for user in accounts.listed():
        state = "active" if user.is_active else "disabled"
        click.echo(f"{user.username}\t{user.display_name}\t{state}")
