"""The circuit of each partner: one that is dead costs little and does not hold up the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import PartnerUnavailable
from dossier.ids import AgencyCode
from dossier.model import MessageState
from dossier.wire import SendHints, Sending
from exchange import circuit, deliver
from storage import circuits, outbox
from storage.outbox import Outgoing
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.over_http import queue_copies

BINH_DINH = "000.00.00.H08"
OTHER = AgencyCode("000.31.01.H08")
LEASE = timedelta(seconds=30)


class Dead:
    """A partner that never answers, and the calls it cost."""

    def __init__(self) -> None:
        self.calls: list[SendHints] = []

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        self.calls.append(hints)
        raise PartnerUnavailable("expected an answer")


@pytest.fixture
def dead(one: OneNode, monkeypatch: pytest.MonkeyPatch) -> Dead:
    """Let Bình Định be dead and everybody else answer."""
    partner, real = Dead(), one.node.sending

    def sending(addressee: str) -> Sending:
        return partner if addressee == BINH_DINH else real(addressee)

    monkeypatch.setattr(one.node, "sending", sending)
    return partner


def fail_often(one: OneNode, dead: Dead) -> Outgoing:
    """Send the letter until the circuit is open."""
    code = one.send_letter()
    letter = outbox.of_dossier(one.sides(code)["000.00.00.H28"].id)[0]
    while len(dead.calls) < circuit.FAILURES:
        one.later(timedelta(minutes=5))
    return letter


def test_failures_in_a_row_open_the_circuit_and_attempts_are_saved(
    one: OneNode, dead: Dead
) -> None:
    letter = fail_often(one, dead)
    spent = len(dead.calls)
    fresh = queue_copies(one, letter, 20, to=AgencyCode(BINH_DINH))
    one.drain()
    assert len(dead.calls) == spent
    assert {outbox.get(one_).message.attempts for one_ in fresh} == {0}
    (found,) = circuit.listed()
    assert (found.partner, found.last_error) == (BINH_DINH, "partner_unavailable")
    assert found.opened is not None


def test_open_circuit_sends_one_probe_after_each_pause(one: OneNode, dead: Dead) -> None:
    letter = fail_often(one, dead)
    queue_copies(one, letter, 20, to=AgencyCode(BINH_DINH))
    spent = len(dead.calls)
    one.later(circuit.LONGEST)
    assert len(dead.calls) == spent + 1
    one.later(circuit.LONGEST)
    assert len(dead.calls) == spent + 2


def test_dead_partner_does_not_hold_up_the_others(one: OneNode, dead: Dead) -> None:
    letter = fail_often(one, dead)
    spent = len(dead.calls)
    queue_copies(one, letter, 30, to=AgencyCode(BINH_DINH))
    (other,) = queue_copies(one, letter, 1, to=OTHER)
    deliver.drain_outbox(one.node, budget=BUDGET)
    assert outbox.get(other).message.attempts == 1
    assert len(dead.calls) == spent


def test_answer_closes_the_circuit_and_everything_goes_out(
    one: OneNode, dead: Dead, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = fail_often(one, dead)
    fresh = queue_copies(one, letter, 6, to=AgencyCode(BINH_DINH))
    monkeypatch.undo()
    one.later(circuit.LONGEST)
    assert circuit.listed() == []
    states = {outbox.get(one_).message.state for one_ in (letter.message.id, *fresh)}
    assert states <= {MessageState.SENT, MessageState.REFUSED}


def test_message_behind_an_open_circuit_still_expires(one: OneNode, dead: Dead) -> None:
    letter = fail_often(one, dead)
    (waiting,) = queue_copies(one, letter, 1, to=AgencyCode(BINH_DINH))
    circuits.open_circuit(
        BINH_DINH, at=one.node.now(), retry_at=one.node.now() + timedelta(days=30)
    )
    one.later(timedelta(days=2))
    found = outbox.get(waiting).message
    assert (found.state, found.last_error) == (MessageState.PARKED, "message_expired")


def test_only_one_worker_probes(one: OneNode, dead: Dead) -> None:
    letter = fail_often(one, dead)
    queue_copies(one, letter, 2, to=AgencyCode(BINH_DINH))
    one.clock.forward(circuit.LONGEST)
    at = one.node.now()
    first, second = circuit.look(one.node, at=at), circuit.look(one.node, at=at)
    assert (first.probing, first.blocked) == (frozenset({BINH_DINH}), ())
    assert (second.probing, second.blocked) == (frozenset(), (BINH_DINH,))


def test_partner_that_others_are_calling_is_left_to_them(one: OneNode, dead: Dead) -> None:
    code = one.send_letter()
    letter = outbox.of_dossier(one.sides(code)["000.00.00.H28"].id)[0]
    queue_copies(one, letter, 4, to=AgencyCode(BINH_DINH))
    at = one.node.now()
    assert outbox.claim_due(owner="elsewhere", token="a" * 32, lease=LEASE, limit=1, at=at)
    assert circuit.look(one.node, at=at).blocked == (BINH_DINH,)
    # A lease that ended holds nobody up, and more calls may be allowed.
    assert circuit.look(one.node, at=at + LEASE).blocked == ()
    one.node.settings = replace(one.node.settings, partner_calls=2)
    assert circuit.look(one.node, at=at).blocked == ()


def test_a_failed_call_spares_the_rest_of_its_batch(one: OneNode, dead: Dead) -> None:
    code = one.send_letter()
    letter = outbox.of_dossier(one.sides(code)["000.00.00.H28"].id)[0]
    fresh = queue_copies(one, letter, 3, to=AgencyCode(BINH_DINH))
    before = len(dead.calls)
    deliver.drain_outbox(one.node, budget=BUDGET)
    assert len(dead.calls) == before + 1
    assert sorted(outbox.get(one_).message.attempts for one_ in fresh) == [0, 0, 1]


def test_pauses_double_up_to_their_longest(one: OneNode) -> None:
    pauses = [circuit.pause(one.node, circuit.FAILURES + n) for n in range(20)]
    assert pauses[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert pauses[-1] == circuit.LONGEST
