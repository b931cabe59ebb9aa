"""The client reads replies exactly, and tells what may be sent again from what may not."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.errors import (
    EndpointForbidden,
    PartnerAnswerRefused,
    PartnerRefused,
    PartnerUnavailable,
)
from connectors.http import HttpClient, Timeouts, only_hosts
from connectors.intake import bytes_of
from connectors.mailbox import PendingMessage
from connectors.pull_client import Post
from connectors.soap_calls import ClientCaps
from connectors.soap_client import SoapClient
from tests.builders.connectors import (
    BINH_DINH,
    CONTAINER,
    HOA_BINH,
    SERVICE,
    SOAP11,
    PartSpec,
    hints_for,
    include,
    multipart,
    root_part,
)
from tests.builders.pull import pull_client


class Canned(BaseHTTPRequestHandler):
    """Answer every POST with what the test put here."""

    status: ClassVar[int] = 200
    headers_sent: ClassVar[dict[str, str]] = {}
    content: ClassVar[bytes] = b""
    received: ClassVar[bytes] = b""

    def do_POST(self) -> None:
        type(self).received = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        headers = {"Content-Length": str(len(self.content)), **self.headers_sent}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def partner() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Canned) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/soap"
        server.shutdown()
        thread.join()


@pytest.fixture
def container(tmp_path: Path) -> Path:
    path = tmp_path / "container.asice"
    path.write_bytes(CONTAINER)
    return path


def _answer(content: bytes, *, status: int = 200, **headers: str) -> None:
    Canned.content = content
    Canned.status = status
    Canned.headers_sent = {name.replace("_", "-"): value for name, value in headers.items()}


def _send(partner: str, container: Path, *, reply_bytes: int = 100_000) -> bytes:
    http = HttpClient(may_call=only_hosts("127.0.0.1"), timeouts=Timeouts(silence_seconds=2))
    try:
        client = SoapClient(http=http, caps=ClientCaps(reply_bytes=reply_bytes))
        return client.send(partner, hints_for(CONTAINER), container)
    finally:
        http.close()


def _reply(receipt: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><SendMessageResponse xmlns="{SERVICE}" '
        f'xmlns:xop="http://www.w3.org/2004/08/xop/include"><Receipt>{receipt}</Receipt>'
        "</SendMessageResponse></s:Body></s:Envelope>"
    ).encode()


def _fault(blame: str, code: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><s:Fault><faultcode>s:{blame}</faultcode>'
        f'<faultstring>no</faultstring><detail><ExchangeFault xmlns="{SERVICE}">'
        f"<ErrorCode>{code}</ErrorCode><Description>no</Description></ExchangeFault></detail>"
        "</s:Fault></s:Body></s:Envelope>"
    ).encode()


def test_sends_mtom_with_the_container_as_it_lies_on_disk(partner: str, container: Path) -> None:
    _answer(_reply("QUJD"), Content_Type="text/xml; charset=utf-8")
    assert _send(partner, container) == b"ABC"
    assert b"\r\n\r\n" + CONTAINER + b"\r\n--" in Canned.received
    assert Canned.received.count(b"xop:Include") == 1


@pytest.mark.parametrize("start", ["<r@x>", "r@x"])
def test_reads_mtom_replies_exactly_and_honours_start(
    partner: str, container: Path, start: str
) -> None:
    receipt = b"\r\n\x00receipt\xff\r\n"
    body = multipart(
        PartSpec(content=receipt, content_id="c@x"),
        PartSpec(content=_reply(include()), content_id="r@x", content_type="application/xop+xml"),
    )
    _answer(body, Content_Type=f'multipart/related; boundary="b0"; start="{start}"')
    assert _send(partner, container) == receipt


def _fetched(href: str) -> bytes:
    hints = hints_for(CONTAINER)
    return (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><FetchMessageResponse xmlns="{SERVICE}" '
        f'xmlns:xop="http://www.w3.org/2004/08/xop/include"><From>{hints.from_agency}</From>'
        f"<MessageId>{hints.message_id}</MessageId><ContainerSha256>{hints.container_sha256}"
        f"</ContainerSha256><Size>{hints.size_bytes}</Size><Container>{include(href)}"
        "</Container></FetchMessageResponse></s:Body></s:Envelope>"
    ).encode()


def _fetch(partner: str, folder: Path, *parts: PartSpec) -> bytes:
    _answer(multipart(*parts), Content_Type='multipart/related; boundary="b0"; start="<r@x>"')
    hints = hints_for(CONTAINER)
    message = PendingMessage(
        from_agency=hints.from_agency,
        message_id=hints.message_id,
        container_sha256=hints.container_sha256,
        size_bytes=hints.size_bytes,
    )
    spooled = pull_client(BINH_DINH, folder).fetch(
        Post(endpoint=partner, node_agency=HOA_BINH), message
    )
    content = bytes_of(spooled)
    spooled.drop()
    return content


@pytest.mark.parametrize("order", [1, -1], ids=["root-first", "root-second"])
def test_fetches_by_mtom_wherever_the_root_part_stands(
    partner: str, tmp_path: Path, order: int
) -> None:
    root = root_part(_fetched("c@x"), content_id="r@x")
    parts = [root, PartSpec(content=CONTAINER, content_id="c@x")]
    assert _fetch(partner, tmp_path, *parts[::order]) == CONTAINER


def test_fetches_no_part_but_the_included_one(partner: str, tmp_path: Path) -> None:
    root = root_part(_fetched("c@x"), content_id="r@x")
    part = PartSpec(content=CONTAINER, content_id="c@x")
    other = PartSpec(content=CONTAINER, content_id="d@x")
    for parts in ((root,), (part,), (root, other), (other, root), (root, part, other)):
        with pytest.raises(PartnerAnswerRefused):
            _fetch(partner, tmp_path, *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_clients_fault_is_final_and_a_servers_is_not(partner: str, container: Path) -> None:
    _answer(_fault("Client", "seal_not_bound"), status=500, Content_Type="text/xml")
    with pytest.raises(PartnerRefused) as refused:
        _send(partner, container)
    assert refused.value.parameters["partner_code"] == "seal_not_bound"
    _answer(_fault("Server", "unavailable"), status=503, Content_Type="text/xml")
    with pytest.raises(PartnerUnavailable):
        _send(partner, container)


def test_a_partners_code_is_not_trusted_to_be_one(partner: str, container: Path) -> None:
    _answer(_fault("Client", "no &lt;b&gt; code"), status=500, Content_Type="text/xml")
    with pytest.raises(PartnerRefused) as refused:
        _send(partner, container)
    assert refused.value.parameters["partner_code"] == "unknown"


@pytest.mark.parametrize(
    ("content", "status", "headers"),
    [
        pytest.param(b"<html>", 502, {"Content_Type": "text/html"}, id="gateway"),
        pytest.param(b"", 200, {"Content_Type": "text/xml"}, id="empty"),
        pytest.param(b"", 302, {"Location": "https://127.0.0.1/elsewhere"}, id="redirect"),
        pytest.param(_reply(""), 200, {"Content_Type": "text/xml"}, id="no-receipt"),
        pytest.param(_reply("!!"), 200, {"Content_Type": "text/xml"}, id="bad-base64"),
        pytest.param(_reply("QUJD"), 200, {"Content_Type": "application/soap+xml"}, id="type"),
        pytest.param(
            gzip.compress(_reply("QUJD")),
            200,
            {"Content_Type": "text/xml", "Content_Encoding": "gzip"},
            id="compressed",
        ),
        pytest.param(_reply("QUJD" * 50_000), 200, {"Content_Type": "text/xml"}, id="too-large"),
        pytest.param(_reply(include("x")), 200, {"Content_Type": "text/xml"}, id="stray-include"),
        pytest.param(
            b"<!DOCTYPE x>" + _reply("QUJD"), 200, {"Content_Type": "text/xml"}, id="doctype"
        ),
        pytest.param(
            multipart(PartSpec(content=_reply(include("no@x")), content_id="r@x")),
            200,
            {"Content_Type": "multipart/related; boundary=b0"},
            id="missing-part",
        ),
        pytest.param(
            _reply("QUJD").replace(b"SendMessageResponse", b"OtherResponse"),
            200,
            {"Content_Type": "text/xml"},
            id="other-operation",
        ),
    ],
)
def test_an_answer_that_is_none_means_send_again(
    partner: str, container: Path, content: bytes, status: int, headers: dict[str, str]
) -> None:
    _answer(content, status=status, **headers)
    with pytest.raises(PartnerAnswerRefused):
        _send(partner, container)


def test_a_reply_cut_short_means_send_again(partner: str, container: Path) -> None:
    _answer(_reply("QUJD"), Content_Type="text/xml", Content_Length="9999")
    with pytest.raises(PartnerUnavailable):
        _send(partner, container)


def test_hosts_that_are_not_listed_are_never_called(container: Path) -> None:
    with pytest.raises(EndpointForbidden):
        _send("https://192.0.2.1/soap", container)


def test_progress_is_told_to_the_last_byte(partner: str, container: Path) -> None:
    _answer(_reply(base64.b64encode(b"r").decode()), Content_Type="text/xml")
    told: list[tuple[int, int]] = []
    client = SoapClient(
        http=HttpClient(may_call=only_hosts("127.0.0.1")),
        progress=lambda read, total: told.append((read, total)),
    )
    client.send(partner, hints_for(CONTAINER), container)
    assert told[-1] == (len(Canned.received), len(Canned.received))
