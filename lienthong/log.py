"""`lienthong log`: heads and proofs of this node's log, and their examination without a node."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Final

import click

from exchange import logverify

_FILE: Final[Any] = click.Path(exists=True, dir_okay=False, path_type=Path)
_READING: Final = ("checkpoint", "consistency", "key", "prove")  # need the node's database


class Verbs(click.Group):
    """Boots the node for the verbs that read it; `verify` runs anywhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in alphabetical order."""
        return sorted([*self.commands, *_READING])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb's command."""
        if cmd_name not in _READING:
            return super().get_command(ctx, cmd_name)
        boot: Any = importlib.import_module("exchange.boot")
        boot.boot()
        verb: click.Command = getattr(importlib.import_module("lienthong.logverbs"), cmd_name)
        return verb


@click.group("log", cls=Verbs)
def command() -> None:
    """The log of this node: heads, proofs, and their examination."""


@command.command("verify")
@click.argument("proof", type=_FILE)
@click.option("--key", required=True, help="The log's key, as `lienthong log key` prints it.")
@click.option("--entry", type=_FILE, help="The entry that PROOF is about.")
@click.option("--old", type=_FILE, help="The earlier checkpoint that PROOF begins with.")
@click.option("--old-key", help="The earlier checkpoint's key, if it was another.")
def verify(
    proof: Path, key: str, entry: Path | None, old: Path | None, old_key: str | None
) -> None:
    """Examine a proof file, without database or network; exit 1 when it does not hold."""
    if (entry is None) == (old is None):
        raise click.UsageError("expected either --entry or --old")
    if entry is not None:
        held = logverify.verify_entry(proof.read_bytes(), entry=entry.read_bytes(), key=key)
        click.echo(json.dumps({"log": held.origin, "size": held.size, "holds": entry.name}))
    elif old is not None:
        before, after = logverify.verify_grown(
            proof.read_bytes(), old=old.read_bytes(), old_key=old_key or key, key=key
        )
        grown = {"log": after.origin, "size": after.size, "continues": before.size}
        click.echo(json.dumps(grown))
