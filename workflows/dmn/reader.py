"""Bytes → `Definitions`: the requirement graph of DMN 1.1 to 1.5, item definitions and imports."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from lxml import etree

from dossier import safexml
from workflows.dmn.boxes import box_in, read_function
from workflows.dmn.model import (
    Decision,
    DecisionService,
    Definitions,
    GraphElement,
    Import,
    InputElement,
    ItemDefinition,
    Knowledge,
    Reference,
)
from workflows.dmn.xml import (
    attribute,
    child,
    children,
    inner_text,
    line_of,
    name_of,
    optional_text,
    refused,
    tag_of,
    text_of,
    type_of,
)


def read_definitions(content: bytes) -> Definitions:
    """Return the model of a DMN file.

    Raise `XmlRefused` for XML we do not take and `DmnRefused` for a file of another structure.
    Comments are dropped; diagrams and foreign elements are not looked at.
    """
    root = safexml.parse(content, keep_comments=True)
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    if tag_of(root) != "definitions":
        raise refused(root, "definitions of DMN 1.1 to 1.5", str(root.tag))
    namespace = attribute(root, "namespace")
    elements = [_READERS[tag_of(found)](found, namespace) for found in children(root, *_READERS)]
    services = [
        _service(found, namespace) for found in root.iter() if tag_of(found) == "decisionService"
    ]
    _check_distinct(root, [*elements, *services])
    return Definitions(
        id=attribute(root, "id"),
        name=name_of(root),
        namespace=namespace,
        digest=hashlib.sha256(content).hexdigest(),
        imports=tuple(_import(found) for found in children(root, "import")),
        items=tuple(_item(found) for found in children(root, "itemDefinition")),
        elements=(*elements, *services),
    )


def _check_distinct(root: etree._Element, elements: list[GraphElement]) -> None:
    seen: set[str] = set()
    for element in elements:
        if element.id and element.id in seen:
            raise refused(root, "distinct ids", element.id)
        seen.add(element.id)


def _import(element: etree._Element) -> Import:
    return Import(
        name=name_of(element), namespace=attribute(element, "namespace"), line=line_of(element)
    )


def _input(element: etree._Element, namespace: str) -> InputElement:
    del namespace  # an input requires nothing
    return InputElement(
        id=_id(element), name=_name(element), line=line_of(element), type_ref=_type(element)
    )


def _knowledge(element: etree._Element, namespace: str) -> Knowledge:
    logic = child(element, "encapsulatedLogic")
    return Knowledge(
        id=_id(element),
        name=_name(element),
        line=line_of(element),
        type_ref=_type(element),
        requires=_requirements(element, namespace),
        body=None if logic is None else read_function(logic),
    )


def _decision(element: etree._Element, namespace: str) -> Decision:
    return Decision(
        id=_id(element),
        name=_name(element),
        line=line_of(element),
        type_ref=_type(element),
        question=_said(element, "question"),
        answers=_said(element, "allowedAnswers"),
        requires=_requirements(element, namespace),
        body=box_in(element),
    )


def _id(element: etree._Element) -> str:
    return attribute(element, "id") or name_of(element)


def _name(element: etree._Element) -> str:
    variable = child(element, "variable")
    return name_of(element) or ("" if variable is None else name_of(variable))


def _type(element: etree._Element) -> str:
    variable = child(element, "variable")
    return "" if variable is None else type_of(variable)


def _said(element: etree._Element, tag: str) -> str:
    found = child(element, tag)
    return "" if found is None else " ".join(inner_text(found).split())


def _requirements(element: etree._Element, namespace: str) -> tuple[Reference, ...]:
    kinds = ("informationRequirement", "knowledgeRequirement")
    targets = ("requiredInput", "requiredDecision", "requiredKnowledge")
    return tuple(
        _reference(target, namespace)
        for requirement in children(element, *kinds)
        for target in children(requirement, *targets)
    )


def _reference(element: etree._Element, namespace: str) -> Reference:
    where, separator, identifier = attribute(element, "href").rpartition("#")
    if not identifier:
        raise refused(element, "an href with an id", "none")
    return Reference(where if separator and where else namespace, identifier)


def _service(element: etree._Element, namespace: str) -> DecisionService:
    def references(tag: str) -> tuple[Reference, ...]:
        return tuple(_reference(found, namespace) for found in children(element, tag))

    return DecisionService(
        id=_id(element),
        name=_name(element),
        line=line_of(element),
        type_ref=_type(element),
        outputs=references("outputDecision"),
        encapsulated=references("encapsulatedDecision"),
        input_decisions=references("inputDecision"),
        input_elements=references("inputData"),
    )


def _item(element: etree._Element) -> ItemDefinition:
    function = child(element, "functionItem")
    return ItemDefinition(
        name=name_of(element),
        line=line_of(element),
        type_ref=type_of(element),
        is_collection=attribute(element, "isCollection") in ("true", "1"),
        components=tuple(_item(found) for found in children(element, "itemComponent")),
        allowed=optional_text(child(element, "allowedValues")),
        constraint=optional_text(child(element, "typeConstraint")),
        function=None if function is None else _function_item(function),
    )


def _function_item(element: etree._Element) -> tuple[tuple[tuple[str, str], ...], str]:
    parameters = tuple(
        (name_of(found), type_of(found)) for found in children(element, "parameters")
    )
    result = attribute(element, "outputTypeRef") or text_of(child(element, "outputTypeRef"))
    return parameters, result


_READERS: Final[dict[str, Callable[[etree._Element, str], GraphElement]]] = {
    "inputData": _input,
    "decision": _decision,
    "businessKnowledgeModel": _knowledge,
}
