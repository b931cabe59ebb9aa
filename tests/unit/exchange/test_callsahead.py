"""Calls ahead: only to who has answered, only over HTTP, and each answer is taken once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from connectors.errors import PartnerUnavailable
from dossier.wire import SendHints
from exchange.callsahead import CallsAhead
from exchange.node import Node
from storage.outbox import Outgoing

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PARTNER = "000.00.00.H08"


class _Partner:
    """A `Sending`, the directory that names it and the blob store, in one."""

    def __init__(self, folder: Path) -> None:
        self.called: list[str] = []
        self.given: list[object] = []
        self.broken = False
        self.settings = SimpleNamespace(spool_dir=folder, delivery_attempts=5)
        self.blobs = self
        self.valid_from, self.valid_until, self.grace_days = NOW, NOW, 1
        self.is_reachable, self.endpoint = True, "https://partner.example/soap"

    def send(self, endpoint: str, hints: SendHints, container: Path) -> bytes:
        assert threading.current_thread() is not threading.main_thread()
        assert container.read_bytes() == b"container"
        if self.broken:
            raise PartnerUnavailable("expected a reply")
        self.called.append(hints.message_id)
        return hints.message_id.encode()

    def export(self, _sha256: str, target: Path) -> None:
        target.write_bytes(b"container")

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

    @contextmanager
    def given_directory(self, directory: object) -> Iterator[None]:
        self.given.append(directory)
        yield


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
    with CallsAhead(cast(Node, partner)) as ahead:
        ahead.start(_messages(2))
        ahead.note(PARTNER, is_there=True)
        ahead.note(PARTNER, is_there=False)
        ahead.start(_messages(2))
    assert partner.called == []


def test_a_few_are_called_and_each_answer_is_taken_once(partner: _Partner) -> None:
    waiting = _messages(5)
    with CallsAhead(cast(Node, partner)) as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(waiting)
        ahead.start(waiting)
        assert [one.message.id in ahead for one in waiting] == [True, True, True, True, False]
        for one in waiting[:4]:
            called = ahead.take(one.message.id)
            assert called is not None
            assert called.result() == one.message.message_id.encode()
            assert ahead.take(one.message.id) is None
    assert sorted(partner.called) == ["message-0", "message-1", "message-2", "message-3"]
    assert partner.given == [partner] * 4
    assert list((partner.settings.spool_dir / "outgoing").iterdir()) == []


def test_what_its_own_attempt_would_not_send_is_not_called(partner: _Partner) -> None:
    with CallsAhead(cast(Node, partner)) as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start(_messages(1, size=10**6))
        ahead.start(_messages(1, expires=NOW))
        partner.endpoint = ""
        ahead.start(_messages(1))
    assert partner.called == []


def test_failure_is_that_of_the_call(partner: _Partner) -> None:
    partner.broken = True
    (message,) = _messages(1)
    with CallsAhead(cast(Node, partner)) as ahead:
        ahead.note(PARTNER, is_there=True)
        ahead.start([message])
        called = ahead.take(message.message.id)
        assert called is not None
        with pytest.raises(PartnerUnavailable):
            called.result()
