"""The table of what goes wrong under a node: its tests and its figures exist."""

from __future__ import annotations

import ast
import re

from scripts import tree

PAGE = tree.ROOT / "docs" / "reference" / "operations-tests.md"
METRICS = tree.ROOT / "docs" / "howto" / "read-the-metrics.md"
ROW = re.compile(r"^\| (O\d+) \|(.+)\|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
FIGURE = re.compile(r"lienthong_[a-z_]+")


def _tests_of(path: str) -> set[str]:
    parsed = ast.parse((tree.ROOT / "tests" / path).read_text("utf-8"))
    return {node.name for node in ast.walk(parsed) if isinstance(node, ast.FunctionDef)}


def _given() -> set[str]:
    sources = [path for name in ("exchange", "worker") for path in (tree.ROOT / name).rglob("*.py")]
    text = "".join(path.read_text("utf-8") for path in sources)
    plain = set(re.findall(r'"(lienthong_[a-z_]+)"', text))
    return plain | {f"{name}_total" for name in plain}


def test_each_row_names_tests_and_figures_that_exist() -> None:
    rows = ROW.findall(PAGE.read_text("utf-8"))
    assert [number for number, _ in rows] == [f"O{number}" for number in range(1, 16)]
    for number, row in rows:
        named = TEST.findall(row)
        assert named, number
        for path, test in named:
            assert test in _tests_of(path), f"{number}: {path}::{test}"
        figures = set(FIGURE.findall(row))
        assert figures, number
        assert figures <= _given(), number


def test_every_figure_of_the_how_to_is_given_and_every_given_one_is_told() -> None:
    told = set(FIGURE.findall(METRICS.read_text("utf-8")))
    given = _given()
    assert told <= given
    assert {name for name in given if not name.endswith("_total")} <= {
        name.removesuffix("_total") for name in told
    }
