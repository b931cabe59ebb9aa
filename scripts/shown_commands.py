"""Hold every `lienthong` command that a page shows to the command line as it is.

    python -m scripts.shown_commands      exit 1 and name the lines that would be refused

Only parses: nothing is run. In a process of its own with an empty home, as `scripts.reference`.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from scripts import tree

_BLOCK = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^ *(?:\$ +)?(?:[A-Z_]+=\S+ +)*(?:\S*bin/)?lienthong +(.*)$", re.MULTILINE)
_SPAN = re.compile(r"`lienthong ([^`]+)`")
_ENDS = {"|", ">", ">>", "<", "&&", ";", "2>", "&", "#"}


def main() -> int:
    """Compare and return the exit code."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(LIENTHONG_HOME=home)
        cli: click.Group = importlib.import_module("lienthong.main").cli
        wrong = [
            f"{tree.name(page)}: lienthong {shown}: {refusal}"
            for page in pages()
            for shown, is_whole in commands(page.read_text())
            if (refusal := refused(cli, shown, is_whole=is_whole))
        ]
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


def pages() -> list[Path]:
    """Return the pages that show commands to people; what is past or generated is not held."""
    written = (tree.ROOT / "docs").rglob("*.md")
    held = [page for page in written if page.parent.name not in ("decisions", "reference")]
    return [tree.ROOT / "README.md", tree.ROOT / "CONTRIBUTING.md", *sorted(held)]


def commands(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what follows `lienthong`, and whether it is a whole command and no mention of one."""
    joined = text.replace("\\\n", " ")
    for block in _BLOCK.findall(joined):
        for shown in _LINE.findall(block):
            yield shown, True
    for shown in _SPAN.findall(_BLOCK.sub("", text)):
        yield " ".join(shown.split()), False


def refused(cli: click.Group, shown: str, *, is_whole: bool) -> str:
    """Return why the command line refuses this, empty where it does not."""
    words = _words(shown)
    context = click.Context(cli, info_name="lienthong")
    command: click.Command = cli
    try:
        while isinstance(command, click.Group):
            _, words, _ = command.make_parser(context).parse_args(args=list(words))
            if not words:
                return ""  # a group by itself is a mention of it
            name, words = words[0], words[1:]
            if not is_whole and re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", name):
                return _each(command, context, name)
            found = command.get_command(context, name)
            if found is None:
                return f"no command {name}"
            command, context = found, click.Context(found, parent=context, info_name=name)
        if not is_whole and not words:
            return ""
        return _parsed(command, context, words, is_whole=is_whole)
    except click.UsageError as exc:
        return exc.format_message()


def _parsed(
    command: click.Command, context: click.Context, words: list[str], *, is_whole: bool
) -> str:
    given, left, _ = command.make_parser(context).parse_args(args=list(words))
    left = [one for one in left if one != "…"]
    if left:
        return f"unexpected {' '.join(map(str, left))}"
    missing = [
        one.name
        for one in command.params
        if one.required and given.get(str(one.name)) in (None, ())
    ]
    return f"without {', '.join(map(str, missing))}" if missing and is_whole else ""


def _each(group: click.Group, context: click.Context, names: str) -> str:
    unknown = [name for name in names.split("|") if group.get_command(context, name) is None]
    return f"no command {', '.join(unknown)}" if unknown else ""


def _words(shown: str) -> list[str]:
    # Notation of people: <what to put there>, [what may be left out], and so on…
    shown = re.sub(r"[\[\]]", " ", re.sub(r"<[^<>]+>", "WORD", shown))
    try:
        words = shlex.split(shown, comments=True)
    except ValueError:
        words = shown.split()  # prose with an apostrophe
    ends = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
    return words[:ends]


if __name__ == "__main__":
    sys.exit(main())
