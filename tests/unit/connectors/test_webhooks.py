"""Notifications are signed, tell the same thing twice alike, and reach no inner network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from connectors.errors import (
    EndpointForbidden,
    PartnerUnavailable,
    WebhookRefused,
    WebhookSignatureRefused,
)
from connectors.http import HttpClient, only_hosts, public_address
from connectors.webhooks import (
    ID_HEADER,
    SIGNATURE_HEADER,
    Event,
    Subscriber,
    WebhookSender,
    check_body,
    sign_body,
)
from dossier.clock import VirtualClock
from dossier.wire import WireReply, WireRequest
from tests.builders.wire_server import served

_AT = datetime(2022, 4, 20, tzinfo=UTC)
_SECRET = b"shared"
_EVENT = Event(
    id=UUID("6f9619ff-8b86-4011-b42d-00c04fc964ff"),
    kind="dossier.status",
    content={"dossier": "000.00.00.H08-220420-0001", "status": 9},
)


@contextmanager
def _subscriber(status: int = 200) -> Iterator[tuple[Subscriber, list[tuple[WireRequest, bytes]]]]:
    taken: list[tuple[WireRequest, bytes]] = []

    def take(request: WireRequest) -> WireReply:
        taken.append((request, request.stream.read()))
        headers = {"Content-Length": "0", "Location": "http://127.0.0.1:9/elsewhere"}
        return WireReply(status=status, headers=headers, body=())

    with served(take) as address:
        yield Subscriber(url=f"{address}/hook", secret=_SECRET), taken


def _sender(*inner: str, clock: VirtualClock | None = None) -> WebhookSender:
    http = HttpClient(may_call=lambda host, port: True, resolver=public_address(*inner))
    return WebhookSender(http=http, clock=clock or VirtualClock(at=_AT))


def test_a_subscriber_can_check_what_it_gets() -> None:
    with _subscriber() as (subscriber, taken):
        _sender("127.0.0.1").send(subscriber, _EVENT)
    ((request, body),) = taken
    check_body(_SECRET, body, request.headers[SIGNATURE_HEADER.lower()], at=_AT)
    assert request.headers[ID_HEADER.lower()] == str(_EVENT.id)
    assert request.headers["host"] == subscriber.url.split("/")[2]
    assert b'"status":9' in body


def test_a_repetition_tells_the_same_at_another_time() -> None:
    clock = VirtualClock(at=_AT)
    with _subscriber() as (subscriber, taken):
        sender = _sender("127.0.0.1", clock=clock)
        sender.send(subscriber, _EVENT)
        clock.at = _AT + timedelta(minutes=10)
        sender.send(subscriber, _EVENT)
    assert taken[0][1] == taken[1][1]
    signatures = {request.headers[SIGNATURE_HEADER.lower()] for request, _ in taken}
    assert len(signatures) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, WebhookRefused),
        (410, WebhookRefused),
        (404, PartnerUnavailable),
        (429, PartnerUnavailable),
        (302, PartnerUnavailable),
        (503, PartnerUnavailable),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(status: int, error: type[Exception]) -> None:
    with _subscriber(status) as (subscriber, taken), pytest.raises(error):
        _sender("127.0.0.1").send(subscriber, _EVENT)
    assert len(taken) == 1  # and no redirect was followed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_inner_networks_are_not_called(host: str) -> None:
    subscriber = Subscriber(url=f"http://{host}:9/hook", secret=_SECRET)
    with pytest.raises(EndpointForbidden):
        _sender().send(subscriber, _EVENT)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "fd00::1", "fe80::1%a"]
)
def test_names_of_inner_addresses_are_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        public = (2, 1, 6, "", ("8.8.8.8", port))
        return [public, (2, 1, 6, "", (address, port))]

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    with pytest.raises(EndpointForbidden):
        public_address()("hook.example", 443)
    assert public_address("hook.example")("hook.example", 443) == "8.8.8.8"


def test_hosts_that_are_not_allowed_are_not_even_resolved() -> None:
    def resolver(host: str, port: int) -> str:
        raise AssertionError("expected no resolution")

    http = HttpClient(may_call=only_hosts("a.example"), resolver=resolver)
    sender = WebhookSender(http=http, clock=VirtualClock(at=_AT))
    with pytest.raises(EndpointForbidden):
        sender.send(Subscriber(url="https://b.example/", secret=_SECRET), _EVENT)


@pytest.mark.parametrize(
    ("body", "signature", "at"),
    [
        (b"{}", "", _AT),
        (b"{}", "t=1,v1=00", _AT),
        (b"{ }", sign_body(_SECRET, b"{}", at=_AT), _AT),
        (b"{}", sign_body(b"other", b"{}", at=_AT), _AT),
        (b"{}", sign_body(_SECRET, b"{}", at=_AT), _AT + timedelta(minutes=6)),
        (b"{}", sign_body(_SECRET, b"{}", at=_AT), _AT - timedelta(minutes=6)),
    ],
)
def test_other_signatures_are_refused(body: bytes, signature: str, at: datetime) -> None:
    with pytest.raises(WebhookSignatureRefused):
        check_body(_SECRET, body, signature, at=at)
