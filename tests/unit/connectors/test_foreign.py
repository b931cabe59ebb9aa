"""Foreign services are called as configured; their answers become plain values or clear errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connectors.errors import (
    ForeignCallMalformed,
    ForeignCallRefused,
    ForeignCallUnknown,
    ForeignInputsRefused,
    PartnerAnswerRefused,
    PartnerUnavailable,
)
from connectors.foreign import Answered, BusinessError, ForeignCalls, RecordedCalls, parse_calls
from connectors.http import HttpClient, only_hosts
from dossier.wire import WireReply, WireRequest
from tests.builders.connectors import SOAP11
from tests.builders.services import TAX_WSDL
from tests.builders.wire_server import served

_ANSWER = (
    '<LookupResponse xmlns="urn:tax"><Name>Hộ A</Name><Debt>10.50</Debt><Since>2022-04-20</Since>'
    "<Branch>1</Branch><Branch>2</Branch></LookupResponse>"
)


def _configured(folder: Path, address: str) -> bytes:
    (folder / "tax.wsdl").write_text(TAX_WSDL)
    return f"""
[call.tax_lookup]
kind = "soap"
wsdl = "tax.wsdl"
port = "Tax"
operation = "Lookup"
url = "{address}/soap"
business_errors = ["TaxpayerUnknown"]

[call.population]
kind = "json"
operation = "POST"
url = "{address}/json"
business_errors = ["409"]

