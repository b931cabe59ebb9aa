"""`lienthong message`: messages to partners: list them, send a parked one again."""

from __future__ import annotations

from uuid import UUID

import click

from exchange.queries.messages import outgoing, resend


@click.group("message")
def command() -> None:
    """Messages to and from partners."""


@command.command("list")
@click.option("--state", default="", help="Only this state: new, sent, refused, parked.")
def listed(state: str) -> None:
    """Print outgoing messages, newest first."""
    for message in outgoing(state=state):
        click.echo(
            f"{message.id}\t{message.state.value}\t{message.attempts}\t{message.partner}\t"
            f"{message.message_id}\t{message.last_error}"
        )


@command.command("resend")
@click.argument("message", type=click.UUID)
def resend_message(message: UUID) -> None:
    """Send a parked MESSAGE again: the same id, the same bytes."""
    resend(message)
