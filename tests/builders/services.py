"""A procedure whose only work is one service task, and the node that runs it."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from exchange import submit
from exchange.publish import publish
from storage import dossiers
from tests.builders.exchange import OneNode
from tests.builders.workflows import draw_pools

TAX_WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:tax"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:tax">
<types><schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:tax"
 elementFormDefault="qualified"><element name="Lookup"><complexType><sequence>
<element name="TaxCode" type="string"/></sequence></complexType></element>
<element name="LookupResponse"><complexType><sequence><element name="Name" type="string"/>
<element name="Debt" type="decimal"/><element name="Since" type="date"/>
<element name="Branch" type="string" minOccurs="0" maxOccurs="unbounded"/>
</sequence></complexType></element></schema></types>
<message name="In"><part name="parameters" element="t:Lookup"/></message>
<message name="Out"><part name="parameters" element="t:LookupResponse"/></message>
<portType name="P"><operation name="Lookup"><input message="t:In"/><output message="t:Out"/>
</operation></portType>
<binding name="B" type="t:P"><soap:binding style="document"
 transport="http://schemas.xmlsoap.org/soap/http"/><operation name="Lookup">
<soap:operation soapAction="urn:tax/Lookup"/><input><soap:body use="literal"/></input>
<output><soap:body use="literal"/></output></operation></binding>
<service name="S"><port name="Tax" binding="t:B"><soap:address location="http://x/"/></port>
</service></definitions>"""
COMMUNE = "000.31.01.H08"
_DECLARED = """
[procedure]
code = "service-try"
version = "1"
name = { vi = "Thử dịch vụ", en = "Try a service" }
effective = 2022-01-01
citation = "không có"

[roles.commune]
name = { vi = "UBND xã", en = "Commune" }
bind = "initiator"
"""
_TASK = (
    '<serviceTask id="ask" name="Hỏi mã"><extensionElements><lt:service operation="tax.code"/>'
    "{mapping}</extensionElements></serviceTask>"
)
_MODEL = """
start s
<scriptTask id="prepare"><script>owner = "Hộ A"</script></scriptTask>
{task}
boundary refused on=ask error=UNKNOWN
user got lt:assign.role=specialist
user denied lt:assign.role=specialist
end e
end f
s > prepare > ask > got > e
refused > denied > f
"""
MAPPED = '<lt:input name="name" value="owner"/><lt:output name="tax_code" value="code"/>'


def publish_service(one: OneNode, *, mapping: str = MAPPED) -> None:
    """Publish the procedure."""
    body = _MODEL.replace("{task}", _TASK.format(mapping=mapping))
    source = draw_pools({"commune": body}, "")
    files = {"process.bpmn": source, "procedure.toml": _DECLARED.encode()}
    publish(files, at=one.node.now(), proposed_by="bd.quantri1", confirmed_by="bd.quantri2")


def configure(one: OneNode, text: str, **files: bytes) -> None:
    """Write the node's configuration of services, and what lies beside it."""
    path = one.node.settings.services_file
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path.parent / name.replace("__", ".")).write_bytes(content)
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    # Two writes within one tick of the file system's clock must still be told apart.
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def forget(one: OneNode) -> None:
    """Remove the configuration of services."""
    Path(one.node.settings.services_file).unlink(missing_ok=True)


def start(one: OneNode) -> tuple[str, UUID]:
    """Open a dossier, work off what follows, and return its code and id."""
    opened = submit.submit(
        one.node,
        one.actor("tp.motcua"),
        procedure="service-try",
        agency=COMMUNE,
        subject="Thử",
    )
    one.drain()
    return dossiers.get(opened).code, opened
