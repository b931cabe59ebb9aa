"""Write the pages that come from the code, and the index of all pages.

    python -m scripts.reference [PAGE …]            rewrite them, or these
    python -m scripts.reference --check [PAGE …]    exit 1 and name the pages that differ

Runs in a process of its own with an empty home, because the command boots the node for its nouns.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

import click

from scripts import error_codes, tree

DOCS = tree.ROOT / "docs"
KINDS = ("tutorial", "howto", "reference", "explanation", "formats", "decisions")
FAMILIES = (
    ("Rejected", "wrong for ever", "4xx", "1"),
    ("Denied", "the caller may not do this", "403", "1"),
    ("Conflict", "the world moved: reload and decide again", "409", "1"),
    ("Unavailable", "try later with the same request", "503", "3"),
    ("Misconfigured", "an operator must act first", "500", "2"),
)


def main(arguments: list[str]) -> int:
    """Write or compare the pages asked for, all of them without a name."""
    wishes = argparse.ArgumentParser(prog="python -m scripts.reference")
    wishes.add_argument("--check", action="store_true")
    wishes.add_argument("pages", nargs="*", metavar="PAGE", help=", ".join(RENDERERS))
    asked = wishes.parse_args(arguments)
    differing = 0
    for name in asked.pages or RENDERERS:
        place, render = RENDERERS[name]
        page = DOCS / place
        before = page.read_text() if page.exists() else ""
        after = render()
        if not asked.check:
            page.write_text(after)
        elif before != after:
            differing += 1
            print(f"{tree.name(page)} differs from the code: run make docs")
            sys.stdout.writelines(
                difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, "code")
            )
    return 1 if differing else 0


def settings_page() -> str:
    """Return the page of all settings, in the order in which the code states them."""
    stated = importlib.import_module("exchange.setting_names").SETTINGS
    rows = [
        f"| `{setting.name}`{', `_FILE`' if setting.is_secret else ''} | {setting.kind} "
        f"| {_code(setting.default)} | {setting.help} |"
        for setting in stated
    ]
    return _page(
        "Settings",
        "Environment variables, read once at the start. A name that begins with `LIENTHONG_` and "
        "is not listed here is an error. No setting turns a check off. `{home}` stands for the "
        "node's folder. A name with `_FILE` may instead be given as `<name>_FILE`, the path of a "
        "file that holds the value.",
        ["| name | kind | default | what it sets |", "|---|---|---|---|", *rows],
    )


def errors_page() -> str:
    """Return the page of all error codes, package by package."""
    lines = ["| family | means | HTTP | exit |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {means} | {http} | {code} |" for name, means, http, code in FAMILIES]
    for package, leaves in groupby(error_codes.leaves(), key=error_codes.package):
        lines += ["", f"## {package}", "", "| code | family | means |", "|---|---|---|"]
        lines += [f"| `{leaf.code}` | {leaf.family} | {leaf.means} |" for leaf in leaves]
    return _page(
        "Errors",
        "Every refusal has a stable code. The family says what the caller does next. What people "
        "read stands in `dossier/texts/`, in Vietnamese and English.",
        lines,
    )


def cli_page() -> str:
    """Return the help of every command, as the terminal shows it."""
    group = importlib.import_module("lienthong.main").cli
    lines: list[str] = []
    for path, command, context in _commands(group, ("lienthong",), None):
        lines += [f"## {' '.join(path)}", "", "```", command.get_help(context).rstrip(), "```", ""]
    return _page(
        "Commands",
        "Data goes to standard output, words for people to standard error. Exit 0 done, 1 refused, "
        "2 usage or configuration, 3 try later.",
        lines[:-1],
    )


def soap_page() -> str:
    """Return the page of the SOAP service, which its WSDL writes."""
    page: str = importlib.import_module("connectors.reference_page").render()
    return page


def rest_page() -> str:
    """Return the page of the REST interface, which its OpenAPI document writes."""
    page: str = importlib.import_module("scripts.rest_page").render()
    return page


def index_page() -> str:
    """Return the index of all pages, by kind."""
    lines: list[str] = []
    for kind in KINDS:
        pages = [page for page in sorted((DOCS / kind).glob("*.md")) if page.name != "README.md"]
        if pages:
            lines += ["", f"## {kind.capitalize()}", ""]
            lines += [f"- [{_title(page)}]({page.relative_to(DOCS).as_posix()})" for page in pages]
    return _page(
        "Documents",
        "Four kinds, never mixed: a **tutorial** teaches by doing, a **how-to** solves one "
        "problem, the **reference** says what is, an **explanation** says why. **Formats** specify "
        "bytes and the numbered steps that verify them; **decisions** record what would surprise a "
        "reader.",
        lines[1:],
    )


def decisions_page() -> str:
    """Return the list of all decisions, by number."""
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    return _page(
        "Decisions",
        "One page each, for what would surprise a reader. A decision is never rewritten; a later "
        "one replaces it and says so in both.",
        [f"- [{_title(page)}]({page.name})" for page in pages],
    )


def _commands(
    command: click.Command, path: tuple[str, ...], parent: click.Context | None
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    context = click.Context(command, info_name=path[-1], parent=parent, terminal_width=96)
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _commands(inner, (*path, name), context)


def _code(value: str) -> str:
    return f"`{value}`" if value else "–"


def _title(page: Path) -> str:
    return page.read_text().splitlines()[0].removeprefix("# ")


def _page(title: str, opening: str, lines: list[str]) -> str:
    note = "This page is written by `make docs`; a test compares it with the code."
    return "\n".join([f"# {title}", "", opening, "", note, "", *lines]) + "\n"


# By name: where the page stands below docs/, and what writes it. The index comes last.
RENDERERS: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "settings": ("reference/settings.md", settings_page),
    "errors": ("reference/errors.md", errors_page),
    "cli": ("reference/cli.md", cli_page),
    "soap": ("reference/soap.md", soap_page),
    "rest": ("reference/rest.md", rest_page),
    "decisions": ("decisions/README.md", decisions_page),
    "index": ("README.md", index_page),
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["LIENTHONG_HOME"] = home
        sys.exit(main(sys.argv[1:]))
