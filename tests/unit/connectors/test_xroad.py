"""X-Road: requests' headers come back in order, and a reply that lost them is none."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from connectors.errors import PartnerAnswerRefused
from connectors.http import HttpClient, only_hosts
from connectors.soap_client import SoapClient
from connectors.soap_server import SoapServer
from connectors.xroad import IDENTIFIERS, NAMESPACE, Route, XRoadId
from dossier.wire import SendHints, WireReply, WireRequest
from tests.builders.connectors import CONTAINER, DiskSpool, FakeReceiving, hints_for, send_xml
from tests.builders.wire_server import served

_ROUTE = Route(
    client=XRoadId(instance="VN", member_class="GOV", member_code="H28", subsystem="lt"),
    service=XRoadId(
        instance="VN",
        member_class="GOV",
        member_code="H08",
        subsystem="lt",
        service_code="SendMessage",
    ),
    message_id="call-1",
    user_id="VN001",
    issue="000.00.00.H28-220420-0001",
)
_HEADER = (
    f'<s:Header xmlns:x="{NAMESPACE}" xmlns:i="{IDENTIFIERS}"><x:userId>VN001</x:userId>'
    '<x:service i:objectType="SERVICE"><i:xRoadInstance>VN</i:xRoadInstance>'
    "<i:serviceCode>SendMessage</i:serviceCode></x:service>"
    "<other/><x:client/><x:id>a&amp;b</x:id><x:protocolVersion>4.0</x:protocolVersion></s:Header>"
)


@pytest.fixture
def server(tmp_path: Path) -> SoapServer:
    return SoapServer(receiving=FakeReceiving(), spool=DiskSpool(tmp_path))


def _request(header: str) -> bytes:
    content = base64.b64encode(CONTAINER).decode()
    return send_xml(hints_for(CONTAINER), content, header=header)


def _post(server: SoapServer, header: str) -> bytes:
    body = _request(header)
    reply = server(
        WireRequest(
            method="POST",
            path="/soap",
            query="",
            headers={"content-type": "text/xml"},
            stream=cast(BinaryIO, io.BytesIO(body)),
            peer="test",
        )
    )
    return b"".join(reply.body)


def test_a_reply_repeats_the_headers_in_their_order(server: SoapServer) -> None:
    reply = _post(server, _HEADER)
    names = re.findall(rb"<x:(\w+)", reply)
    digest = hashlib.sha512(_request(_HEADER)).digest()
    assert b'algorithmId="http://www.w3.org/2001/04/xmlenc#sha512">' in reply
    assert reply.count(b"<xro:requestHash ") == 1
    assert base64.b64encode(digest) in reply
    assert names == [b"userId", b"service", b"client", b"id", b"protocolVersion"]
    assert b"a&amp;b" in reply
    assert b"other" not in reply


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">4.0<", ">3.1<"),
        ("<x:client/>", ""),
        ("<x:client/>", "<x:client/><x:client/>"),
        (">SendMessage<", ">ListPending<"),
        ("a&amp;b", "x" * 10_000),
    ],
)
def test_headers_that_break_the_protocol_are_refused(
    server: SoapServer, old: str, new: str
) -> None:
    assert b"xroad_refused" in _post(server, _HEADER.replace(old, new))


def test_a_hash_in_the_request_is_not_repeated(server: SoapServer) -> None:
    forged = _HEADER.replace("<x:client/>", "<x:client/><x:requestHash>AAAA</x:requestHash>")
    reply = _post(server, forged)
    assert b"AAAA" not in reply.partition(b"<soap:Body>")[0]
    assert reply.count(b"<xro:requestHash ") == 1


def test_without_headers_none_come_back(server: SoapServer) -> None:
    assert b"soap:Header" not in _post(server, "")


def _client() -> SoapClient:
    def routing(endpoint: str, hints: SendHints) -> Route:
        return _ROUTE

    return SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")), routing=routing)


def test_a_routed_message_goes_and_its_receipt_comes_back(
    server: SoapServer, tmp_path: Path
) -> None:
    container = tmp_path / "container.asice"
    container.write_bytes(CONTAINER)
    with served(server) as address:
        receipt = _client().send(f"{address}/soap", hints_for(CONTAINER), container)
    assert receipt.startswith(b"<Receipt>")


def test_a_reply_that_lost_the_headers_is_none(server: SoapServer, tmp_path: Path) -> None:
    container = tmp_path / "container.asice"
    container.write_bytes(CONTAINER)

    def losing(request: WireRequest) -> WireReply:
        reply = server(request)
        kept = re.sub(rb"<soap:Header>.*</soap:Header>", b"", b"".join(reply.body))
        headers = {**reply.headers, "Content-Length": str(len(kept))}
        return WireReply(status=reply.status, headers=headers, body=(kept,))

    with served(losing) as address, pytest.raises(PartnerAnswerRefused):
        _client().send(f"{address}/soap", hints_for(CONTAINER), container)
