"""`lienthong work`: the node's supervisor with its Redis, workers and timer loop."""

from __future__ import annotations

import os
import sys

import click


@click.command("work")
@click.option("--burst", is_flag=True, help="Work off what is due, then stop.")
def command(*, burst: bool) -> None:
    """Run this node's workers until they are told to stop."""
    arguments = [sys.executable, "-m", "worker"] + (["--burst"] if burst else [])
    os.execv(sys.executable, arguments)  # noqa: S606 - our own interpreter, fixed arguments
