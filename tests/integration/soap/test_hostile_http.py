"""Hostile multipart and HTTP against the running endpoint: interchange.md §12, groups G and I."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from dossier.ids import Sha256
from dossier.wire import WireReply
from portal.soap import WireApp
from tests.builders.connectors import (
    CONTAINER,
    FakeReceiving,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    root_part,
    send_xml,
)
from tests.integration.soap.conftest import Endpoint, Reply

_HINTS = hints_for(CONTAINER, number=301)
_ROOT = root_part(send_xml(_HINTS, include()))
_PART = PartSpec(content=CONTAINER, content_id="c@x")
_SOUND = multipart(_ROOT, _PART)
_INLINE = base64.b64encode(CONTAINER).decode()


@pytest.fixture(autouse=True)
def _leaves_nothing(endpoint: Endpoint) -> Iterator[None]:
    yield
    deadline = time.monotonic() + 5
    while endpoint.spooled() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert endpoint.spooled() == []


def _fault(reply: Reply, code: str, *, status: int) -> None:
    assert (reply.code, reply.status) == (code, status), reply.body[:500]


# --- G. Multipart and XOP ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param('multipart/related; type="application/xop+xml"', id="missing"),
        pytest.param('multipart/related; boundary=""', id="empty"),
        pytest.param('multipart/related; boundary="b0"; boundary="b1"', id="twice"),
        pytest.param(f'multipart/related; boundary="{"b" * 71}"', id="too-long"),
        pytest.param('multipart/related; boundary="b\u00e9"', id="not-ascii"),
    ],
)
def test_row_37_boundaries_that_are_none(endpoint: Endpoint, content_type: str) -> None:
    _fault(endpoint.post(_SOUND, content_type=content_type), "multipart_refused", status=400)


@pytest.mark.parametrize("cut", [0, 3, 40, 150, len(_SOUND) // 2, len(_SOUND) - 9])
def test_row_37_truncated_bodies(endpoint: Endpoint, cut: int) -> None:
    _fault(endpoint.post(_SOUND[:cut], content_type=mtom_type()), "body_truncated", status=400)


def test_row_37_a_boundary_that_never_occurs(endpoint: Endpoint) -> None:
    reply = endpoint.post(_SOUND, content_type=mtom_type(boundary="other"))
    _fault(reply, "body_truncated", status=400)


def test_row_37_a_boundary_that_is_a_prefix_of_a_line(endpoint: Endpoint) -> None:
    body = _SOUND.replace(b"--b0\r\n", b"--b0x\r\n", 1)
    _fault(endpoint.post(body, content_type=mtom_type()), "multipart_refused", status=400)


def test_row_38_a_start_part_that_is_missing(endpoint: Endpoint) -> None:
    reply = endpoint.post(_SOUND, content_type=mtom_type(start="<nobody@x>"))
    _fault(reply, "multipart_refused", status=400)


@pytest.mark.parametrize("start", [None, "<root@x>", "root@x"])
def test_row_38_preamble_epilogue_and_every_form_of_start(
    endpoint: Endpoint, start: str | None
) -> None:
    body = multipart(_ROOT, _PART, preamble=b"preamble\r\n") + b"epilogue\r\n--b0\r\n"
    assert endpoint.post(body, content_type=mtom_type(start=start)).status == 200


def test_row_38_endless_preambles_and_epilogues(endpoint: Endpoint) -> None:
    filler = b"x" * 1_000_000
    before = multipart(_ROOT, _PART, preamble=filler)
    hints = hints_for(CONTAINER, number=302)
    after = multipart(root_part(send_xml(hints, include())), _PART) + filler
    for body in (before, after):
        _fault(endpoint.post(body, content_type=mtom_type()), "multipart_refused", status=400)


@pytest.mark.parametrize(
    ("parts", "code", "status"),
    [
        pytest.param((_ROOT, _PART, _PART), "multipart_refused", 400, id="duplicate-content-id"),
        pytest.param(
            (_ROOT, _PART, PartSpec(content=b"x", content_id="u@x")),
            "multipart_refused",
            400,
            id="unreferenced",
        ),
        pytest.param(
            (_ROOT, PartSpec(content=b"x", content_id="u@x"), _PART), "xop_refused", 500, id="other"
        ),
        pytest.param((_ROOT,), "xop_refused", 500, id="missing-part"),
        pytest.param(
            (PartSpec(content=b"x", content_id="u@x"), _PART, _ROOT),
            "multipart_refused",
            400,
            id="root-third",
        ),
        pytest.param(
            (_ROOT, replace(_PART, extra={f"X-{n}": "y" for n in range(40)})),
            "multipart_refused",
            400,
            id="many-part-headers",
        ),
        pytest.param(
            (_ROOT, replace(_PART, extra={"X": "y" * 10_000})),
            "multipart_refused",
            400,
            id="huge-part-header",
        ),
        pytest.param(
            (_ROOT, replace(_PART, extra={"Content-ID": "<other@x>"})),
            "multipart_refused",
            400,
            id="two-content-ids-in-a-part",
        ),
        pytest.param((_ROOT,) * 70, "xop_refused", 500, id="too-many"),
    ],
)
def test_row_39_parts_that_are_not_expected(
    endpoint: Endpoint, parts: tuple[PartSpec, ...], code: str, status: int
) -> None:
    hints = hints_for(CONTAINER, number=303)
    fresh = root_part(send_xml(hints, include()))
    sent = multipart(*(fresh if part is _ROOT else part for part in parts))
    _fault(endpoint.post(sent, content_type=mtom_type()), code, status=status)


@pytest.mark.parametrize(
    ("container", "extra"),
    [
        pytest.param(f"<a>{include()}</a>", "", id="40-nested"),
        pytest.param(f"{include()}{include('d@x')}", "", id="40-siblings"),
        pytest.param(f"AAAA{include()}", "", id="40-text-before"),
        pytest.param(f"{include()}AAAA", "", id="40-text-after"),
        pytest.param(include().replace("/>", "><a/></xop:Include>"), "", id="40-child"),
        pytest.param(include(), f"<s:Header><h>{include('d@x')}</h></s:Header>", id="40-header"),
        pytest.param('<xop:Include href="file:///etc/passwd"/>', "", id="41-file"),
        pytest.param('<xop:Include href="http://127.0.0.1:9/x"/>', "", id="41-http"),
        pytest.param('<xop:Include href="cid:"/>', "", id="41-empty"),
        pytest.param("<xop:Include/>", "", id="41-no-href"),
        pytest.param(include("nobody@x"), "", id="41-missing"),
    ],
)
def test_rows_40_and_41_includes_that_are_misplaced(
    endpoint: Endpoint, container: str, extra: str
) -> None:
    hints = hints_for(CONTAINER, number=304)
    root = root_part(send_xml(hints, container, header=extra))
    reply = endpoint.post(multipart(root, _PART), content_type=mtom_type())
    _fault(reply, "xop_refused", status=500)
    assert b"root:x:0" not in reply.body


def test_row_40_an_include_in_an_element_that_is_not_binary(endpoint: Endpoint) -> None:
    xml = send_xml(hints_for(CONTAINER, number=304), include())
    xml = xml.replace(b"<From>000.00.00.H28", b"<From>" + include("f@x").encode())
    reply = endpoint.post(multipart(root_part(xml), _PART), content_type=mtom_type())
    _fault(reply, "xop_refused", status=500)


def test_row_41_an_include_outside_mtom(endpoint: Endpoint) -> None:
    xml = send_xml(hints_for(CONTAINER, number=305), include())
    _fault(endpoint.post(xml), "xop_refused", status=500)
    swa = PartSpec(content=xml, content_id="root@x", content_type="text/xml")
    reply = endpoint.post(multipart(swa, _PART), content_type=mtom_type())
    _fault(reply, "xop_refused", status=500)


def test_a_root_of_text_xml_without_attachments_is_taken(endpoint: Endpoint) -> None:
    xml = send_xml(hints_for(CONTAINER, number=306), _INLINE)
    swa = PartSpec(content=xml, content_id="root@x", content_type="text/xml; charset=utf-8")
    assert endpoint.post(multipart(swa), content_type=mtom_type()).status == 200


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_encoded_parts_are_refused(endpoint: Endpoint, encoding: str) -> None:
    body = _SOUND.replace(b"Encoding: binary", f"Encoding: {encoding}".encode())
    _fault(endpoint.post(body, content_type=mtom_type()), "multipart_refused", status=400)


# --- Announced and actual ------------------------------------------------------------------------


def test_size_is_refused_before_the_part_is_read(endpoint: Endpoint) -> None:
    hints = replace(hints_for(CONTAINER, number=311), size_bytes=600 * 1024 * 1024)
    pieces = _endless(multipart(root_part(send_xml(hints, include())), _PART)[:-10])
    reply = endpoint.raw(*_chunked_head(mtom_type()), *itertools.islice(pieces, 2))
    assert b"413" in reply.partition(b"\r\n")[0]
    assert b"body_too_large" in reply


def test_a_container_larger_than_announced_is_refused_in_mid_stream(endpoint: Endpoint) -> None:
    hints = replace(hints_for(CONTAINER, number=312), size_bytes=1_000)
    start = multipart(root_part(send_xml(hints, include())), _PART)[:-10]
    # 200 MB follow unless somebody stops listening.
    sent = itertools.islice(_endless(start), 3_200)
    started = time.monotonic()
    reply = endpoint.raw(*_chunked_head(mtom_type()), *sent)
    assert b"size_mismatch" in reply  # though the client reads nothing before it has sent all
    assert time.monotonic() - started < 8


def test_a_container_smaller_or_other_than_announced_is_refused(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=313)
    smaller = replace(hints, size_bytes=len(CONTAINER) + 1)
    other = replace(hints, container_sha256=Sha256(hashlib.sha256(b"other").hexdigest()))
    for false, code in ((smaller, "size_mismatch"), (other, "digest_mismatch")):
        attached = multipart(root_part(send_xml(false, include())), _PART)
        _fault(endpoint.post(attached, content_type=mtom_type()), code, status=500)
        _fault(endpoint.post(send_xml(false, _INLINE)), code, status=500)


def test_an_early_answer_leaves_the_body_unread(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=314, to=FakeReceiving.DENIED)
    start = multipart(root_part(send_xml(hints, include())), _PART)[:-10]
    reply = endpoint.raw(*_chunked_head(mtom_type()), *itertools.islice(_endless(start), 2))
    assert b"<lt:ErrorCode>denied<" in reply
    assert b"Connection: close" in reply


def test_a_duplicate_is_answered_to_a_client_that_sends_it_all_first(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=316)
    body = multipart(root_part(send_xml(hints, include())), _PART)
    first = endpoint.post(body, content_type=mtom_type())
    assert endpoint.post(body + b"x" * 30_000_000, content_type=mtom_type()).body == first.body


def test_rows_34_and_35_duplicates(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=315)
    body = multipart(root_part(send_xml(hints, include())), _PART)
    first, second = (endpoint.post(body, content_type=mtom_type()) for _ in range(2))
    assert first.status == 200
    assert first.body == second.body
    other = replace(hints_for(b"other bytes", number=315), message_id=hints.message_id)
    reply = endpoint.post(send_xml(other, base64.b64encode(b"other bytes").decode()))
    _fault(reply, "conflict", status=500)
    assert endpoint.post(body, content_type=mtom_type()).body == first.body


# --- I. HTTP -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_row_46_compressed_bodies_are_refused(endpoint: Endpoint, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    reply = endpoint.post(_SOUND, content_type=mtom_type(), **headers)
    _fault(reply, "content_encoding_refused", status=415)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "GET"])
def test_other_methods_are_refused(endpoint: Endpoint, method: str) -> None:
    reply = endpoint.request(method)
    _fault(reply, "method_not_allowed", status=405)
    assert reply.headers["allow"] == "GET, HEAD, POST"


def test_row_47_a_slow_body_meets_its_deadline(endpoint: Endpoint) -> None:
    head = _head(mtom_type(), f"Content-Length: {len(_SOUND)}")
    started = time.monotonic()
    reply = endpoint.raw(head, *(_SOUND[i : i + 1] for i in range(20)), pause_seconds=0.1)
    assert b" 408 " in reply.partition(b"\r\n")[0]
    assert b"body_too_slow" in reply
    assert time.monotonic() - started < 8


def test_row_47_a_slow_chunked_body_meets_its_deadline(endpoint: Endpoint) -> None:
    pieces = (b"1\r\n" + _SOUND[i : i + 1] + b"\r\n" for i in range(20))
    reply = endpoint.raw(*_chunked_head(mtom_type()), *pieces, pause_seconds=0.1)
    assert b" 408 " in reply.partition(b"\r\n")[0]


def test_row_47_slow_headers_are_cut_off(endpoint: Endpoint) -> None:
    head = _head("text/xml", "Content-Length: 0")
    started = time.monotonic()
    reply = endpoint.raw(*(head[i : i + 1] for i in range(40)), pause_seconds=0.1)
    assert reply == b""
    assert time.monotonic() - started < 8


def test_row_47_more_slow_clients_than_threads_do_not_stop_the_service(
    endpoint: Endpoint,
) -> None:
    slow = [socket.create_connection(("127.0.0.1", endpoint.port)) for _ in range(12)]
    try:
        for sock in slow:
            sock.sendall(b"POST /soap HTTP/1.1\r\nHost: x\r\n")
        started = time.monotonic()
        assert endpoint.request("GET", query="?wsdl").status == 200
        assert time.monotonic() - started < 8
    finally:
        for sock in slow:
            sock.close()


def test_row_47_expect_continue_is_answered(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=321)
    body = multipart(root_part(send_xml(hints, include())), _PART)
    head = _head(mtom_type(), f"Content-Length: {len(body)}", "Expect: 100-continue")
    reply = endpoint.raw(head, body, pause_seconds=0.2)
    assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([f"X-{n}: y" for n in range(100)], id="count"),
        pytest.param(["X: " + "y" * 9_000], id="one-too-large"),
        pytest.param([f"X-{n}: " + "y" * 900 for n in range(40)], id="sum-too-large"),
    ],
)
def test_row_47_header_floods_are_refused(endpoint: Endpoint, headers: list[str]) -> None:
    reply = endpoint.raw(_head("text/xml", "Content-Length: 0", *headers))
    assert reply.partition(b"\r\n")[0].split()[1] in (b"400", b"431")


@pytest.mark.parametrize("announced", ["-1", "abc", "1e3", "99999999999999999999", "1, 2"])
def test_row_47_false_content_lengths_are_refused(endpoint: Endpoint, announced: str) -> None:
    reply = endpoint.raw(_head(mtom_type(), f"Content-Length: {announced}") + _SOUND)
    assert reply.partition(b"\r\n")[0].split()[1] in (b"400", b"413")


def test_row_47_a_body_shorter_than_its_content_length(endpoint: Endpoint) -> None:
    head = _head(mtom_type(), f"Content-Length: {len(_SOUND) + 100}")
    hints = hints_for(CONTAINER, number=322)
    body = multipart(root_part(send_xml(hints, include())), _PART)
    head = _head(mtom_type(), f"Content-Length: {len(body) + 100}")
    reply = endpoint.raw(head + body, pause_seconds=0.0)
    assert b" 408 " in reply.partition(b"\r\n")[0]


def test_row_47_a_broken_chunk_is_a_truncated_body(endpoint: Endpoint) -> None:
    reply = endpoint.raw(*_chunked_head(mtom_type()), b"zz\r\n" + _SOUND)
    assert b" 400 " in reply.partition(b"\r\n")[0]


def test_row_48_nothing_of_the_request_reaches_the_headers(endpoint: Endpoint) -> None:
    reply = endpoint.raw(
        b"GET /soap?wsdl HTTP/1.1\r\nHost: evil\r\n\tX-Injected: 1\r\nConnection: close\r\n\r\n"
    )
    assert b"\r\nX-Injected" not in reply
    named = endpoint.request("GET", query="?wsdl", Host="a.b/<x>")
    assert named.status == 200
    assert b"<x>" not in named.body


def test_row_48_line_ends_in_headers_of_ours_become_spaces() -> None:
    sent: list[tuple[str, str]] = []
    quoting = WireReply(status=200, headers={"X-Quoted": "a\r\nX-Injected: 1\x00"}, body=())
    environ = {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}

    def start_response(
        status: str, headers: list[tuple[str, str]], exc: object = None
    ) -> Callable[[bytes], object]:
        sent.extend(headers)
        return bytes

    WireApp(lambda request: quoting)(environ, start_response)
    assert sent == [("X-Quoted", "a  X-Injected: 1 ")]


def test_row_49_faults_leak_nothing(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=331, to=FakeReceiving.BROKEN)
    reply = endpoint.post(send_xml(hints, _INLINE))
    _fault(reply, "internal", status=500)
    for leaked in (b"secret", b"SELECT", b"Traceback", b".py", b"lxml", b"ZeroDivision"):
        assert leaked not in reply.body


@pytest.mark.parametrize(
    ("accepted", "vietnamese", "english"),
    [("vi-VN,vi;q=0.9", True, False), ("en", False, True), ("fr", True, True), (None, True, True)],
)
def test_fault_texts_speak_the_callers_language(
    endpoint: Endpoint, accepted: str | None, vietnamese: bool, english: bool
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    text = endpoint.post(b"<x/>", **headers).body.decode()
    assert ("Phiên bản SOAP" in text) is vietnamese
    assert ("The SOAP version" in text) is english


def test_unavailable_says_when_to_come_back(endpoint: Endpoint) -> None:
    hints = hints_for(CONTAINER, number=332, to=FakeReceiving.DOWN)
    reply = endpoint.post(send_xml(hints, _INLINE))
    assert reply.status == 503
    assert reply.headers["retry-after"] == "30"
    assert b"soap:Server" in reply.body


def test_wsdl_names_the_address_of_the_caller(endpoint: Endpoint) -> None:
    reply = endpoint.request("GET", query="?wsdl")
    assert reply.body.count(endpoint.url.encode()) == 2
    assert endpoint.request("HEAD", query="?WSDL").status == 200


def _head(content_type: str, *headers: str) -> bytes:
    lines = ["POST /soap HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"Content-Type: {content_type}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _chunked_head(content_type: str) -> tuple[bytes]:
    return (_head(content_type, "Transfer-Encoding: chunked"),)


def _endless(start: bytes) -> Iterator[bytes]:
    """Yield `start` and then random content for ever, as chunks."""
    filler = os.urandom(64 * 1024)
    for piece in itertools.chain((start,), itertools.repeat(filler)):
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
