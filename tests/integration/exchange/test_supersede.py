"""Messages in the place of others: redirected, recalled, replaced, updated; in any order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from connectors.errors import PartnerUnavailable
from dossier.canonical import Json
from dossier.envelope import Action
from dossier.errors import LienThongError
from dossier.ids import AgencyCode
from dossier.model import MessageState
from dossier.wire import SendHints
from exchange import correlate, deliver, supersede
from exchange.drained import Drained
from lienthong.main import run
from storage import dossiers, inbox, incidents, outbox, subscriptions
from tests.builders.exchange import BUDGET, LETTER, OneNode
from tests.builders.procedures import shipped
from workflows.scenariofile import Verb, parse_scenario

HOA_BINH = "000.00.00.H28"
BINH_DINH = "000.00.00.H08"
COMMUNE = AgencyCode("000.31.01.H08")
WORKERS = {
    "draft_letter": "hb.chuyenvien",
    "sign_letter": "hb.lanhdao",
    "number_letter": "hb.vanthu",
    "register_letter": "bd.vanthu",
    "assign_units": "bd.lanhdao",
}


class Away:
    """A partner that never answers."""

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        raise PartnerUnavailable("expected an answer")


def idle(*_arguments: object, **_keywords: object) -> Drained:
    """Do nothing, as a worker that is not there."""
    return Drained(done=0, more=False)


def until_signed(one: OneNode) -> str:
    code = one.start_letter()
    one.do("hb.chuyenvien", code, "draft_letter", LETTER)
    one.do("hb.lanhdao", code, "sign_letter")
    return code


def message_of(one: OneNode, code: str) -> UUID:
    """Return the first message: its clock stands still, so its age alone does not tell."""
    sent = outbox.of_dossier(one.sides(code)[HOA_BINH].id)
    return next(message for message in sent if message.supersedes is None).message.id


def state_of(message: UUID) -> MessageState:
    return outbox.get(message).message.state


def received(one: OneNode, code: str) -> list[tuple[str, MessageState]]:
    """Return what Bình Định got for the dossier: the action and what became of it."""
    found = inbox.of_dossier(one.sides(code)[BINH_DINH].id)
    return [(message.envelope.action.value, message.state) for message in found]


def codes() -> list[str]:
    return [one.code for one in incidents.open_incidents()]


def test_what_never_left_is_taken_back_without_a_message(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = until_signed(one)
    monkeypatch.setattr(deliver, "drain_outbox", idle)
    one.do("hb.vanthu", code, "number_letter")
    monkeypatch.undo()
    message = message_of(one, code)
    assert supersede.recall(one.node, message, reason="nhầm", by="x") is None
    one.drain()
    assert state_of(message) is MessageState.WITHDRAWN
    assert BINH_DINH not in one.sides(code)


def test_letter_that_work_has_begun_on_is_recalled_by_an_incident(one: OneNode) -> None:
    code = one.send_letter()
    message = message_of(one, code)
    recall = supersede.recall(one.node, message, reason="Văn bản gửi nhầm", by="hb.vanthu")
    one.drain()
    assert recall is not None
    assert state_of(recall) is MessageState.SENT
    assert codes() == ["message_recalled"]
    # Nothing is undone by a machine: the task is still open.
    assert "register_letter" in one.open_tasks(code)
    assert ("recall", MessageState.CORRELATED) in received(one, code)
    with pytest.raises(LienThongError) as caught:
        supersede.recall(one.node, message, reason="again", by="x")
    assert caught.value.code == "nothing_to_resend"


@pytest.mark.parametrize("action", [Action.REPLACE, Action.UPDATE])
def test_new_documents_are_filed_and_a_person_is_told(one: OneNode, action: Action) -> None:
    code = one.send_letter()
    new = supersede.amend(one.node, message_of(one, code), action=action, by="hb.vanthu")
    one.drain()
    assert state_of(new) is MessageState.SENT
    assert codes() == [f"message_{'replaced' if action is Action.REPLACE else 'updated'}"]
    assert set(received(one, code)) == {
        ("new", MessageState.CORRELATED),
        (action.value, MessageState.CORRELATED),
    }


@pytest.mark.parametrize("name", ["recalled", "replaced", "updated"])
def test_the_scenario_goes_on_a_node_as_it_goes_in_memory(one: OneNode, name: str) -> None:
    procedure = shipped("p8_official_letter")
    scenario = parse_scenario(procedure.scenarios[name], procedure=procedure)
    code = one.start_letter()
    for step in scenario.steps[1:]:
        match step.verb:
            case Verb.COMPLETE:
                values = {key: str(value) for key, value in step.values.items()}
                one.do(WORKERS[step.subject], code, step.subject, values)
            case Verb.EXPECT:
                assert step.expected.get("told") in (None, {"receiver": codes()})
                assert set(one.open_tasks(code)) == set(listed(step.expected["open"]))
            case _ if step.refused:
                with pytest.raises((LienThongError, StopIteration)):
                    send_instead(one, code, step.verb)
            case _:
                send_instead(one, code, step.verb)


def listed(value: Json) -> list[str]:
    assert isinstance(value, list)
    return [str(one) for one in value]


def send_instead(one: OneNode, code: str, verb: Verb) -> None:
    message = message_of(one, code)
    if verb is Verb.RECALL:
        supersede.recall(one.node, message, reason="Văn bản gửi nhầm", by="hb.vanthu")
    else:
        supersede.amend(one.node, message, action=Action(verb.value), by="hb.vanthu")
    one.drain()


def test_recall_that_overtakes_its_message_still_takes_it_back(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = until_signed(one)
    monkeypatch.setattr(correlate, "drain_inbox", idle)
    one.do("hb.vanthu", code, "number_letter")
    supersede.recall(one.node, message_of(one, code), reason="nhầm", by="hb.vanthu")
    deliver.drain_outbox(one.node, budget=BUDGET)
    monkeypatch.undo()
    # Both are there; the recall is looked at first.
    arrived = inbox.list_incoming([BINH_DINH])
    recall = next(m for m in arrived if m.envelope.action is Action.RECALL)
    letter = next(m for m in arrived if m.envelope.action is Action.NEW)
    inbox.buffer(letter.id, dossier=None)
    one.drain()
    assert [inbox.get(m.id).state for m in (letter, recall)] == [MessageState.WITHDRAWN] * 2
    assert BINH_DINH not in one.sides(code)


def test_message_after_its_recall_is_not_handed_over(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = until_signed(one)
    monkeypatch.setattr(correlate, "drain_inbox", idle)
    one.do("hb.vanthu", code, "number_letter")
    supersede.recall(one.node, message_of(one, code), reason="nhầm", by="hb.vanthu")
    deliver.drain_outbox(one.node, budget=BUDGET)
    monkeypatch.undo()
    arrived = inbox.list_incoming([BINH_DINH])
    recall = next(m for m in arrived if m.envelope.action is Action.RECALL)
    letter = next(m for m in arrived if m.envelope.action is Action.NEW)
    # The recall was kept when the letter was not there yet.
    inbox.buffer(recall.id, dossier=None)
    one.drain()
    assert [inbox.get(m.id).state for m in (letter, recall)] == [MessageState.WITHDRAWN] * 2


def test_parked_message_is_redirected_and_the_dossier_waits_for_the_other_agency(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(one.node, "sending", lambda _partner: Away())
        code = one.send_letter()
        for _ in range(one.node.settings.delivery_attempts + 2):
            one.later(timedelta(hours=1))
    message = message_of(one, code)
    assert state_of(message) is MessageState.PARKED
    with pytest.raises(LienThongError) as caught:
        supersede.redirect(one.node, message, to="000.00.00.H99", by="x")
    assert caught.value.code == "partner_unknown"
    new = supersede.redirect(one.node, message, to=COMMUNE, by="hb.vanthu")
    sent = outbox.get(new)
    assert (sent.message.partner, sent.supersedes) == (
        COMMUNE,
        outbox.get(message).message.message_id,
    )
    held = dossiers.get(one.sides(code)[HOA_BINH].id)
    assert held.bindings["receiver"] == COMMUNE
    waits = subscriptions.of_dossier(held.id)
    assert {one_.from_agency for one_ in waits if one_.name == "reply"} == {COMMUNE}
    assert incidents.count_open() == 0


def test_commands_supersede_and_refuse(here: OneNode, capsys: pytest.CaptureFixture[str]) -> None:
    code = here.send_letter()
    message = str(message_of(here, code))
    assert run(["message", "reissue", message]) == 1
    assert "[nothing_to_resend]" in capsys.readouterr().err
    assert run(["message", "update", message]) == 0
    following = UUID(capsys.readouterr().out.strip())
    assert outbox.get(following).supersedes is not None
    assert run(["message", "recall", message, "--reason", "nhầm"]) == 1
    assert run(["message", "redirect", message, "--to", COMMUNE]) == 1
    assert run(["message", "replace", message]) == 1