[call.population_get]
kind = "json"
operation = "GET"
url = "{address}/json"
""".encode()


def _calls(folder: Path, address: str) -> ForeignCalls:
    calls = parse_calls(_configured(folder, address), folder=folder)
    return ForeignCalls(calls, http=HttpClient(may_call=only_hosts("127.0.0.1")))


def _soap(inside: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{inside}</s:Body></s:Envelope>'.encode()


def _fault(code: str, detail: str = "") -> bytes:
    return _soap(
        f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>no</faultstring>"
        f"<detail>{detail}</detail></s:Fault>"
    )


def _saying(
    content: bytes, *, status: int = 200, taken: list[bytes] | None = None
) -> Callable[[WireRequest], WireReply]:
    def answer(request: WireRequest) -> WireReply:
        if taken is not None:
            taken.append(request.stream.read())
        headers = {"Content-Type": "text/xml", "Content-Length": str(len(content))}
        return WireReply(status=status, headers=headers, body=(content,))

    return answer


def test_soap_goes_out_by_the_wsdl_and_comes_back_plain(tmp_path: Path) -> None:
    taken: list[bytes] = []
    with served(_saying(_soap(_ANSWER), taken=taken)) as address:
        answer = _calls(tmp_path, address).call("tax_lookup", {"TaxCode": "0100 & <1>"}, key="k")
    assert b"<ns0:TaxCode>0100 &amp; &lt;1&gt;</ns0:TaxCode>" in taken[0]
    assert answer == Answered(
        values={"Name": "Hộ A", "Debt": "10.50", "Since": "2022-04-20", "Branch": ["1", "2"]}
    )


def test_a_foreseen_fault_is_a_business_error(tmp_path: Path) -> None:
    fault = _fault("Client", '<TaxpayerUnknown xmlns="urn:tax"/>')
    with served(_saying(fault, status=500)) as address:
        answer = _calls(tmp_path, address).call("tax_lookup", {"TaxCode": "1"}, key="k")
    assert answer == BusinessError(code="TaxpayerUnknown")


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (_fault("Client"), 500, ForeignCallRefused),
        (_fault("Server"), 500, PartnerUnavailable),
        (b"<html>", 502, PartnerAnswerRefused),
        (b"<!DOCTYPE a>" + _soap(_ANSWER), 200, PartnerAnswerRefused),
        (_soap(_ANSWER.replace("2022-04-20", "soon")), 200, PartnerAnswerRefused),
        (b"x" * 5_000_000, 200, PartnerAnswerRefused),
    ],
)
def test_other_answers_are_told_apart(
    tmp_path: Path, content: bytes, status: int, error: type[Exception]
) -> None:
    with served(_saying(content, status=status)) as address, pytest.raises(error):
        _calls(tmp_path, address).call("tax_lookup", {"TaxCode": "1"}, key="k")


@pytest.mark.parametrize("inputs", [{"Other": "1"}, {}])
def test_values_must_fit_the_wsdl(tmp_path: Path, inputs: Mapping[str, str]) -> None:
    with served(_saying(_soap(_ANSWER))) as address, pytest.raises(ForeignInputsRefused):
        _calls(tmp_path, address).call("tax_lookup", inputs, key="k")


def test_json_goes_both_ways(tmp_path: Path) -> None:
    taken: list[bytes] = []
    with served(_saying('{"tên":"A","debt":1.5}'.encode(), taken=taken)) as address:
        answer = _calls(tmp_path, address).call("population", {"cccd": "001"}, key="k")
    assert json.loads(taken[0]) == {"cccd": "001"}
    assert answer == Answered(values={"tên": "A", "debt": "1.5"})


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (400, b"{}", ForeignCallRefused),
        (503, b"{}", PartnerAnswerRefused),
        (302, b"{}", PartnerAnswerRefused),
        (200, b"not json", PartnerAnswerRefused),
    ],
)
def test_json_errors_are_told_apart(
    tmp_path: Path, status: int, content: bytes, error: type[Exception]
) -> None:
    with served(_saying(content, status=status)) as address, pytest.raises(error):
        _calls(tmp_path, address).call("population", {}, key="k")


def test_a_foreseen_status_is_a_business_error(tmp_path: Path) -> None:
    with served(_saying(b"", status=409)) as address:
        answer = _calls(tmp_path, address).call("population", {}, key="k")
    assert answer == BusinessError(code="409")


def test_a_call_that_is_not_configured_is_named(tmp_path: Path) -> None:
    with pytest.raises(ForeignCallUnknown) as unknown:
        _calls(tmp_path, "http://127.0.0.1:9").call("other", {}, key="k")
    assert unknown.value.parameters["name"] == "other"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'kind = "soap"', b'kind = "corba"'),
        (b'wsdl = "tax.wsdl"', b'wsdl = "../tax.wsdl"'),
        (b'wsdl = "tax.wsdl"', b'wsdl = "missing.wsdl"'),
        (b'operation = "POST"', b'operation = "DELETE"'),
        (b'port = "Tax"', b'prot = "Tax"'),
        (b"[call.population]", b"[call.population"),
    ],
)
def test_configuration_errors_are_named(tmp_path: Path, old: bytes, new: bytes) -> None:
    content = _configured(tmp_path, "http://127.0.0.1:9")
    assert old in content
    with pytest.raises(ForeignCallMalformed):
        parse_calls(content.replace(old, new), folder=tmp_path)


def test_a_wsdl_that_reaches_out_is_refused(tmp_path: Path) -> None:
    content = _configured(tmp_path, "http://127.0.0.1:9")
    reaching = TAX_WSDL.replace(
        "<types>", '<import namespace="urn:x" location="http://127.0.0.1:9/x.wsdl"/><types>'
    )
    (tmp_path / "tax.wsdl").write_text(reaching)
    calls = parse_calls(content, folder=tmp_path)
    with pytest.raises(ForeignCallMalformed):
        ForeignCalls(calls, http=HttpClient(may_call=lambda host, port: True)).call(
            "tax_lookup", {"TaxCode": "1"}, key="k"
        )


def test_a_recording_answers_like_the_service() -> None:
    recording = json.dumps(
        [
            {"call": "tax_lookup", "inputs": {"TaxCode": "1"}, "values": {"Name": "A"}},
            {"call": "tax_lookup", "inputs": {"TaxCode": "2"}, "business_error": "TaxpayerUnknown"},
        ]
    ).encode()
    calls = RecordedCalls(recording)
    assert calls.call("tax_lookup", {"TaxCode": "1"}, key="k") == Answered(values={"Name": "A"})
    assert calls.call("tax_lookup", {"TaxCode": "2"}, key="k") == BusinessError(
        code="TaxpayerUnknown"
    )
    with pytest.raises(ForeignCallUnknown):
        calls.call("tax_lookup", {"TaxCode": "3"}, key="k")
    with pytest.raises(ForeignCallMalformed):
        RecordedCalls(b"{}")
