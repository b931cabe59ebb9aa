"""Notifications: queued with the event, sent signed, repeated, parked, replayed; by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.errors import EndpointForbidden
from connectors.webhooks import ID_HEADER, SIGNATURE_HEADER, check_body
from dossier.errors import LienThongError
from dossier.wire import WireReply, WireRequest
from exchange import notify, webhooks
from exchange.wiring import build
from storage import sql
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.wire_server import served

SECRET = b"0123456789abcdef0123456789abcdef"
STATUS = "dossier.status"


@dataclass
class Receiver:
    """A foreign system and what it was told."""

    status: int = 200
    url: str = ""
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, request: WireRequest) -> WireReply:
        self.taken.append((dict(request.headers), request.stream.read()))
        return WireReply(status=self.status, headers={"Content-Length": "0"}, body=())


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with served(receiver) as address:
        receiver.url = f"{address}/hook"
        yield receiver


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    return path


@pytest.fixture
def listed(one: OneNode) -> OneNode:
    """Return the node with this machine among the hosts that may be notified."""
    settings = replace(one.node.settings, webhook_hosts=("127.0.0.1",))
    return replace(one, node=build(settings, clock=one.clock))


def subscribe(one: OneNode, url: str, secret: Path, name: str = "kiosk", **more: str) -> None:
    webhooks.subscribe(
        one.node.settings,
        name,
        url=url,
        secret_file=secret,
        kinds=[more["kind"]] if "kind" in more else [],
        agency=more.get("agency", ""),
        at=one.node.now(),
    )


def drain(one: OneNode) -> int:
    return notify.drain_notices(one.node, budget=BUDGET).done


def test_what_happens_is_told_signed_and_names_no_person(listed: OneNode, secret: Path) -> None:
    with receiving() as receiver:
        subscribe(listed, receiver.url, secret)
        code = listed.send_letter()
        drain(listed)
        kinds = {json.loads(body)["kind"] for _, body in receiver.taken}
        assert {"dossier.opened", "message.sent", "message.received"} <= kinds
        for headers, body in receiver.taken:
            check_body(SECRET, body, headers[SIGNATURE_HEADER.lower()], at=listed.node.now())
            told = json.loads(body)
            assert told["dossier"] == code
            assert headers[ID_HEADER.lower()] == told["id"]
            assert "actor" not in told


def test_only_what_was_asked_for_is_told(listed: OneNode, secret: Path) -> None:
    with receiving() as receiver:
        subscribe(listed, receiver.url, secret, kind="message.sent", agency="000.00.00.h28")
        listed.send_letter()
        drain(listed)
        assert [json.loads(body)["agency"] for _, body in receiver.taken] == ["000.00.00.H28"]


def test_without_a_subscription_nothing_is_kept(one: OneNode) -> None:
    one.send_letter()
    assert sql.the_row("SELECT COUNT(*) FROM webhook_event") == (0,)


def test_a_failure_is_repeated_with_the_same_id_and_body(listed: OneNode, secret: Path) -> None:
    with receiving() as receiver:
        receiver.status = 503
        subscribe(listed, receiver.url, secret, kind="dossier.opened")
        listed.start_letter()
        drain(listed)
        assert drain(listed) == 0
        receiver.status = 204
        listed.clock.forward(timedelta(minutes=1))
        drain(listed)
        (first, body), (second, again) = receiver.taken
        assert body == again
        assert first[ID_HEADER.lower()] == second[ID_HEADER.lower()]
        assert first[SIGNATURE_HEADER.lower()] != second[SIGNATURE_HEADER.lower()]
        (told,) = webhooks.told("kiosk")
        assert (told.state, told.attempts, told.last_error) == ("sent", 2, "")


@pytest.mark.parametrize(
    ("status", "state", "attempts"), [(410, "refused", 1), (500, "parked", 10), (302, "parked", 10)]
)
def test_what_never_works_ends_and_can_be_replayed(
    listed: OneNode, secret: Path, status: int, state: str, attempts: int
) -> None:
    with receiving() as receiver:
        receiver.status = status
        subscribe(listed, receiver.url, secret, kind="dossier.opened")
        listed.start_letter()
        for _ in range(12):
            drain(listed)
            listed.clock.forward(timedelta(hours=2))
        (told,) = webhooks.told("kiosk")
        assert (told.state, told.attempts) == (state, attempts)
        assert webhooks.listed()[0].stuck == 1
        receiver.status = 200
        at = listed.node.now()
        assert webhooks.replay("kiosk", since=at, event=None, at=at) == 0
        assert webhooks.replay("kiosk", since=None, event=told.event, at=at) == 1
        drain(listed)
        assert len({body for _, body in receiver.taken}) == 1
        assert webhooks.told("kiosk")[0].state == "sent"


def test_hosts_must_be_listed_and_inner_ones_twice(one: OneNode, secret: Path) -> None:
    with receiving() as receiver, pytest.raises(EndpointForbidden):
        subscribe(one, receiver.url, secret)
    inner = replace(one.node.settings, webhook_hosts=("127.0.0.1",), outbound_hosts=())
    strict = replace(one, node=build(inner, clock=one.clock))
    with receiving() as receiver:
        subscribe(strict, receiver.url, secret, kind="dossier.opened")
        strict.start_letter()
        drain(strict)
        assert receiver.taken == []
    assert [told.last_error for told in webhooks.told("kiosk")] == ["endpoint_forbidden"]


@pytest.mark.parametrize(
    ("name", "kind", "content", "code"),
    [
        ("Kiosk!", STATUS, SECRET, "webhook_unknown"),
        ("kiosk", "nonsense", SECRET, "webhook_kind_unknown"),
        ("kiosk", STATUS, b"short", "webhook_secret_refused"),
        ("kiosk", STATUS, None, "webhook_secret_refused"),
    ],
)
def test_subscriptions_that_cannot_work_are_refused(
    listed: OneNode, tmp_path: Path, name: str, kind: str, content: bytes | None, code: str
) -> None:
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LienThongError) as caught:
        subscribe(listed, "http://127.0.0.1:9/x", path, name=name, kind=kind)
    assert caught.value.code == code


def test_subscription_is_removed_with_what_waits(listed: OneNode, secret: Path) -> None:
    subscribe(listed, "http://127.0.0.1:9/x", secret)
    with pytest.raises(LienThongError) as caught:
        subscribe(listed, "http://127.0.0.1:9/x", secret)
    assert caught.value.code == "webhook_name_taken"
    listed.start_letter()
    assert webhooks.listed()[0].waiting > 0
    assert urlsplit(webhooks.listed()[0].url).port == 9
    webhooks.unsubscribe("kiosk")
    assert webhooks.listed() == []
    assert drain(listed) == 0
    with pytest.raises(LienThongError) as unknown:
        webhooks.unsubscribe("kiosk")
    assert unknown.value.code == "webhook_unknown"
