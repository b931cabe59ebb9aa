"""Every error class of the product, read from the sources: nothing is imported, nothing booted."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scripts import tree

FAMILIES = ("Rejected", "Denied", "Conflict", "Unavailable", "Misconfigured")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """One error class with a code of its own."""

    code: str
    family: str  # one of FAMILIES, or LienThongError itself
    means: str  # the first paragraph of its docstring
    path: str  # of its file, from the root
    name: str


def leaves() -> tuple[Leaf, ...]:
    """Return the error classes, sorted by package and code."""
    found = []
    for path in tree.product_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found.append((tree.name(path), node))
    bases = {node.name: _bases(node) for _, node in found}
    made = (_leaf(path, node, bases) for path, node in found)
    return tuple(
        sorted((leaf for leaf in made if leaf), key=lambda leaf: (package(leaf), leaf.code))
    )


def package(leaf: Leaf) -> str:
    """Return the package in which the class stands."""
    return leaf.path.split("/")[0]


def shared_codes() -> Iterator[str]:
    """Yield a sentence for every code that two classes bear."""
    bearers: dict[str, Leaf] = {}
    for leaf in leaves():
        other = bearers.setdefault(leaf.code, leaf)
        if other is not leaf:
            yield f"{leaf.code} is borne by {other.path}:{other.name} and {leaf.path}:{leaf.name}"


def _leaf(path: str, node: ast.ClassDef, bases: Mapping[str, tuple[str, ...]]) -> Leaf | None:
    code = _own_code(node)
    family = _family(node.name, bases)
    if code is None or family is None or node.name in (*FAMILIES, "LienThongError"):
        return None
    means = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return Leaf(code=code, family=family, means=means, path=path, name=node.name)


def _family(name: str, bases: Mapping[str, tuple[str, ...]]) -> str | None:
    if name in (*FAMILIES, "LienThongError"):
        return name
    found = (_family(base, bases) for base in bases.get(name, ()) if base != name)
    return next((family for family in found if family), None)


def _bases(node: ast.ClassDef) -> tuple[str, ...]:
    return tuple(ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases)


def _own_code(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                return code
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                return code
    return None
