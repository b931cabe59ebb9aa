"""The command's entry: nouns are loaded when they are asked for, errors become exit codes.

Exit 0 done, 1 refused, 2 usage or configuration, 3 try later. A noun that needs the database is
booted first; `verify`, `demo` and `decision` never touch it.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import Any, Final

import click

from dossier.errors import LienThongError, Misconfigured, Unavailable
from dossier.texts import Language, render_error


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """Where a noun's commands live, and whether they need the node's database."""

    module: str
    needs_database: bool
    summary: str
    attribute: str = "command"


NOUNS: Final = {
    "agency": Noun(
        module="lienthong.agency", needs_database=True, summary="Agencies that this node hosts."
    ),
    "augment": Noun(
        module="lienthong.sign",
        needs_database=False,
        summary="Raise signatures to a higher level.",
        attribute="augment",
    ),
    "backup": Noun(
        module="lienthong.backup",
        needs_database=True,
        summary="Write this node into one file.",
        attribute="back_up",
    ),
    "blobs": Noun(
        module="lienthong.blobs", needs_database=True, summary="The stored files of this node."
    ),
    "check": Noun(module="lienthong.check", needs_database=True, summary="Examine this node."),
    "decision": Noun(
        module="lienthong.decision", needs_database=False, summary="Evaluate decision tables."
    ),
    "demo": Noun(
        module="lienthong.demo.command",
        needs_database=False,
        summary="Run the main job on two nodes of this machine.",
    ),
    "drop": Noun(
        module="lienthong.drop",
        needs_database=True,
        summary="Folders of agencies without a service.",
    ),
    "directory": Noun(
        module="lienthong.directory", needs_database=True, summary="The signed directory."
    ),
    "dossier": Noun(
        module="lienthong.dossier", needs_database=True, summary="Dossiers and their evidence."
    ),
    "edxml": Noun(
        module="lienthong.edxml",
        needs_database=False,  # report boots by itself
        summary="EdXML letters and statuses.",
    ),
    "evidence": Noun(
        module="lienthong.evidence",
        needs_database=False,
        summary="Records of time over many files, and their renewal.",
    ),
    "external": Noun(
        module="lienthong.external",
        needs_database=False,
        summary="Sign in two steps with a key that is elsewhere.",
    ),
    "incident": Noun(
        module="lienthong.incident", needs_database=True, summary="What a person must look at."
    ),
    "log": Noun(
        module="lienthong.log",
        needs_database=False,  # verify runs anywhere; the others boot by themselves
        summary="The log of this node: heads and proofs.",
    ),
    "message": Noun(
        module="lienthong.message", needs_database=True, summary="Messages to and from partners."
    ),
    "metrics": Noun(
        module="lienthong.metrics", needs_database=True, summary="The figures of this node."
    ),
    "migrate": Noun(
        module="lienthong.migrate", needs_database=True, summary="Bring the database up to date."
    ),
    "national": Noun(
        module="lienthong.national",
        needs_database=False,  # all but demo boot by themselves
        summary="What national portals are told of dossiers.",
    ),
    "procedure": Noun(
        module="lienthong.procedure",
        needs_database=False,  # the verbs of publishing boot by themselves
        summary="Procedures: lint, test, simulate, compare, begin, publish.",
    ),
    "restore": Noun(
        module="lienthong.backup",
        needs_database=True,
        summary="Fill an empty node from a backup.",
        attribute="restore",
    ),
    "rules": Noun(
        module="lienthong.rules", needs_database=True, summary="Rule packs by effective date."
    ),
    "serve": Noun(module="lienthong.serve", needs_database=False, summary="Serve the portal."),
    "sign": Noun(
        module="lienthong.sign",
        needs_database=False,
        summary="Sign files into a container.",
        attribute="sign",
    ),
    "task": Noun(
        module="lienthong.task", needs_database=True, summary="Work that waits for people."
    ),
    "token": Noun(
        module="lienthong.token",
        needs_database=True,
        summary="Programs that use the REST interface.",
    ),
    "trust": Noun(
        module="lienthong.trust",
        needs_database=False,  # fetching for the node boots by itself
        summary="What authorities say about revocation.",
    ),
    "user": Noun(module="lienthong.user", needs_database=True, summary="People and their roles."),
    "verify": Noun(
        module="lienthong.verify", needs_database=False, summary="Judge signed files, offline."
    ),
    "webhook": Noun(
        module="lienthong.webhook",
        needs_database=True,
        summary="Who is told of events.",
    ),
    "work": Noun(module="lienthong.work", needs_database=False, summary="Run this node's workers."),
}


class Nouns(click.Group):
    """Loads the module of the noun that was asked for, and only that."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the nouns in alphabetical order."""
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the noun's command, its node's database ready if it needs one."""
        noun = NOUNS.get(cmd_name)
        if noun is None:
            return None
        if noun.needs_database:
            boot: Any = importlib.import_module("exchange.boot")
            logs: Any = importlib.import_module("exchange.logs")
            logs.configure(boot.boot())
        command: click.Command = getattr(importlib.import_module(noun.module), noun.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the nouns without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, NOUNS[name].summary) for name in sorted(NOUNS)])


def _choose_node(_ctx: click.Context, _option: click.Parameter, name: str | None) -> None:
    if name:
        # The settings are read once, later, from the environment: this is its command-line form.
        os.environ["LIENTHONG_NODE"] = name  # noqa: TID251 - before exchange.settings reads it


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--node",
    metavar="NAME",
    callback=_choose_node,
    expose_value=False,
    is_eager=True,
    help="The node's name below LIENTHONG_HOME/nodes.",
)
def cli() -> None:
    """Exchange signed dossiers between agencies, and prove it."""


def main() -> None:
    """Run the command and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    try:
        outcome = cli.main(args=arguments, prog_name="lienthong", standalone_mode=False)
    except click.exceptions.Abort:
        return 1
    except click.ClickException as exc:
        exc.show()
        return 2
    except LienThongError as exc:
        say(exc)
        return exit_code(exc)
    return outcome if isinstance(outcome, int) else 0


def say(error: LienThongError) -> None:
    """Print an error for people on standard error, in the language of the terminal."""
    language = Language.VI if os.environ.get("LANG", "").startswith("vi") else Language.EN  # noqa: TID251 - the terminal's language, not a setting
    sentence, hint = render_error(error, language)
    click.echo(f"lienthong: error: {sentence} [{error.code}] {error.message}", err=True)
    if hint or error.hint:
        click.echo(f"lienthong: hint: {error.hint or hint}", err=True)


def exit_code(error: LienThongError) -> int:
    """Return the exit code of an error's family."""
    if isinstance(error, Misconfigured):
        return 2
    return 3 if isinstance(error, Unavailable) else 1
