"""XML → boxed expressions (DMN 1.5, 7.3 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lxml import etree

from workflows.dmn.model import (
    Aggregation,
    Boxed,
    BoxedConditional,
    BoxedContext,
    BoxedFilter,
    BoxedFunction,
    BoxedInvocation,
    BoxedIterator,
    BoxedList,
    BoxedRelation,
    DecisionTable,
    Entry,
    HitPolicy,
    InputColumn,
    OutputColumn,
    Rule,
    Text,
)
from workflows.dmn.xml import (
    attribute,
    child,
    children,
    line_of,
    name_of,
    needed,
    optional_text,
    refused,
    tag_of,
    text_of,
    type_of,
    written,
)


def read_box(element: etree._Element) -> Boxed:
    """Return the boxed expression that `element` is."""
    read = _READERS.get(tag_of(element))
    if read is None:
        raise refused(element, "a boxed expression", tag_of(element) or "a foreign element")
    return read(element)


def box_in(element: etree._Element) -> Boxed | None:
    """Return the boxed expression among the children of `element`, or None."""
    found = child(element, *_READERS)
    return None if found is None else read_box(found)


def _needed_box(element: etree._Element) -> Boxed:
    found = box_in(element)
    if found is None:
        raise refused(element, "a boxed expression", "none")
    return found


def read_function(element: etree._Element) -> BoxedFunction:
    """Return a function definition or the encapsulated logic of a knowledge model."""
    parameters = tuple(
        (name_of(parameter), type_of(parameter))
        for parameter in children(element, "formalParameter")
    )
    return BoxedFunction(
        line=line_of(element),
        type_ref=type_of(element),
        kind=attribute(element, "kind") or "FEEL",
        parameters=parameters,
        body=box_in(element),
    )


def _literal(element: etree._Element) -> Text:
    return written(element)


def _table(element: etree._Element) -> DecisionTable:
    inputs = tuple(_input(clause) for clause in children(element, "input"))
    outputs = tuple(_output(clause) for clause in children(element, "output"))
    if not outputs:
        raise refused(element, "an output", "none")
    rules = tuple(_rule(rule, len(inputs), len(outputs)) for rule in children(element, "rule"))
    policy, aggregation = _policy(element)
    return DecisionTable(
        id=attribute(element, "id"),
        line=line_of(element),
        type_ref=type_of(element),
        hit_policy=policy,
        aggregation=aggregation,
        inputs=inputs,
        outputs=outputs,
        annotations=tuple(name_of(column) for column in children(element, "annotation")),
        rules=rules,
    )


def _policy(element: etree._Element) -> tuple[HitPolicy, Aggregation | None]:
    named = attribute(element, "hitPolicy") or "UNIQUE"
    aggregated = attribute(element, "aggregation")
    try:
        policy = HitPolicy(named)
        return policy, Aggregation(aggregated) if aggregated else None
    except ValueError as exc:
        raise refused(element, "a hit policy", f"{named} {aggregated}".strip()) from exc


def _input(clause: etree._Element) -> InputColumn:
    expression = written(needed(clause, "inputExpression"))
    return InputColumn(
        label=attribute(clause, "label"),
        expression=expression,
        allowed=optional_text(child(clause, "inputValues")),
    )


def _output(clause: etree._Element) -> OutputColumn:
    return OutputColumn(
        name=name_of(clause),
        label=attribute(clause, "label"),
        type_ref=type_of(clause),
        allowed=optional_text(child(clause, "outputValues")),
        default=optional_text(child(clause, "defaultOutputEntry")),
    )


def _rule(rule: etree._Element, inputs: int, outputs: int) -> Rule:
    tests = tuple(written(entry) for entry in children(rule, "inputEntry"))
    results = tuple(written(entry) for entry in children(rule, "outputEntry"))
    if (len(tests), len(results)) != (inputs, outputs):
        raise refused(
            rule,
            f"{inputs} input and {outputs} output entries",
            f"{len(tests)} and {len(results)}",
        )
    return Rule(
        id=attribute(rule, "id"),
        line=line_of(rule),
        tests=tests,
        outputs=results,
        annotations=tuple(text_of(entry).strip() for entry in children(rule, "annotationEntry")),
    )


def _context(element: etree._Element) -> BoxedContext:
    entries: list[Entry] = []
    for entry in children(element, "contextEntry"):
        variable = child(entry, "variable")
        entries.append(
            Entry(
                name="" if variable is None else name_of(variable),
                type_ref="" if variable is None else type_of(variable),
                body=_needed_box(entry),
            )
        )
    return BoxedContext(line=line_of(element), type_ref=type_of(element), entries=tuple(entries))


def _invocation(element: etree._Element) -> BoxedInvocation:
    bindings = tuple(
        (name_of(needed(binding, "parameter")), _needed_box(binding))
        for binding in children(element, "binding")
    )
    return BoxedInvocation(
        line=line_of(element),
        type_ref=type_of(element),
        callee=written(needed(element, "literalExpression")),
        bindings=bindings,
    )


def _list(element: etree._Element) -> BoxedList:
    items = tuple(read_box(item) for item in children(element, *_READERS))
    return BoxedList(line=line_of(element), type_ref=type_of(element), items=items)


def _relation(element: etree._Element) -> BoxedRelation:
    columns = tuple((name_of(column), type_of(column)) for column in children(element, "column"))
    rows = tuple(
        tuple(read_box(cell) for cell in children(row, *_READERS))
        for row in children(element, "row")
    )
    if any(len(row) != len(columns) for row in rows):
        raise refused(element, f"{len(columns)} cells in each row", "another number")
    return BoxedRelation(
        line=line_of(element), type_ref=type_of(element), columns=columns, rows=rows
    )


def _conditional(element: etree._Element) -> BoxedConditional:
    return BoxedConditional(
        line=line_of(element),
        type_ref=type_of(element),
        condition=_needed_box(needed(element, "if")),
        yes=_needed_box(needed(element, "then")),
        no=_needed_box(needed(element, "else")),
    )


def _filter(element: etree._Element) -> BoxedFilter:
    return BoxedFilter(
        line=line_of(element),
        type_ref=type_of(element),
        source=_needed_box(needed(element, "in")),
        match=_needed_box(needed(element, "match")),
    )


def _iterator(element: etree._Element) -> BoxedIterator:
    return BoxedIterator(
        line=line_of(element),
        type_ref=type_of(element),
        kind=tag_of(element),
        variable=attribute(element, "iteratorVariable"),
        source=_needed_box(needed(element, "in")),
        body=_needed_box(needed(element, "return", "satisfies")),
    )


_READERS: Final[dict[str, Callable[[etree._Element], Boxed]]] = {
    "literalExpression": _literal,
    "decisionTable": _table,
    "context": _context,
    "invocation": _invocation,
    "functionDefinition": read_function,
    "list": _list,
    "relation": _relation,
    "conditional": _conditional,
    "filter": _filter,
    "for": _iterator,
    "every": _iterator,
    "some": _iterator,
}
