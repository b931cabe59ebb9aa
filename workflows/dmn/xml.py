"""Reading DMN's XML: one look at an element, whatever version its namespace is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from workflows.dmn.errors import DmnRefused
from workflows.dmn.model import Text

NAMESPACES: Final = frozenset(
    {
        "http://www.omg.org/spec/DMN/20130901",  # 1.0
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",  # 1.1
        "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",  # 1.2
        "https://www.omg.org/spec/DMN/20191111/MODEL/",  # 1.3
        "https://www.omg.org/spec/DMN/20211108/MODEL/",  # 1.4
        "https://www.omg.org/spec/DMN/20230324/MODEL/",  # 1.5
        "https://www.omg.org/spec/DMN/20240513/MODEL/",  # 1.6, the same elements
    }
)


def tag_of(element: etree._Element) -> str:
    """Return the local name of a DMN element, and nothing for foreign ones and comments."""
    if not isinstance(element.tag, str):
        return ""  # type: ignore[unreachable]  # comments have a function here
    name = etree.QName(element)
    return name.localname if name.namespace in NAMESPACES else ""


def children(element: etree._Element, *tags: str) -> Iterator[etree._Element]:
    """Yield the children with one of the local names `tags`."""
    return (child for child in element if tag_of(child) in tags)


def child(element: etree._Element, *tags: str) -> etree._Element | None:
    """Return the first child with one of the local names `tags`."""
    return next(children(element, *tags), None)


def needed(element: etree._Element, *tags: str) -> etree._Element:
    """Return the first such child; raise `DmnRefused` without one."""
    found = child(element, *tags)
    if found is None:
        raise refused(element, " or ".join(tags), "none")
    return found


def attribute(element: etree._Element, name: str) -> str:
    """Return an attribute's text, or nothing."""
    return str(element.get(name) or "")


def line_of(element: etree._Element) -> int:
    """Return the line of the element in its file."""
    line: int | None = element.sourceline  # type: ignore[assignment]  # the stub says Ellipsis
    return line or 0


def name_of(element: etree._Element) -> str:
    """Return the name attribute with its white space made single."""
    return " ".join(attribute(element, "name").split())


def type_of(element: etree._Element) -> str:
    """Return the typeRef as a plain name, without the prefix of a namespace.

    In DMN 1.1 it is a qualified name of XML and may be an element of its own.
    """
    inner = child(element, "typeRef")
    text = attribute(element, "typeRef") or ("" if inner is None else inner_text(inner))
    text = " ".join(text.split())
    if text.startswith("{"):
        return text.rpartition("}")[2]
    prefix, separator, local = text.partition(":")
    is_prefix = separator and (prefix == "feel" or prefix in element.nsmap)
    return local if is_prefix else text


def inner_text(element: etree._Element) -> str:
    """Return all text inside of the element."""
    return "".join(str(part) for part in element.itertext())


def text_of(element: etree._Element | None) -> str:
    """Return the text of the `<text>` child, or nothing."""
    inner = None if element is None else child(element, "text")
    return "" if inner is None else inner_text(inner)


def written(element: etree._Element) -> Text:
    """Return the expression in the `<text>` child, with its line."""
    inner = child(element, "text")
    return Text(
        text=text_of(element),
        line=line_of(element if inner is None else inner),
        id=attribute(element, "id"),
        type_ref=type_of(element),
        language=_language_of(element),
    )


def _language_of(element: etree._Element) -> str:
    """Return the foreign language of an expression: its own, or the one of the whole file."""
    root = element.getroottree().getroot()
    language = attribute(element, "expressionLanguage") or attribute(root, "expressionLanguage")
    return "" if "feel" in language.lower() else language


def optional_text(element: etree._Element | None) -> Text | None:
    """Return the expression of an optional element, or None when it is absent or blank."""
    if element is None or not text_of(element).strip():
        return None
    return written(element)


def refused(element: etree._Element, expected: str, got: str) -> DmnRefused:
    """Return the error for `element`."""
    line = line_of(element)
    return DmnRefused(
        f"expected {expected}, got {got} in line {line}", expected=expected, got=got, line=line
    )
