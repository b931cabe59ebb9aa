"""Pull over real HTTP: only the sealed agency's own messages, until a receipt verifies."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import DigestMismatch, PartnerRefused
from connectors.http import HttpClient, only_hosts
from connectors.intake import bytes_of
from connectors.mailbox import MessageStatus, PendingMessage
from connectors.pull_client import Post, PullClient
from connectors.request import Operation, Request, write_request
from connectors.soap_client import SoapClient
from dossier.clock import VirtualClock
from dossier.ids import AgencyCode, Sha256
from tests.builders.connectors import (
    BINH_DINH,
    CONTAINER,
    HOA_BINH,
    SERVICE,
    SOAP11,
    SOAP12,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    root_part,
)
from tests.builders.pull import FakeSealer, pull_client
from tests.integration.soap.conftest import Endpoint

_STRANGER = AgencyCode("000.00.00.H99")


@pytest.fixture
def post(endpoint: Endpoint) -> Post:
    return Post(endpoint=endpoint.url, node_agency=HOA_BINH)


@pytest.fixture
def binh_dinh(tmp_path: Path) -> PullClient:
    return pull_client(BINH_DINH, tmp_path)


def _send(endpoint: Endpoint, folder: Path, content: bytes, number: int) -> PendingMessage:
    container = folder / f"sent-{number}"
    container.write_bytes(content)
    hints = hints_for(content, number=number)
    http = HttpClient(may_call=only_hosts("127.0.0.1"))
    SoapClient(http=http).send(endpoint.url, hints, container)
    container.unlink()
    return PendingMessage(
        from_agency=hints.from_agency,
        message_id=hints.message_id,
        container_sha256=hints.container_sha256,
        size_bytes=hints.size_bytes,
    )


def _refused(error: pytest.ExceptionInfo[PartnerRefused]) -> object:
    return error.value.parameters["partner_code"]


def test_list_fetch_confirm_and_ask(
    endpoint: Endpoint, tmp_path: Path, post: Post, binh_dinh: PullClient
) -> None:
    content = b"\r\n" + os.urandom(3_000_000) + b"\r\n"
    message = _send(endpoint, tmp_path, content, 501)
    hoa_binh = pull_client(HOA_BINH, tmp_path)
    assert message in binh_dinh.pending(post).messages
    assert hoa_binh.status(post, message.message_id) is MessageStatus.PENDING
    for _ in range(2):  # fetching removes nothing
        spooled = binh_dinh.fetch(post, message)
        assert bytes_of(spooled) == content
        spooled.drop()
    for receipt in (b"valid receipt", b"another valid receipt"):
        binh_dinh.confirm(post, message, receipt)
    assert message not in binh_dinh.pending(post).messages
    assert hoa_binh.status(post, message.message_id) is MessageStatus.ACCEPTED
    assert hoa_binh.receipt(post, message.message_id) == b"valid receipt"
    assert hoa_binh.directory(post) == b"<Directory/>"
    assert list(tmp_path.iterdir()) == []


def test_a_receipt_that_does_not_verify_leaves_the_message_pending(
    endpoint: Endpoint, tmp_path: Path, post: Post, binh_dinh: PullClient
) -> None:
    message = _send(endpoint, tmp_path, CONTAINER, 502)
    with pytest.raises(PartnerRefused):
        binh_dinh.confirm(post, message, b"forged")
    assert message in binh_dinh.pending(post).messages


def test_a_message_of_somebody_else_is_unknown(
    endpoint: Endpoint, tmp_path: Path, post: Post
) -> None:
    message = _send(endpoint, tmp_path, CONTAINER, 503)
    stranger = pull_client(_STRANGER, tmp_path)
    sender = pull_client(HOA_BINH, tmp_path)
    assert stranger.pending(post).messages == ()
    for client in (stranger, sender):
        with pytest.raises(PartnerRefused) as fetching:
            client.fetch(post, message)
        with pytest.raises(PartnerRefused) as confirming:
            client.confirm(post, message, b"valid receipt")
        assert _refused(fetching) == _refused(confirming) == "message_unknown"
    with pytest.raises(PartnerRefused):
        stranger.receipt(post, message.message_id)
    assert stranger.status(post, message.message_id) is MessageStatus.UNKNOWN


def test_other_bytes_than_listed_are_refused(
    endpoint: Endpoint, tmp_path: Path, post: Post, binh_dinh: PullClient
) -> None:
    message = _send(endpoint, tmp_path, CONTAINER, 504)
    with pytest.raises(DigestMismatch):
        binh_dinh.fetch(post, replace(message, container_sha256=Sha256("0" * 64)))
    assert list(tmp_path.iterdir()) == []


def _request(**changes: object) -> bytes:
    now = datetime.now(UTC)
    request = Request(
        operation=Operation.LIST_PENDING,
        agency=BINH_DINH,
        to_agency=HOA_BINH,
        created=now,
        expires=now + timedelta(minutes=2),
        nonce=os.urandom(16).hex(),
    )
    return write_request(replace(request, **changes))  # type: ignore[arg-type]  # names are checked


def _call(sealed: bytes | str, *, operation: str = "ListPending", soap: str = SOAP11) -> bytes:
    content = sealed if isinstance(sealed, str) else base64.b64encode(sealed).decode()
    return (
        f'<s:Envelope xmlns:s="{soap}" xmlns:xop="http://www.w3.org/2004/08/xop/include"><s:Body>'
        f'<{operation} xmlns="{SERVICE}"><Request>{content}</Request></{operation}>'
        "</s:Body></s:Envelope>"
    ).encode()


_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"agency": _STRANGER}, "request_not_own"),
        ({"to_agency": _STRANGER}, "request_not_for_us"),
        ({"operation": Operation.LIST_AGENCIES}, "request_not_for_us"),
        ({"created": _NOW, "expires": _NOW + timedelta(minutes=2)}, "request_expired"),
        ({"expires": _NOW + timedelta(days=36500)}, "request_expired"),
        ({"nonce": "short"}, "request_malformed"),
    ],
)
def test_requests_that_may_not_be_answered(
    endpoint: Endpoint, changes: dict[str, object], code: str
) -> None:
    sealed = FakeSealer(BINH_DINH).seal(_request(**changes))
    assert endpoint.post(_call(sealed)).code == code


def test_a_request_is_answered_once(endpoint: Endpoint) -> None:
    sealed = FakeSealer(BINH_DINH).seal(_request())
    assert endpoint.post(_call(sealed)).status == 200
    assert endpoint.post(_call(sealed)).code == "request_replayed"


def test_a_request_without_seal_is_denied(endpoint: Endpoint) -> None:
    assert endpoint.post(_call(_request())).code == "denied"


def test_a_request_that_names_no_message_is_refused(endpoint: Endpoint) -> None:
    for operation in (Operation.FETCH_MESSAGE, Operation.GET_RECEIPT, Operation.GET_STATUS):
        sealed = FakeSealer(BINH_DINH).seal(_request(operation=operation))
        reply = endpoint.post(_call(sealed, operation=operation.value))
        assert reply.code == "request_malformed"


def test_a_clock_that_is_wrong_is_told_so(tmp_path: Path, post: Post) -> None:
    late = pull_client(BINH_DINH, tmp_path, clock=VirtualClock(at=_NOW))
    with pytest.raises(PartnerRefused) as refused:
        late.pending(post)
    assert _refused(refused) == "request_expired"


@pytest.mark.parametrize("first", [True, False])
def test_requests_come_by_mtom_too(endpoint: Endpoint, first: bool) -> None:
    sealed = FakeSealer(BINH_DINH).seal(_request())
    root = root_part(_call(include()))
    part = PartSpec(content=sealed, content_id="c@x")
    body = multipart(*((root, part) if first else (part, root)))
    assert endpoint.post(body, content_type=mtom_type()).status == 200
    assert endpoint.spooled() == []


def test_a_fetched_container_comes_inline_to_callers_without_mtom(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    message = _send(endpoint, tmp_path, CONTAINER, 505)
    sealed = FakeSealer(BINH_DINH).seal(
        _request(
            operation=Operation.FETCH_MESSAGE,
            message_id=message.message_id,
            from_agency=message.from_agency,
        )
    )
    reply = endpoint.post(
        _call(sealed, operation="FetchMessage", soap=SOAP12), content_type="application/soap+xml"
    )
    assert base64.b64encode(CONTAINER) in reply.body
    assert reply.headers["content-type"] == "application/soap+xml; charset=utf-8"


def test_the_root_part_may_stand_behind_both_parts_of_a_confirmation(endpoint: Endpoint) -> None:
    operation = Operation.CONFIRM_MESSAGE
    named = {"message_id": hints_for(CONTAINER, number=599).message_id, "from_agency": HOA_BINH}
    sealed = FakeSealer(BINH_DINH).seal(_request(operation=operation, **named))
    call = _call(include("c@x"), operation=operation.value).replace(
        b"</Request>", f"</Request><Receipt>{include('d@x')}</Receipt>".encode()
    )
    parts = [
        PartSpec(content=sealed, content_id="c@x"),
        PartSpec(content=b"valid receipt", content_id="d@x"),
        root_part(call),
    ]
    reply = endpoint.post(multipart(*parts), content_type=mtom_type(start="<root@x>"))
    assert reply.code == "message_unknown"  # so the request was read
    assert endpoint.spooled() == []
