"""The reference page of the service is the WSDL in other words, and the WSDL keeps its style."""

from __future__ import annotations

from pathlib import Path

from connectors import contract
from connectors.reference_page import render
from dossier import safexml

_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "soap.md"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XS = "{http://www.w3.org/2001/XMLSchema}"


def test_page_is_what_the_wsdl_says() -> None:
    # To renew it: python -c "from connectors.reference_page import render; print(render(), end='')"
    assert _PAGE.read_text() == render()


def test_every_operation_is_bound_twice_with_its_action_and_fault() -> None:
    wsdl = safexml.parse(contract.wsdl_path().read_bytes())
    bindings = wsdl.findall(f"{_WSDL}binding")
    assert [binding.get("name") for binding in bindings] == ["ExchangeSoap11", "ExchangeSoap12"]
    for binding in bindings:
        operations = binding.findall(f"{_WSDL}operation")
        assert {one.get("name") for one in operations} == contract.service().operations
        for one in operations:
            assert one[0].get("soapAction") == contract.action(one.get("name", ""))
            assert one.find(f"{_WSDL}fault") is not None


def test_wsdl_keeps_to_what_all_stacks_read() -> None:
    text = contract.wsdl_path().read_text()
    for foreign in ("xs:import", "xs:any", "xs:all", "<mime:", "soap:header", "substitutionGroup"):
        assert foreign not in text
    schema = safexml.parse(text.encode()).find(f".//{_XS}schema")
    assert schema is not None
    assert schema.get("elementFormDefault") == "qualified"
    assert all(
        len(message) == 1 and message[0].get("name") in ("parameters", "fault")
        for message in safexml.parse(text.encode()).findall(f"{_WSDL}message")
    )


def test_both_ports_get_the_address() -> None:
    served = contract.wsdl_bytes("https://h28.example/soap?a&b")
    assert served.count(b'"https://h28.example/soap?a&amp;b"') == 2
