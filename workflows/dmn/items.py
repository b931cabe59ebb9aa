"""Item definitions → types with their constraints (DMN 1.5, 7.3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dossier.errors import Rejected
from workflows.dmn.model import Definitions, ItemDefinition, Text
from workflows.expressions.cursor import Cursor
from workflows.expressions.expression import Environment, compile_tests
from workflows.expressions.profile import DMN
from workflows.expressions.runtime import Evaluator, Feel, Run, Scope
from workflows.expressions.typenames import parse_type
from workflows.expressions.types import (
    ANY,
    NAMED,
    ContextOf,
    FunctionOf,
    ListOf,
    Restricted,
    Type,
    resolve,
)
from workflows.expressions.vocabulary import Vocabulary

_ANY_NAMES: Final = ("", "Any", "<Undefined>", "Undefined")
# What older modellers write where the standard has one type of number.
_FOREIGN: Final = {
    name: NAMED["number"] for name in ("integer", "int", "long", "double", "decimal")
}


class Types:
    """The types of one file, those of imported files included under their import's name."""

    def __init__(self, definitions: Definitions, imported: Mapping[str, Types]) -> None:
        self._items = {item.name: item for item in definitions.items}
        self._imported = imported
        self._known: dict[str, Type] = {}
        self._open: set[str] = set()
        self.named: dict[str, Type] = {}
        for name in self._items:
            self.named[name] = self.of(name) or ANY
        for prefix, types in imported.items():
            for name, known in types.named.items():
                self.named.setdefault(f"{prefix}.{name}" if prefix else name, known)

    def of(self, type_ref: str) -> Type | None:
        """Return the type of a typeRef, or None when the name is unknown."""
        if type_ref in _ANY_NAMES:
            return ANY
        known = self._known.get(type_ref) or self.named.get(type_ref)
        if known is not None:
            return known
        item = self._items.get(type_ref)
        if item is None:
            standard = NAMED.get(type_ref) or _FOREIGN.get(type_ref)
            return standard or self._written(type_ref) or self._anywhere(type_ref)
        if type_ref in self._open:
            return ANY  # a type that contains itself; the lint names it
        self._open.add(type_ref)
        self._known[type_ref] = built = self._built(item)
        self._open.discard(type_ref)
        return built

    def allowed_of(self, type_ref: str) -> Text | None:
        """Return the allowed values that the item definition of a typeRef lists."""
        item = self._items.get(type_ref)
        return None if item is None else item.allowed

    def _anywhere(self, name: str) -> Type | None:
        """Return the type of an imported file whose prefix was one of XML (DMN 1.1)."""
        found = (types.named.get(name) for types in self._imported.values())
        return next((known for known in found if known is not None), None)

    def _written(self, type_ref: str) -> Type | None:
        """Return a type spelled out, as `list<number>`."""
        if "<" not in type_ref:
            return None
        try:
            cursor = Cursor(type_ref, DMN, names=self.named, library=(), vocabulary=Vocabulary())
            return resolve(parse_type(cursor), self.named)
        except Rejected:
            return None

    def _built(self, item: ItemDefinition) -> Type:
        inner = self._inner(item)
        if item.allowed is not None:
            inner = Restricted(item.name, inner, _Check(item.allowed))
        if item.is_collection:
            inner = ListOf(inner)
        if item.constraint is not None:
            inner = Restricted(item.name, inner, _Check(item.constraint))
        return inner

    def _inner(self, item: ItemDefinition) -> Type:
        if item.function is not None:
            parameters = tuple(self.of(kind) or ANY for _, kind in item.function[0])
            return FunctionOf(parameters, self.of(item.function[1]) or ANY)
        if item.components:
            return ContextOf(tuple((part.name, self._built(part)) for part in item.components))
        return self.of(item.type_ref) or ANY


class _Check:
    """Whether a value passes the unary tests of a constraint; broken tests let nothing pass."""

    def __init__(self, tests: Text) -> None:
        self._evaluator: Evaluator | None
        try:
            self._evaluator = compile_tests(tests.text, Environment())[0]
        except Rejected:
            self._evaluator = None

    def __call__(self, value: Feel, run: Run) -> bool:
        if self._evaluator is None:
            return False
        return self._evaluator(Scope({"?": value}, run)) is True


def component_names(items: tuple[ItemDefinition, ...]) -> Iterator[str]:
    """Yield the names of all components, which paths may use."""
    for item in items:
        for component in item.components:
            yield component.name
            yield from component_names((component,))
