"""Delivery: the same bytes on every retry, receipts verified, incidents instead of losses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import PartnerUnavailable
from dossier.errors import LienThongError
from dossier.model import MessageState
from dossier.wire import SendHints, Sending
from exchange import incidents as resolving
from exchange import supersede
from exchange.receive import Reception
from storage import inbox, incidents, outbox
from storage.outbox import Outgoing
from tests.builders.exchange import LETTER, OneNode
from tests.builders.messages import Draft, hints_for, spooled

HOA_BINH = "000.00.00.H28"
BINH_DINH = "000.00.00.H08"


class Away:
    """A partner that does not answer, or answers what it is told to."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.sent: list[tuple[SendHints, bytes]] = []
        self.answer = answer

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        content = container if isinstance(container, bytes) else container.read_bytes()
        self.sent.append((hints, content))
        if self.answer is None:
            raise PartnerUnavailable("expected an answer")
        return self.answer


def numbered_letter(one: OneNode, monkeypatch: pytest.MonkeyPatch, partner: Sending) -> str:
    monkeypatch.setattr(one.node, "sending", lambda _partner: partner)
    return one.send_letter()


def letter_of(one: OneNode, code: str) -> Outgoing:
    return outbox.of_dossier(one.sides(code)[HOA_BINH].id)[0]


def test_retries_carry_the_same_id_and_the_same_bytes(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away()
    code = numbered_letter(one, monkeypatch, away)
    for _ in range(3):
        one.later(timedelta(hours=1))
    assert len(away.sent) == 4
    assert len({hints.message_id for hints, _content in away.sent}) == 1
    assert len({content for _hints, content in away.sent}) == 1
    assert letter_of(one, code).message.state is MessageState.NEW


def test_letter_arrives_once_the_partner_is_back(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        code = numbered_letter(one, away, Away())
        assert letter_of(one, code).message.last_error == PartnerUnavailable.code
    one.later(timedelta(hours=1))
    assert letter_of(one, code).message.state is MessageState.SENT
    assert "register_letter" in one.open_tasks(code)


def test_last_attempt_opens_an_incident_and_resend_delivers(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        code = numbered_letter(one, away, Away())
        for _ in range(one.node.settings.delivery_attempts):
            one.later(timedelta(hours=1))
        parked = letter_of(one, code)
        assert parked.message.state is MessageState.PARKED
        assert [found.code for found in incidents.open_incidents()] == [PartnerUnavailable.code]
    resolving.resend(one.node, one.actor("hb.vanthu"), parked.message.id)
    one.drain()
    assert letter_of(one, code).message.state is MessageState.SENT
    assert incidents.count_open() == 0


def test_answer_that_is_no_receipt_counts_as_no_answer(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = numbered_letter(one, monkeypatch, Away(b"<Receipt/>"))
    letter = letter_of(one, code)
    assert letter.message.state is MessageState.NEW
    assert letter.message.last_error == "receipt_invalid"


def test_receipt_of_another_message_is_not_taken(
    one: OneNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    draft = Draft(node=one.node, at=one.node.now())
    container = spooled(tmp_path, draft.container())
    foreign = Reception(one.node).receive(hints_for(draft, container), container)
    code = numbered_letter(one, monkeypatch, Away(foreign))
    assert letter_of(one, code).message.last_error == "receipt_invalid"


def test_expired_message_is_parked_and_not_sent(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away()
    code = numbered_letter(one, monkeypatch, away)
    sent = len(away.sent)
    one.later(timedelta(days=4))
    assert len(away.sent) == sent
    parked = letter_of(one, code)
    assert parked.message.state is MessageState.PARKED
    assert parked.message.last_error == "message_expired"


def test_refused_message_can_be_reissued_under_a_new_id(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    directory = one.node.directory()
    with monkeypatch.context() as closed:
        without_rules = replace(directory, rules=())
        closed.setattr(one.node, "directory", lambda: without_rules)
        one.do("hb.vanthu", code, "number_letter")
        refused = letter_of(one, code)
        assert refused.message.state is MessageState.REFUSED
        assert refused.message.receipt_code == "access_denied"
    supersede.reissue(one.node, refused.message.id, by="hb.vanthu")
    one.drain()
    received = inbox.of_dossier(one.sides(code)[BINH_DINH].id)
    assert [one_.envelope.supersedes for one_ in received] == [refused.message.message_id]
    assert received[0].envelope.message_id != refused.message.message_id


# --- Correlation (protocol §7) -----------------------------------------------------------------


def test_right_key_from_a_wrong_agency_is_an_incident_and_never_consumed(
    one: OneNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.send_letter()
    waiting = one.sides(code)[HOA_BINH]
    stranger = Draft(
        node=one.node,
        at=one.node.now(),
        sender=type(waiting.agency)("000.31.01.H08"),
        receiver=waiting.agency,
        message_type="reply",
        conversation=type(waiting.id)(waiting.conversation_id),
        dossier_code=code,
        values={"reply_number": "1/X", "reply_subject": "V/v trả lời"},
        document_kind="reply",
    )
    directory = one.node.directory()
    any_rule = type(directory.rules[0])(client="*", server="*", procedure="*", message_type="*")
    opened = replace(directory, rules=(any_rule,))
    monkeypatch.setattr(one.node, "directory", lambda: opened)
    container = spooled(tmp_path, stranger.container())
    Reception(one.node).receive(hints_for(stranger, container), container)
    one.drain()
    assert [found.code for found in incidents.open_incidents()] == ["message_wrong_agency"]
    assert "register_reply" not in one.open_tasks(code)
    one.answer_letter(code)
    assert "register_reply" in one.open_tasks(code)


def test_message_nobody_may_resolve_needs_a_role(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = numbered_letter(one, monkeypatch, Away())
    with pytest.raises(LienThongError) as caught:
        resolving.resend(one.node, one.actor("thue.canbo"), letter_of(one, code).message.id)
    assert caught.value.code == "not_allowed"


def test_incident_of_a_refusal_offers_a_new_message_and_not_the_old_one(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    directory = one.node.directory()
    with monkeypatch.context() as closed:
        without_rules = replace(directory, rules=())
        closed.setattr(one.node, "directory", lambda: without_rules)
        one.do("hb.vanthu", code, "number_letter")
    rows = resolving.listed(one.node, one.actor("hb.vanthu"))
    ours = [row for row in rows if row.incident.message == letter_of(one, code).message.id]
    assert [(row.can_resend, row.can_reissue) for row in ours] == [(False, True)]
