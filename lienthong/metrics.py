"""`lienthong metrics`: the figures of this node, for a machine without a web process."""

from __future__ import annotations

import click

from exchange.metrics import render
from exchange.wiring import node


@click.command("metrics")
def command() -> None:
    """Print what /metrics answers, in Prometheus' text form."""
    click.echo(render(node()).decode(), nl=False)
