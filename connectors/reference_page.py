"""Write `docs/reference/soap.md` from the WSDL, so that the page cannot say something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from connectors.contract import NAMESPACE, wsdl_path
from connectors.errors import WsdlBroken
from dossier import safexml

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_INTRODUCTION: Final = f"""# The SOAP service

Generated from the WSDL by `make docs`; do not edit.

The WSDL is at `/soap?wsdl`: SOAP 1.1 and 1.2, document/literal wrapped, one inline schema,
namespace `{NAMESPACE}`. [formats/wire.md](../formats/wire.md) shows the bytes of a call and the
HTTP statuses, [formats/request.md](../formats/request.md) the sealed request that all operations
but `SendMessage` carry, [errors.md](errors.md) every error code.

`SOAPAction` is `{NAMESPACE}/` and the name of the operation, or empty. Every `base64Binary` may
come inline or by MTOM. Where no answer exists, the reply is a fault whose detail is
`ExchangeFault`.

## Header blocks

None is needed. Blocks that must be understood are refused, but for these:

- **X-Road 4.0** (`client`, `service`, `id`, `userId`, `issue`, `protocolVersion`): repeated in the
  reply, in their order, with a `requestHash` (SHA-512) of the envelope. `serviceCode` must be the
  operation.
- **WS-Security**, verified by every node: one `Security` with a `BinarySecurityToken` (X.509), a
  `Timestamp` and one `Signature` over the Timestamp and the Body; exclusive canonicalisation,
  SHA-256, RSA or ECDSA; no part included by MTOM. The certificate must be bound to `From`.
"""


def render() -> str:
    """Return the page."""
    schema = safexml.parse(wsdl_path().read_bytes()).find(f".//{_XS}schema")
    if schema is None:
        raise WsdlBroken("expected an inline schema in the WSDL")
    sections = [_INTRODUCTION, *_operations(schema), *_types(schema)]
    return "\n".join(sections)


def _operations(schema: etree._Element) -> Iterator[str]:
    elements = {node.get("name", ""): node for node in schema.findall(f"{_XS}element")}
    yield "## Operations\n"
    for name, node in elements.items():
        answer = elements.get(f"{name}Response")
        if answer is None:
            continue
        yield f"### {name}\n\n{_documentation(node)}\n\n{_table(node)}"
        yield f"Answer: {_documentation(answer)}\n\n{_table(answer)}"
    fault = elements["ExchangeFault"]
    yield f"## ExchangeFault\n\n{_documentation(fault)}\n\n{_table(fault)}"


def _types(schema: etree._Element) -> Iterator[str]:
    yield "## Types\n"
    for node in schema.findall(f"{_XS}complexType"):
        yield f"### {node.get('name')}\n\n{_documentation(node)}\n\n{_table(node)}"
    rows = [
        f"| `{node.get('name')}` | {_documentation(node)} | {_facets(node)} |"
        for node in schema.findall(f"{_XS}simpleType")
    ]
    yield "\n".join(["| Type | Meaning | Values |", "|---|---|---|", *rows]) + "\n"


def _documentation(node: etree._Element) -> str:
    return (node.findtext(f"{_XS}annotation/{_XS}documentation") or "").strip()


def _table(node: etree._Element) -> str:
    rows = [
        f"| `{child.get('name')}` | `{(child.get('type') or '').rpartition(':')[2]}` |"
        f" {_times(child)} |"
        for child in node.iter(f"{_XS}element")
        if child is not node
    ]
    return "\n".join(["| Element | Type | Times |", "|---|---|---|", *rows]) + "\n"


def _times(node: etree._Element) -> str:
    least, most = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
    return least if least == most else f"{least} – {most.replace('unbounded', 'any')}"


def _facets(node: etree._Element) -> str:
    facets = [(etree.QName(one).localname, one.get("value", "")) for one in node[-1]]
    shown = [
        f"`{value}`" if name == "enumeration" else f"{name} `{value}`" for name, value in facets
    ]
    return ", ".join(shown).replace("|", "\\|")
