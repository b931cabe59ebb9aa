"""Where the sources are: the packages, their files, and what kind of file each is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def packages() -> tuple[str, ...]:
    """Return the code packages, as the floors in pyproject.toml list them."""
    laws = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return tuple(laws["root_packages"])


def product_files() -> Iterator[Path]:
    """Yield the Python files that run in production, Django's migrations aside."""
    for package in packages():
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def python_files() -> Iterator[Path]:
    """Yield every Python file of the project."""
    yield from product_files()
    for folder in ("tests", "scripts", "benchmarks"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    """Return the path from the root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()
