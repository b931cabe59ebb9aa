"""SendMessage over real HTTP: both versions, MTOM and text, duplicates, and our own client."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from connectors.errors import PartnerRefused, PartnerUnavailable
from connectors.http import HttpClient, only_hosts
from connectors.soap_client import SoapClient
from dossier.ids import AgencyCode
from tests.builders.connectors import (
    CONTAINER,
    SOAP12,
    FakeReceiving,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    root_part,
    send_xml,
)
from tests.integration.soap.conftest import Endpoint


@pytest.fixture(scope="module")
def client() -> SoapClient:
    return SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")))


def _receipt(body: bytes) -> bytes:
    return base64.b64decode(body.partition(b"<lt:Receipt>")[2].partition(b"<")[0])


def test_client_sends_by_mtom_and_returns_the_receipt(
    endpoint: Endpoint, client: SoapClient, tmp_path: Path
) -> None:
    container = tmp_path / "container.asice"
    container.write_bytes(CONTAINER)
    hints = hints_for(CONTAINER, number=101)
    receipt = client.send(endpoint.url, hints, container)
    assert hints.container_sha256.encode() in receipt
    assert endpoint.spooled() == []


def test_same_bytes_by_mtom_and_inline_get_the_same_receipt(
    endpoint: Endpoint, client: SoapClient, tmp_path: Path
) -> None:
    container = tmp_path / "container.asice"
    container.write_bytes(CONTAINER)
    hints = hints_for(CONTAINER, number=102)
    first = client.send(endpoint.url, hints, container)
    inline = endpoint.post(send_xml(hints, base64.b64encode(CONTAINER).decode()))
    assert inline.status == 200
    assert _receipt(inline.body) == first


def test_client_streams_a_large_file(
    endpoint: Endpoint, client: SoapClient, tmp_path: Path
) -> None:
    content = os.urandom(1024 * 1024) * 20
    container = tmp_path / "container.asice"
    container.write_bytes(content)
    hints = hints_for(content, number=103)
    assert hashlib.sha256(content).hexdigest().encode() in client.send(
        endpoint.url, hints, container
    )


@pytest.mark.parametrize(
    ("to", "error"),
    [
        (FakeReceiving.DENIED, PartnerRefused),
        (FakeReceiving.DOWN, PartnerUnavailable),
        (FakeReceiving.BROKEN, PartnerUnavailable),
    ],
)
def test_client_tells_refusal_from_unavailability(
    endpoint: Endpoint,
    client: SoapClient,
    tmp_path: Path,
    to: AgencyCode,
    error: type[Exception],
) -> None:
    container = tmp_path / "container.asice"
    container.write_bytes(CONTAINER)
    with pytest.raises(error):
        client.send(endpoint.url, hints_for(CONTAINER, number=104, to=to), container)


def test_soap12_by_mtom_and_inline(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=106)
    soap = "application/soap+xml"
    xml = send_xml(hints, include(), soap=SOAP12)
    body = multipart(root_part(xml, soap=soap), PartSpec(content=CONTAINER, content_id="c@x"))
    attached = endpoint.post(body, content_type=mtom_type(info=soap))
    inline = endpoint.post(
        send_xml(hints, base64.b64encode(CONTAINER).decode(), soap=SOAP12), content_type=soap
    )
    assert attached.status == inline.status == 200
    assert attached.headers["content-type"] == "application/soap+xml; charset=utf-8"
    assert _receipt(attached.body) == _receipt(inline.body)


def test_chunked_body_is_taken(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=107)
    body = multipart(
        root_part(send_xml(hints, include())), PartSpec(content=CONTAINER, content_id="c@x")
    )
    pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
    reply = endpoint.post(iter(pieces), content_type=mtom_type())
    assert reply.status == 200


def test_root_may_come_second(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=108)
    body = multipart(
        PartSpec(content=CONTAINER, content_id="c@x"),
        root_part(send_xml(hints, include())),
        preamble=b"This is a multi-part message.\r\n",
    )
    assert endpoint.post(body, content_type=mtom_type(start="root@x")).status == 200
    assert endpoint.spooled() == []
