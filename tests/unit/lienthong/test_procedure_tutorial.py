"""The tutorial says what the command does: every line after `$` is run, and its output compared."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.main import run
from scripts import tree

PAGE = tree.ROOT / "docs" / "tutorial" / "model-a-procedure.md"
NOT_SHOWN = ("simulate",)  # commands whose output depends on the day


def commands() -> Iterator[tuple[str, str]]:
    """Yield each command of the page with the output that the page shows."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for typed in block.split("$ ")[1:]:
            command, _, output = typed.partition("\n")
            yield command, output


def test_every_command_of_the_tutorial_does_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for command, shown in commands():
        words = shlex.split(command)
        if words[0] == "lienthong":
            run(words[1:])
            said = "".join(capsys.readouterr())
            if words[2] not in NOT_SHOWN:
                assert said == shown, command
        else:
            assert words[0] in ("cp", "sed")
            subprocess.run(words, cwd=tmp_path, check=True, timeout=10)
        ran += 1
    assert ran > 15
    assert (tmp_path / "drawings" / "visa-letter.objected.svg").exists()
