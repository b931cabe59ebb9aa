"""The requirement graph over all files of one call: look-ups, and orders without cycles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.dmn.errors import DecisionCycle, DecisionUnknown, DmnRefused
from workflows.dmn.items import Types
from workflows.dmn.model import (
    Decision,
    DecisionService,
    Definitions,
    GraphElement,
    Knowledge,
    Reference,
)
from workflows.expressions.runtime import Feel


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """An element with the file it stands in."""

    reference: Reference
    element: GraphElement
    definitions: Definitions


class Graph:
    """All elements of all files; the first file is the one that is asked."""

    def __init__(self, files: Sequence[Definitions]) -> None:
        if len({file.namespace for file in files}) < len(files):
            raise DmnRefused(
                "expected files of distinct namespaces, got two of one",
                expected="distinct namespaces",
                got="two files of one",
                line=1,
            )
        self.files = tuple(files)
        self.nodes: dict[Reference, Node] = {}
        for file in files:
            for element in file.elements:
                reference = Reference(file.namespace, element.id)
                self.nodes[reference] = Node(reference=reference, element=element, definitions=file)
        self._by_namespace = {file.namespace: file for file in files}
        self.types: dict[str, Types] = {}
        for file in files:
            self._types_of(file, ())

    def _types_of(self, file: Definitions, path: tuple[str, ...]) -> Types:
        """Return the types of `file`, those of its imports made before."""
        if file.namespace in path:
            raise DecisionCycle("expected imports without a circle, got one", name=file.name)
        known = self.types.get(file.namespace)
        if known is not None:
            return known
        imported: dict[str, Types] = {}
        for found in file.imports:
            target = self._by_namespace.get(found.namespace)
            if target is not None:
                imported[found.name] = self._types_of(target, (*path, file.namespace))
        self.types[file.namespace] = types = Types(file, imported)
        return types

    def named(self, name: str) -> Node:
        """Return the element of a name or id, the first file's before others'."""
        wanted = " ".join(name.split())
        for node in self.nodes.values():
            if node.element.name == wanted:
                return node
        for node in self.nodes.values():
            if node.element.id == wanted:
                return node
        raise DecisionUnknown(f"expected the name of a decision, got {name}", name=name)

    def decisions(self) -> Iterator[Node]:
        """Yield the decisions of the first file in their order."""
        for node in self.nodes.values():
            if isinstance(node.element, Decision) and node.definitions is self.files[0]:
                yield node

    def requires(self, node: Node) -> tuple[Reference, ...]:
        """Return what the element needs before it can be evaluated."""
        if isinstance(node.element, Knowledge):  # a function may call itself
            return tuple(found for found in node.element.requires if found != node.reference)
        if isinstance(node.element, Decision):
            return node.element.requires
        return ()  # what is inside of a service is evaluated when it is called

    def missing(self, node: Node) -> Iterator[Reference]:
        """Yield the references of the element that no file has."""
        return (found for found in _all_references(node.element) if found not in self.nodes)

    def order(self, targets: Iterable[Reference], known: Iterable[Reference]) -> list[Node]:
        """Return `targets` and all they need, each after what it needs; `known` are left out.

        Raise `DecisionCycle` when elements need each other.
        """
        ordered, circles = self.order_with_circles(targets, known)
        for reference in circles:
            name = self.nodes[reference].element.name
            raise DecisionCycle(
                f"expected requirements without a circle, got one at {name}", name=name
            )
        return ordered

    def order_with_circles(
        self, targets: Iterable[Reference], known: Iterable[Reference]
    ) -> tuple[list[Node], tuple[Reference, ...]]:
        """Return the order, and the elements that are met again on the way to themselves."""
        done: set[Reference] = set(known)
        open_ones: set[Reference] = set()
        circles: dict[Reference, None] = {}
        ordered: list[Node] = []
        pending = [(target, False) for target in targets]
        while pending:
            reference, is_ready = pending.pop()
            node = self.nodes.get(reference)
            if node is None or (reference in done and not is_ready):
                continue
            if is_ready:
                open_ones.discard(reference)
                done.add(reference)
                ordered.append(node)
            elif reference in open_ones:
                circles[reference] = None
            else:
                open_ones.add(reference)
                pending.append((reference, True))
                pending.extend((needed, False) for needed in self.requires(node))
        return ordered, tuple(circles)

    def seen_as(self, node: Node, within: Definitions) -> tuple[str, str]:
        """Return the import's name (or nothing) and the name by which `within` sees the element."""
        if node.definitions is within:
            return "", node.element.name
        for found in within.imports:
            if found.namespace == node.definitions.namespace:
                return found.name, node.element.name
        return "", node.element.name

    def import_path(self, wanted: Definitions) -> tuple[str, ...]:
        """Return the names of the imports that lead from the first file to `wanted`."""
        pending: list[tuple[Definitions, tuple[str, ...]]] = [(self.files[0], ())]
        seen: set[str] = set()
        for file, path in pending:
            if file is wanted:
                return path
            seen.add(file.namespace)
            for found in file.imports:
                target = self._by_namespace.get(found.namespace)
                if target is not None and target.namespace not in seen:
                    pending.append((target, (*path, found.name) if found.name else path))
        return ()

    def visible(
        self,
        references: Iterable[Reference],
        values: Mapping[Reference, Feel],
        within: Definitions,
    ) -> dict[str, Feel]:
        """Return the names an element sees, imported ones as entries of their import's name."""
        names: dict[str, Feel] = {}
        imported: dict[str, dict[str, Feel]] = {}
        for reference in references:
            node = self.nodes.get(reference)
            if node is None or reference not in values:
                continue
            prefix, name = self.seen_as(node, within)
            if prefix:
                imported.setdefault(prefix, {})[name] = values[reference]
            else:
                names[name] = values[reference]
        return {**names, **imported}


def _all_references(element: GraphElement) -> Iterator[Reference]:
    if isinstance(element, Decision | Knowledge):
        yield from element.requires
    if isinstance(element, DecisionService):
        yield from element.outputs
        yield from element.encapsulated
        yield from element.input_decisions
        yield from element.input_elements
