"""Outbox and inbox: a message leaves once and counts once, whoever dies in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from dossier.envelope import Assurance
from dossier.ids import ConversationId, MessageId, Sha256
from dossier.model import MessageState
from storage import dossiers, inbox, messages, outbox
from tests.builders.storage import AT, RECEIVER, SALT, SENDER, dossier, envelope

pytestmark = pytest.mark.usefixtures("database")
LEASE = timedelta(seconds=30)
DIGEST = Sha256("ab" * 32)


def new_outgoing(number: int = 1) -> outbox.NewOutgoing:
    of = dossier(code=f"H28-220411-{number:04}")
    dossiers.add(of, log_salt=SALT)
    return outbox.NewOutgoing(
        id=uuid4(),
        agency=SENDER,
        partner=RECEIVER,
        dossier=of.id,
        dossier_code=of.code,
        instance=uuid4(),
        ref="i:3",
        message_id=MessageId(f"abcdefgh-{uuid4().hex}-{number}-H08"),
        message_type="study-visit-request",
        conversation_id=ConversationId(of.conversation_id),
        request={"kinds": ["letter"]},
        created=AT,
        expires=AT + timedelta(days=3),
    )


def _claim(token: str, *, after: timedelta = timedelta()) -> list[outbox.Outgoing]:
    return outbox.claim_due(token=token, lease=LEASE, limit=10, at=AT + after)


def _answered(new: outbox.NewOutgoing, token: str) -> bool:
    return outbox.mark_answered(
        new.id,
        token=token,
        state=MessageState.SENT,
        receipt_sha256=DIGEST,
        outcome="accepted",
        code="accepted",
        received=AT,
    )


def test_the_same_message_id_leaves_once() -> None:
    new = new_outgoing()
    assert outbox.add(new)
    assert not outbox.add(new)


def test_a_claimed_message_comes_back_when_its_lease_ends() -> None:
    outbox.add(new_outgoing())
    assert [one.message.attempts for one in _claim("a")] == [1]
    assert _claim("b") == []
    assert [one.message.attempts for one in _claim("b", after=LEASE)] == [2]


def test_only_the_holder_of_the_token_records_what_came_of_it() -> None:
    new = new_outgoing()
    outbox.add(new)
    _claim("late")
    _claim("mine", after=LEASE)
    assert not _answered(new, "late")
    assert _answered(new, "mine")
    assert not outbox.retry(new.id, token="mine", at=AT, error="x")
    found = outbox.get(new.id)
    assert (found.message.state, found.message.receipt_code) == (MessageState.SENT, "accepted")


def test_a_container_is_sealed_once() -> None:
    new = new_outgoing()
    outbox.add(new)
    _claim("a")
    assert outbox.keep_container(new.id, token="a", sha256=DIGEST, size_bytes=5)
    assert not outbox.keep_container(new.id, token="a", sha256=Sha256("cd" * 32), size_bytes=6)
    assert outbox.get(new.id).message.container_sha256 == DIGEST
    assert _answered(new, "a")


def test_a_parked_message_is_sent_again_only_on_demand() -> None:
    new = new_outgoing()
    outbox.add(new)
    _claim("a")
    assert outbox.park(new.id, token="a", error="partner_down")
    assert _claim("b", after=timedelta(days=1)) == []
    assert outbox.resend(new.id, at=AT)
    assert [one.message.message_id for one in _claim("b")] == [new.message_id]


def test_attempts_are_listed_in_order() -> None:
    new = new_outgoing()
    for number in (1, 2):
        outbox.add_attempt(
            outbox.Attempt(
                message=new.id, number=number, started=AT, took_ms=5, error="", endpoint="e"
            )
        )
    assert [one.number for one in outbox.attempts(new.id)] == [1, 2]


def _received(number: int = 1, sha256: Sha256 = DIGEST) -> inbox.NewMessage:
    return inbox.NewMessage(
        envelope=envelope(number=number, conversation_id=str(uuid4())),
        container_sha256=sha256,
        receipt_sha256=DIGEST,
        received=AT,
        assurance=Assurance.SEALED,
    )


def test_an_identity_is_reserved_once_and_never_overwritten() -> None:
    first = _received()
    assert inbox.reserve(first) is None
    known = inbox.reserve(_received(sha256=Sha256("ef" * 32)))
    assert known is not None
    assert known.container_sha256 == DIGEST
    assert known.envelope == first.envelope


def test_the_case_of_an_agency_code_makes_no_second_identity() -> None:
    new = _received()
    inbox.reserve(new)
    assert inbox.find("h28", new.envelope.message_id) is not None


def test_two_receivers_at_once_store_one_message(in_threads: Callable[..., list[object]]) -> None:
    new = _received()
    answers = in_threads(lambda: inbox.reserve(new), lambda: inbox.reserve(new))
    assert sorted(one is None for one in answers) == [False, True]


def test_a_message_is_consumed_by_one_instance() -> None:
    inbox.reserve(_received())
    (message,) = inbox.take_received(limit=10)
    of = dossier()
    assert inbox.correlate(message.id, instance=uuid4(), dossier=of.id)
    assert not inbox.correlate(message.id, instance=uuid4(), dossier=of.id)
    assert not inbox.buffer(message.id, dossier=None)
    assert inbox.take_received(limit=10) == []


def test_a_buffered_message_waits_for_its_conversation() -> None:
    new = _received()
    inbox.reserve(new)
    (message,) = inbox.take_received(limit=1)
    assert inbox.buffer(message.id, dossier=None)
    conversation, kind = new.envelope.conversation_id, new.envelope.message_type
    assert [one.id for one in inbox.buffered_for(RECEIVER, conversation, kind)] == [message.id]
    assert inbox.buffered_for(RECEIVER, conversation, "other") == []


def test_a_dossier_lists_what_it_sent_and_received() -> None:
    new = new_outgoing()
    outbox.add(new)
    inbox.reserve(_received())
    (message,) = inbox.take_received(limit=1)
    inbox.correlate(message.id, instance=uuid4(), dossier=new.dossier)
    assert [one.direction.value for one in messages.messages_of(new.dossier)] == ["in", "out"]
