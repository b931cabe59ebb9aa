"""Who gives a command: an account, proved with its password."""

from __future__ import annotations

from typing import Any, Final

import click

from dossier.model import Actor
from exchange import accounts
from exchange.boot import boot
from exchange.node import Node
from exchange.wiring import node as this_node

BY: Final = click.option("--by", required=True, metavar="USER", help="Account of who does it.")
PASSWORD: Final = click.option(
    "--password-file",
    "password",
    type=click.File(encoding="utf-8"),
    help="File with the password of that account, - for standard input; else it is asked for.",
)


def person(username: str, password: Any) -> tuple[Node, Actor]:  # noqa: ANN401 - click's file
    """Return the node and the person who proves with a password that the account is theirs."""
    if password is None:
        given = click.prompt(f"Password of {username}", hide_input=True, err=True)
    else:
        given = password.readline().rstrip("\r\n")
    boot()
    node = this_node()
    return node, accounts.log_in(node, username=username, password=given, address="console")
