"""Calls ahead over real HTTP: partner and sender work at once, and nothing comes of it twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import PartnerUnavailable
from connectors.soap_client import SoapCall
from dossier.ids import AgencyCode
from dossier.model import MessageState
from dossier.wire import SendHints
from exchange.deliver import drain_outbox
from storage import inbox, outbox
from storage.outbox import Outgoing
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.over_http import OverHttp, queue_copies, served

HOA_BINH = "000.00.00.H28"
BINH_DINH = AgencyCode("000.00.00.H08")


class _Seen(OverHttp):
    """Writes down what is asked before what is answered, and may fail for a while."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.seen: list[str] = []
        self.left = 1000  # calls until it fails

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        self._note("sent")
        return super().send(endpoint, hints, container)

    def call(self, endpoint: str, hints: SendHints, container: bytes | Path) -> SoapCall:
        self._note("called")
        return super().call(endpoint, hints, container)

    def _note(self, what: str) -> None:
        self.seen.append(what)
        self.left -= 1
        if self.left < 0:
            raise PartnerUnavailable("expected a partner")


@pytest.fixture
def letter(one: OneNode) -> Outgoing:
    """Return a letter that went out as neighbours' letters do."""
    code = one.send_letter()
    return outbox.of_dossier(one.sides(code)[HOA_BINH].id)[0]


@pytest.fixture
def partner(one: OneNode, letter: Outgoing, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Seen]:
    """Let the node deliver to itself over HTTP, after the letter."""
    with served(one) as endpoint:
        seen = _Seen(endpoint)
        monkeypatch.setattr(one.node, "sending", lambda _partner: seen)
        yield seen


def test_fresh_messages_are_sealed_and_sent_while_the_partner_works(
    one: OneNode, letter: Outgoing, partner: _Seen
) -> None:
    fresh = queue_copies(one, letter, 8, to=BINH_DINH)
    assert drain_outbox(one.node, budget=BUDGET).done == 8
    # The first shows that the partner is there; all others go out before their turn.
    assert partner.seen == ["sent"] + ["called"] * 7
    sent = [outbox.get(identifier) for identifier in fresh]
    assert {(one_.message.state, one_.message.attempts) for one_ in sent} == {
        (MessageState.SENT, 1)
    }
    for one_ in sent:
        received = inbox.find(HOA_BINH, one_.message.message_id)
        assert received is not None
        assert received.container_sha256 == one_.message.container_sha256


def test_a_partner_that_goes_away_in_between_gets_the_rest_later_and_none_twice(
    one: OneNode, letter: Outgoing, partner: _Seen
) -> None:
    fresh = queue_copies(one, letter, 6, to=BINH_DINH)
    partner.left = 4
    drain_outbox(one.node, budget=BUDGET)
    states = [outbox.get(identifier).message.state for identifier in fresh]
    assert states.count(MessageState.SENT) == 4
    assert states.count(MessageState.NEW) == 2
    sealed = {one_.message.container_sha256 for one_ in map(outbox.get, fresh)} - {None}
    partner.left = 1000
    one.clock.forward(timedelta(hours=1))
    drain_outbox(one.node, budget=BUDGET)
    after = [outbox.get(identifier) for identifier in fresh]
    assert {one_.message.state for one_ in after} == {MessageState.SENT}
    assert sealed <= {one_.message.container_sha256 for one_ in after}
    known = [inbox.find(HOA_BINH, one_.message.message_id) for one_ in after]
    assert len({one_.container_sha256 for one_ in known if one_}) == 6
