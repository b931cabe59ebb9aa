"""`lienthong message`: messages to partners: list them, send a parked one again."""

from __future__ import annotations

from uuid import UUID

import click

from dossier.envelope import Action
from exchange import supersede
from exchange.queries.messages import outgoing, resend
from exchange.wiring import node

_OPERATOR = "operator"


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


@command.command("reissue")
@click.argument("message", type=click.UUID)
def reissue(message: UUID) -> None:
    """Send a refused or parked MESSAGE anew: a new id, a new seal."""
    click.echo(supersede.reissue(node(), message, by=_OPERATOR))


@command.command("redirect")
@click.argument("message", type=click.UUID)
@click.option("--to", "agency", required=True, help="Code of the other agency.")
def redirect(message: UUID, agency: str) -> None:
    """Send a refused or parked MESSAGE to another agency, which answers from then on."""
    click.echo(supersede.redirect(node(), message, to=agency, by=_OPERATOR))


@command.command("recall")
@click.argument("message", type=click.UUID)
@click.option("--reason", required=True, help="What the addressee reads.")
def recall(message: UUID, reason: str) -> None:
    """Take MESSAGE back; where it has left, a recall follows it."""
    following = supersede.recall(node(), message, reason=reason, by=_OPERATOR)
    click.echo(following or "")


@command.command("replace")
@click.argument("message", type=click.UUID)
def replace(message: UUID) -> None:
    """Send the dossier's newest documents and values in the place of MESSAGE."""
    click.echo(supersede.amend(node(), message, action=Action.REPLACE, by=_OPERATOR))


@command.command("update")
@click.argument("message", type=click.UUID)
def update(message: UUID) -> None:
    """Send the dossier's newest documents and values in addition to MESSAGE."""
    click.echo(supersede.amend(node(), message, action=Action.UPDATE, by=_OPERATOR))
