"""The documents say what the code does: pages, glossary, examples, links and catalogue entry."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import error_codes, reference, shown_commands, tree

TRACKED_PAGES = [
    *tree.ROOT.glob("*.md"),
    *(tree.ROOT / "docs").rglob("*.md"),
]
DECISIONS = tree.ROOT / "docs" / "decisions"


@pytest.mark.parametrize("page", reference.RENDERERS)
def test_reference_page_equals_the_code(page: str, tmp_path: Path) -> None:
    # Its own process: listing the commands boots a node, in an empty home.
    compared = subprocess.run(
        [sys.executable, "-m", "scripts.reference", "--check", page],
        cwd=tree.ROOT,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert compared.returncode == 0, compared.stdout + compared.stderr


def test_every_command_shown_is_one_that_the_command_line_takes(tmp_path: Path) -> None:
    held = subprocess.run(
        [sys.executable, "-m", "scripts.shown_commands"],
        cwd=tree.ROOT,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert held.returncode == 0, held.stdout + held.stderr


@pytest.mark.parametrize(
    ("shown", "refusal"),
    [
        ("check --partners", ""),
        ("check --parters", "No such option"),
        ("chek", "no command"),
        ("directory sign a.toml -o b.xml", "without"),
        ("directory import a.xml b.xml", "unexpected"),
    ],
)
def test_commands_that_would_be_refused_are_named(
    shown: str, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli: Any = importlib.import_module("lienthong.main")
    monkeypatch.setattr(
        cli, "NOUNS", {k: replace(v, needs_database=False) for k, v in cli.NOUNS.items()}
    )
    found = shown_commands.refused(cli.cli, shown, is_whole=True)
    assert found.startswith(refusal) if refusal else not found


def test_commands_are_found_in_blocks_and_in_prose() -> None:
    page = "Run `lienthong check`:\n```\n$ A=b lienthong verify \\\n  x.asice | less\n```\n"
    found = [(" ".join(one.split()), whole) for one, whole in shown_commands.commands(page)]
    assert found == [("verify x.asice | less", True), ("check", False)]


def test_every_error_code_has_one_bearer() -> None:
    assert list(error_codes.shared_codes()) == []


def test_every_error_stands_in_an_errors_module_and_says_what_it_means() -> None:
    leaves = error_codes.leaves()
    assert [leaf.path for leaf in leaves if not leaf.path.endswith("errors.py")] == []
    assert [leaf.name for leaf in leaves if not leaf.means] == []
    snake_case = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
    assert [leaf.code for leaf in leaves if not snake_case.fullmatch(leaf.code)] == []


@pytest.mark.parametrize(
    "home",
    sorted(
        set(
            re.findall(
                r"\| `([\w.]+)` \|$",
                (tree.ROOT / "docs/reference/glossary.md").read_text(),
                re.MULTILINE,
            )
        )
    ),
)
def test_every_home_in_the_glossary_is_in_the_code(home: str) -> None:
    importlib.import_module(home)


@pytest.mark.parametrize("package", tree.packages())
def test_the_example_of_each_package_runs(package: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(package))
    assert failed == 0


@pytest.mark.parametrize("page", TRACKED_PAGES, ids=tree.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose)
    missing = [
        target
        for target in targets
        if "://" not in target
        and not target.startswith("mailto:")
        and not (page.parent / target).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_named_is_a_target(page: str) -> None:
    targets = set(re.findall(r"^(\w+):", (tree.ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=[`\n ])", _code_of(tree.ROOT / page)))
    assert named
    assert named - targets == set()


def test_decisions_are_numbered_without_gaps_and_say_why() -> None:
    decisions = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    headings = ["## Context", "## Decision", "## Consequences"]
    for page in decisions:
        found = [line for line in page.read_text().splitlines() if line.startswith("## ")]
        assert found == headings, page.name


def test_changelog_has_a_place_for_the_next_change() -> None:
    assert "## [Unreleased]" in (tree.ROOT / "CHANGELOG.md").read_text()


def test_catalogue_entry_is_complete() -> None:
    entry: dict[str, Any] = yaml.safe_load((tree.ROOT / "publiccode.yml").read_text())
    keys = {
        *("publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus"),
        *("softwareType", "description", "legal", "maintenance", "localisation"),
    }
    assert keys <= entry.keys()
    assert entry["legal"]["license"] == "Apache-2.0"
    for language in entry["localisation"]["availableLanguages"]:
        described = entry["description"][language]
        assert len(described["shortDescription"]) <= 150
        assert 150 <= len(described["longDescription"]) <= 10_000
        assert described["features"]


def _code_of(page: Path) -> str:
    """Return what a page shows as code: its blocks and its inline spans."""
    text = page.read_text()
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    return "\n".join([*blocks, *(f"{span} " for span in re.findall(r"`([^`\n]+)`", text))])
