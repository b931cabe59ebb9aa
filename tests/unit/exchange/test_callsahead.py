"""Calls ahead: only to who has answered, only what need not wait, and each answer once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from connectors.errors import PartnerUnavailable
from dossier.wire import SendHints
from exchange.callsahead import CallsAhead
from exchange.errors import SealMissing
from exchange.node import Node
from storage.outbox import Outgoing

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PARTNER = "000.00.00.H08"


class _Partner:
    """A `SendingAhead`, the directory that names it and the blob store, in one."""

    def __init__(self, folder: Path) -> None:
        self.called: list[str] = []
        self.dropped: list[str] = []
        self.broken = False
        self.settings = SimpleNamespace(spool_dir=folder, delivery_attempts=5)
        self.blobs = self
        self.valid_from, self.valid_until, self.grace_days = NOW, NOW, 1
        self.is_reachable, self.endpoint = True, "https://partner.example/soap"

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        raise AssertionError("expected calls ahead only")

    def call(self, endpoint: str, hints: SendHints, container: bytes | Path) -> _Call:
        assert container == b"container"
        self.called.append(hints.message_id)
        if self.broken:
            raise PartnerUnavailable("expected a reply")
        return _Call(self, hints.message_id)

    def read(self, _sha256: str) -> bytes:
        return b"container"

    def successor_of(self, _code: str, *, at: datetime) -> _Partner:
        return self

    def now(self) -> datetime:
        return NOW

    def directory(self) -> _Partner:
        return self

    def hosted(self, _code: str) -> None:
        return None

    def sending(self, _partner: str) -> _Partner:
        return self


class _Call:
    """A `Called` whose answer is the message's id."""

    def __init__(self, partner: _Partner, message_id: str) -> None:
        self._partner = partner
        self._message_id = message_id

    def receipt(self) -> bytes:
        return self._message_id.encode()

    def drop(self) -> None:
        self._partner.dropped.append(self._message_id)


@pytest.fixture
def partner(tmp_path: Path) -> _Partner:
    return _Partner(tmp_path)


def _messages(count: int, *, size: int = 9, expires: datetime | None = None) -> list[Outgoing]:
    return [
        cast(
            Outgoing,
            SimpleNamespace(
                message=SimpleNamespace(
                    id=uuid.UUID(int=number),
                    agency="000.00.00.H28",
                    partner=PARTNER,
                    message_id=f"message-{number}",
                    attempts=1,
                    container_sha256="ab" * 32,
                ),
                container_size=size,
                expires=expires or NOW + timedelta(days=1),
            ),
        )
        for number in range(count)
    ]


def test_nobody_is_called_ahead_who_has_not_answered(partner: _Partner) -> None:
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.start(_messages(2))
        ahead.note(PARTNER, is_there=True)
        ahead.note(PARTNER, is_there=False)
        ahead.start(_messages(2))
    assert partner.called == []


def test_a_few_are_called_and_each_answer_is_taken_once(partner: _Partner) -> None:
    waiting = _messages(5)
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(waiting)
        ahead.start(waiting)
        assert [one.message.id in ahead for one in waiting] == [True, True, True, True, False]
        for one in waiting[:4]:
            called = ahead.take(one.message.id)
            assert called is not None
            assert called.receipt() == one.message.message_id.encode()
            assert ahead.take(one.message.id) is None
    assert partner.called == ["message-0", "message-1", "message-2", "message-3"]
    assert partner.dropped == []


def test_what_nobody_took_is_let_go(partner: _Partner) -> None:
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(_messages(2))
    assert partner.dropped == ["message-0", "message-1"]


def test_what_its_own_attempt_would_not_send_is_not_called(partner: _Partner) -> None:
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(_messages(1, size=10**6))
        ahead.start(_messages(1, expires=NOW))
        partner.endpoint = ""
        ahead.start(_messages(1))
    assert partner.called == []


@pytest.mark.parametrize(("size", "called"), [(9, ["message-0", "message-1"]), (10**6, [])])
def test_fresh_messages_are_sealed_once_and_large_ones_go_alone(
    partner: _Partner, monkeypatch: pytest.MonkeyPatch, size: int, called: list[str]
) -> None:
    sealed: list[str] = []

    def seal(_node: Node, outgoing: Outgoing, *, token: str, at: datetime) -> tuple[str, int]:
        assert (token, at) == ("t", NOW)
        sealed.append(outgoing.message.message_id)
        return "cd" * 32, size

    monkeypatch.setattr("exchange.callsahead.sealed_once", seal)
    fresh = _messages(2, size=0)
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(fresh)
        ahead.start(fresh)
        assert [ahead.take_sealed(one) for one in fresh] == [("cd" * 32, size)] * 2
    assert sealed == ["message-0", "message-1"]
    assert partner.called == called


def test_what_cannot_be_sealed_is_left_to_its_own_attempt(
    partner: _Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seal(_node: Node, _outgoing: Outgoing, *, token: str, at: datetime) -> tuple[str, int]:
        raise SealMissing("expected a seal")

    monkeypatch.setattr("exchange.callsahead.sealed_once", seal)
    (fresh,) = _messages(1, size=0)
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start([fresh])
        assert fresh.message.id not in ahead
        with pytest.raises(SealMissing):
            ahead.take_sealed(fresh)
    assert partner.called == []


class _Neighbour:
    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        raise AssertionError("expected no call")


def test_neighbours_are_not_called_ahead(
    partner: _Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner, "sending", lambda _partner: _Neighbour())
    messages = _messages(1)
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(messages)
        assert messages[0].message.id not in ahead


def test_failure_is_that_of_the_call_and_ends_calling_ahead(partner: _Partner) -> None:
    partner.broken = True
    messages = _messages(3)
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(messages)
        called = ahead.take(messages[0].message.id)
        assert called is not None
        with pytest.raises(PartnerUnavailable):
            called.receipt()
    assert partner.called == ["message-0"]


def test_a_partner_that_takes_its_time_is_not_called_ahead(
    partner: _Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((0.0, 5.0))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with CallsAhead(cast(Node, partner), token="t") as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(_messages(3))
    assert partner.called == ["message-0"]
