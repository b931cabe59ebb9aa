"""The transcript in the README is what a fresh clone prints: its two commands, word for word."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from tests.builders import demo
from tests.builders.demo import Played

ANYTHING = "…"  # alone on a line: any lines; within a line: any words


def test_the_first_command_prints_what_the_readme_says(played_in_a_fresh_clone: Played) -> None:
    command, expected = next(_transcript())
    assert command == "make run ARGS=--once"
    finished = played_in_a_fresh_clone.finished
    assert finished.code == 0, finished.output
    assert _matches(expected, finished.output), finished.output


def test_the_other_commands_print_what_the_readme_says(played_in_a_fresh_clone: Played) -> None:
    _first, *others = _transcript()
    assert others
    for command, expected in others:
        done = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=played_in_a_fresh_clone.home.root.parent,
            env=demo.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert _matches(expected, done.stdout), done.stdout


def test_the_matcher_tells_apart() -> None:
    assert _matches("a\n…\nb … c", "a\n1\n2\nb x y c")
    assert _matches("a\n…\nb", "a\nb")
    assert not _matches("a\nb", "a\n1\nb")
    assert not _matches("a …", "b c")


def _transcript() -> Iterator[tuple[str, str]]:
    """Yield each command of the README's console block and what it prints."""
    block = re.search(r"```console\n(.*?)```", (demo.ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    for entry in re.split(r"^\$ ", block.group(1), flags=re.MULTILINE)[1:]:
        command, _, printed = entry.partition("\n")
        yield command, printed.strip("\n")


def _matches(expected: str, printed: str) -> bool:
    lines = [
        r"(?:.*\n)*?" if line == ANYTHING else _pattern_of(line) + r"\n"
        for line in expected.splitlines()
    ]
    plain = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch("".join(lines), plain) is not None


def _pattern_of(line: str) -> str:
    return r".*".join(re.escape(part) for part in line.split(ANYTHING))
