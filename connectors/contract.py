"""The service's WSDL as one contract: served to callers, and the schema that bodies are held to."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from connectors.errors import SchemaRefused, WsdlBroken
from dossier import safexml

NAMESPACE: Final = "urn:lienthong:service:1"
FILE_NAME: Final = "lienthong.wsdl"

_XSD: Final = "{http://www.w3.org/2001/XMLSchema}"
_ELEMENT: Final = re.compile(r"Element '(?:\{[^}]*\})?([A-Za-z_][\w.-]{0,63})'")
_LOCATION: Final = re.compile(rb"location=(\"[^\"]*\"|'[^']*')")
_DEFAULT_ADDRESS: Final = b'"http://127.0.0.1/soap"'


def qname(name: str) -> str:
    """Return the name of an element of the service in Clark notation."""
    return f"{{{NAMESPACE}}}{name}"


def action(operation: str) -> str:
    """Return the SOAPAction of an operation."""
    return f"{NAMESPACE}/{operation}"


def wsdl_path() -> Path:
    """Return where the vendored WSDL lies."""
    return Path(str(resources.files("connectors").joinpath("wsdl", FILE_NAME)))


def wsdl_bytes(address: str) -> bytes:
    """Return the WSDL with `address` as the location of both ports."""
    return wsdl_path().read_bytes().replace(_DEFAULT_ADDRESS, quoteattr(address).encode())


def is_same_wsdl(served: bytes) -> bool:
    """Tell whether a served WSDL is this version's, whatever address it names."""
    return _LOCATION.sub(b"", served) == _LOCATION.sub(b"", wsdl_path().read_bytes())


class Contract:
    """The schema inside the WSDL, ready to judge bodies; safe to share between threads."""

    def __init__(self, wsdl: bytes) -> None:
        schema = safexml.parse(wsdl).find(f".//{_XSD}schema")
        if schema is None:
            raise WsdlBroken("expected an inline schema in the WSDL")
        self._schema = etree.XMLSchema(schema)
        self.binary_elements: Final = frozenset(
            qname(node.get("name", ""))
            for node in schema.iter(f"{_XSD}element")
            if node.get("type") == "xs:base64Binary"
        )
        self.operations: Final = frozenset(
            name.removesuffix("Response")
            for node in schema.findall(f"{_XSD}element")
            if (name := node.get("name", "")).endswith("Response")
        )
        self.by_element: Final = {qname(name): name for name in self.operations}

    def check(self, body_child: etree._Element) -> None:
        """Raise `SchemaRefused`, naming the element, unless the schema allows this one.

        Large binary content is to be detached before (`connectors.xop`): validating base64
        costs more than everything else together.
        """
        try:
            self._schema.assertValid(body_child)
        except etree.DocumentInvalid as exc:
            log: Any = exc.error_log
            raise SchemaRefused(
                f"expected {etree.QName(body_child).localname} as the schema describes it",
                element=_element_of(log[0].message) if len(log) else "?",
            ) from exc


@cache
def service() -> Contract:
    """Return the contract of the vendored WSDL, read once per process."""
    return Contract(wsdl_path().read_bytes())


def _element_of(message: str) -> str:
    """Return the local name of the element that libxml2 complains about."""
    found = _ELEMENT.match(message)
    return found.group(1) if found else "?"
