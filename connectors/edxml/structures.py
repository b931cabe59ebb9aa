"""Turn the model's structures into markup and back, by the names in their fields' metadata.

Reading takes children in any order and passes over what it does not know; writing has one order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lxml import etree

from connectors.errors import EdxmlFieldTooLong, EdxmlTextRefused
from dossier import xmltext

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Structure = TypeVar("Structure", bound="DataclassInstance")


def read(node: etree._Element | None, kind: type[Structure]) -> Structure:
    """Return the structure that `node` holds, an empty one for None."""
    if node is None:
        return kind()
    values = {field.name: _value(node, field) for field in fields(kind)}
    return kind(**values)


def write(structure: DataclassInstance, *, prefix: str) -> str:
    """Return the markup of the structure's fields; empty ones are left out.

    Raises `EdxmlFieldTooLong` for text that deployed peers refuse, `EdxmlTextRefused` for what
    would not be XML.
    """
    return "".join(_markup(structure, field, prefix) for field in fields(structure))


def child(node: etree._Element, name: str) -> etree._Element | None:
    """Return the first child of that local name, whatever its namespace."""
    return next(children(node, name), None)


def children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the children of that local name, whatever their namespace."""
    return (one for one in node if local_name(one) == name)


def local_name(node: etree._Element) -> str:
    """Return the name without its namespace."""
    return str(node.tag).rpartition("}")[2]


def text_of(node: etree._Element | None) -> str:
    """Return the text of an element, also where markup stands in it; "" for None."""
    return "".join(str(part) for part in node.itertext()).strip() if node is not None else ""


def _value(node: etree._Element, field: Field[Any]) -> object:
    name, kind = field.metadata["element"], field.metadata.get("kind")
    if "within" not in field.metadata:
        found = child(node, name)
        return read(found, kind) if kind else text_of(found)
    holder = child(node, within) if (within := field.metadata["within"]) else node
    if holder is None:
        return ()
    values = (read(one, kind) if kind else text_of(one) for one in children(holder, name))
    return tuple(value for value in values if value not in ("", kind() if kind else ""))


def _markup(structure: DataclassInstance, field: Field[Any], prefix: str) -> str:
    value = getattr(structure, field.name)
    if "within" not in field.metadata:
        return "".join(_elements((value,), field, prefix))
    inner = "".join(_elements(value, field, prefix))
    within = field.metadata["within"]
    return xmltext.element(prefix + within, inner) if within and inner else inner


def _elements(values: Iterable[Any], field: Field[Any], prefix: str) -> Iterator[str]:
    name = prefix + field.metadata["element"]
    for value in values:
        if not isinstance(value, str):
            inner = write(value, prefix=prefix)
            if inner:
                yield xmltext.element(name, inner)
        elif value:
            _check_text(value, field)
            yield xmltext.text(name, value)


def _check_text(value: str, field: Field[Any]) -> None:
    element, limit = field.metadata["element"], field.metadata["limit"]
    if limit and len(value) > limit:
        raise EdxmlFieldTooLong(
            f"expected at most {limit} characters in {element}", element=element, limit=limit
        )
    if _NOT_XML.search(value):
        raise EdxmlTextRefused(f"expected no control characters in {element}", element=element)
