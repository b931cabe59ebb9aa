"""A decision model as read: definitions, requirements, boxed expressions; nothing compiled yet.

Lines are those of the file, so that every finding can point at its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class HitPolicy(Enum):
    """How a table turns matched rules into its result (DMN 1.5, 8.2.8)."""

    UNIQUE = "UNIQUE"
    ANY = "ANY"
    FIRST = "FIRST"
    PRIORITY = "PRIORITY"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"
    COLLECT = "COLLECT"


class Aggregation(Enum):
    """What COLLECT does with the outputs."""

    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """An expression as written, where it stands, and the type it must have."""

    text: str
    line: int
    id: str = ""
    type_ref: str = ""
    language: str = ""  # empty for FEEL


@dataclass(frozen=True, kw_only=True, slots=True)
class InputColumn:
    """An input clause of a table; `allowed` are unary tests or empty."""

    label: str
    expression: Text
    allowed: Text | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputColumn:
    """An output clause; `name` is empty when the table has one output only."""

    name: str
    label: str
    type_ref: str
    allowed: Text | None
    default: Text | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A row: its tests, its outputs and what people annotated."""

    id: str
    line: int
    tests: tuple[Text, ...]
    outputs: tuple[Text, ...]
    annotations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionTable:
    """A decision table."""

    id: str
    line: int
    type_ref: str
    hit_policy: HitPolicy
    aggregation: Aggregation | None
    inputs: tuple[InputColumn, ...]
    outputs: tuple[OutputColumn, ...]
    annotations: tuple[str, ...]  # the names of the annotation columns
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry of a boxed context; without a name it is the result."""

    name: str
    type_ref: str
    body: Boxed


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedContext:
    """A boxed context."""

    line: int
    type_ref: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedInvocation:
    """A call of a business knowledge model by parameter names."""

    line: int
    type_ref: str
    callee: Text
    bindings: tuple[tuple[str, Boxed], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedFunction:
    """A function definition; `kind` is FEEL, Java or PMML."""

    line: int
    type_ref: str
    kind: str
    parameters: tuple[tuple[str, str], ...]  # name and typeRef
    body: Boxed | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedList:
    """A boxed list."""

    line: int
    type_ref: str
    items: tuple[Boxed, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedRelation:
    """A boxed relation: a list of contexts with the same entries."""

    line: int
    type_ref: str
    columns: tuple[tuple[str, str], ...]  # name and typeRef
    rows: tuple[tuple[Boxed, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedConditional:
    """A boxed `if`."""

    line: int
    type_ref: str
    condition: Boxed
    yes: Boxed
    no: Boxed


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedFilter:
    """A boxed filter."""

    line: int
    type_ref: str
    source: Boxed
    match: Boxed


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxedIterator:
    """A boxed `for`, `every` or `some` (its `kind`)."""

    line: int
    type_ref: str
    kind: str
    variable: str
    source: Boxed
    body: Boxed


Boxed: TypeAlias = (
    Text
    | DecisionTable
    | BoxedContext
    | BoxedInvocation
    | BoxedFunction
    | BoxedList
    | BoxedRelation
    | BoxedConditional
    | BoxedFilter
    | BoxedIterator
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemDefinition:
    """A declared type: of components, of a function, or another type with constraints."""

    name: str
    line: int
    type_ref: str
    is_collection: bool
    components: tuple[ItemDefinition, ...]
    allowed: Text | None  # of each item when it is a collection
    constraint: Text | None  # of the whole value (typeConstraint, DMN 1.5)
    function: tuple[tuple[tuple[str, str], ...], str] | None  # parameters and result


@dataclass(frozen=True, slots=True)
class Reference:
    """The element that an `href` names: namespace and id."""

    namespace: str
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """What every element of a requirement graph has."""

    id: str
    name: str  # of the variable, which is what expressions see
    line: int
    type_ref: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InputElement(Element):
    """An input of the model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision(Element):
    """A decision and what it requires; `question` and `answers` are for people."""

    question: str
    answers: str
    requires: tuple[Reference, ...]  # decisions, inputs, knowledge models and services
    body: Boxed | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge(Element):
    """A business knowledge model: a function with requirements."""

    requires: tuple[Reference, ...]
    body: BoxedFunction | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionService(Element):
    """A part of the graph that is called like a function."""

    outputs: tuple[Reference, ...]
    encapsulated: tuple[Reference, ...]
    input_decisions: tuple[Reference, ...]
    input_elements: tuple[Reference, ...]


GraphElement: TypeAlias = InputElement | Decision | Knowledge | DecisionService


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """Another model under a name; without a name its elements are seen directly."""

    name: str
    namespace: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Definitions:
    """One file."""

    id: str
    name: str
    namespace: str
    digest: str  # SHA-256 of the file: the version of the decision
    imports: tuple[Import, ...]
    items: tuple[ItemDefinition, ...]
    elements: tuple[GraphElement, ...]
