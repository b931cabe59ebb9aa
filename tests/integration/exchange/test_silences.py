"""Silence at run time: proof of delivery first, the effect on the record, late opinions kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.model import HistoryEntry, MessageState
from dossier.rulepack import DECLARATION, shipped_rule_packs
from exchange import advance, deliver, proposals, timers
from exchange.publish import publish
from storage import cases, documents, history, inbox, incidents, silences
from tests.builders.exchange import BUDGET, OneNode
from tests.builders.procedures import folder

COMMUNE = "000.31.01.H08"
WAIT = '<lt:message type="tax-code" />'
ON_THE_TIMER = '<lt:silence policy="escalate" />'
CONSENT = '<lt:silence policy="consent" citation="Luật A, Điều 1" unconfirmed="true"{more} />'


def publish_variant(one: OneNode, *, wait: str = "", timer: str = ON_THE_TIMER) -> None:
    """Publish P6 with another rule on the wait, or on the timer beside it."""
    files = dict(folder("p6_household_business"))
    model = files["process.bpmn"].decode()
    before, mark, after = model.partition('id="wait_tax_code"')
    assert WAIT in after
    assert ON_THE_TIMER in after
    after = after.replace(WAIT, WAIT + wait, 1).replace(ON_THE_TIMER, timer, 1)
    declared = files["procedure.toml"].decode()
    files["process.bpmn"] = (before + mark + after).encode()
    files["procedure.toml"] = (
        declared.replace('version = "1"', 'version = "2"')
        .replace("effective = 2022-01-01", "effective = 2022-01-02")
        .replace('value = "PT20S"', 'value = "1wd"' if wait else 'value = "PT20S"')
        .encode()
    )
    publish(files, at=one.node.now(), proposed_by="an", confirmed_by="binh")


def entries(one: OneNode, code: str, kind: str) -> list[HistoryEntry]:
    """Return the commune's history entries of a kind."""
    found = history.of_dossier(one.sides(code)[COMMUNE].id)
    return [entry for entry in found if entry.kind == kind]


def value(one: OneNode, code: str, name: str) -> Json:
    """Return a case value of the commune."""
    return cases.values(one.sides(code)[COMMUNE].id).get(name)


def test_consent_falls_after_proof_and_names_rule_receipt_and_deadline(one: OneNode) -> None:
    publish_variant(one, timer=CONSENT.format(more=' result="tax_by_silence"'))
    code = one.start_business()
    one.later(timedelta(seconds=30))
    assert "enter_tax_code" in one.open_tasks(code)
    assert value(one, code, "tax_by_silence") == "deemed_consent"
    fell = entries(one, code, "silence_fell")[0]
    sent = entries(one, code, "message_sent")[0]
    parameters = fell.parameters
    assert (parameters["citation"], parameters["confirmed"]) == ("Luật A, Điều 1", False)
    assert parameters["receipt"] == sent.parameters["receipt"]
    waited = datetime.fromisoformat(str(parameters["deadline"])) - datetime.fromisoformat(
        str(parameters["delivered"])
    )
    assert waited == timedelta(seconds=20)
    assert (fell.actor, fell.element_id) == ("system", "tax_silent")


def test_a_rule_on_the_wait_ends_it_with_its_result(one: OneNode) -> None:
    publish_variant(
        one,
        wait=CONSENT.format(more=' after="PT10S" result="tax_code" question="tax-registration"'),
    )
    code = one.start_business()
    one.later(timedelta(seconds=11))
    assert value(one, code, "tax_code") == "deemed_consent"
    assert "check_certificate" in one.open_tasks(code)
    assert len(entries(one, code, "silence_fell")) == 1


def test_escalation_on_the_wait_is_recorded_once_and_the_wait_goes_on(one: OneNode) -> None:
    publish_variant(one, wait='<lt:silence policy="escalate" after="PT10S" />')
    code = one.start_business()
    one.later(timedelta(seconds=11))
    one.later(timedelta(hours=1))
    assert [entry.parameters["outcome"] for entry in entries(one, code, "silence_fell")] == [
        "escalated"
    ]
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101234567"})
    assert value(one, code, "tax_code") == "4101234567"


def work_without_delivery(one: OneNode) -> None:
    """Work off everything but what leaves."""
    while timers.fire_due(one.node).done + advance.drain_transitions(one.node, budget=BUDGET).done:
        pass


def test_without_a_receipt_no_rule_falls_until_there_is_one(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_variant(one, timer=CONSENT.format(more=""))
    with monkeypatch.context() as lost:
        lost.setattr(deliver, "deliver", lambda node, outgoing, **_: None)
        code = one.start_business()
        one.clock.forward(timedelta(seconds=30))
        work_without_delivery(one)
    side = one.sides(code)[COMMUNE]
    assert "enter_tax_code" not in one.open_tasks(code)
    stuck = [found for found in incidents.of_dossier(side.id) if found.resolved is None]
    assert [(found.code, found.parameters["reason"]) for found in stuck] == [
        ("silence_unproven", "no_delivery")
    ]
    one.later(timedelta(hours=2))  # delivered at last: the time runs from the receipt
    assert "enter_tax_code" not in one.open_tasks(code)
    one.later(timedelta(hours=1))
    assert "enter_tax_code" in one.open_tasks(code)
    assert [found for found in incidents.of_dossier(side.id) if found.resolved is None] == []


def test_a_late_opinion_is_filed_and_never_handed_over(one: OneNode) -> None:
    publish_variant(one, timer=CONSENT.format(more=""))
    code = one.start_business()
    one.later(timedelta(seconds=30))
    one.do("thue.canbo", code, "assign_tax_code", {"tax_code": "4101234567"})
    side = one.sides(code)[COMMUNE]
    late = entries(one, code, "opinion_late")
    assert [entry.parameters["type"] for entry in late] == ["tax-code"]
    assert value(one, code, "tax_code") is None
    kept = silences.of_dossier(side.id)[0].late
    assert isinstance(kept, list)
    assert isinstance(kept[0], Mapping)
    assert kept[0]["values"] == {"tax_code": "4101234567"}
    message = inbox.of_dossier(side.id)[0]
    assert message.state is MessageState.CORRELATED
    assert documents.of_dossier(side.id)


def test_the_rule_of_the_pack_stands_before_that_of_the_model(one: OneNode) -> None:
    before = one.start_business()
    pack = dict(shipped_rule_packs()["2025.1"])
    declared = pack[DECLARATION].decode().replace('version = "2025.1"', 'version = "2026.8"', 1)
    today = local_day(one.node.now()).isoformat()
    rule = """
[[silence]]
procedure = "household-business"
element = "tax_silent"
policy = "consent"
citation = "Nghị định B, Điều 2"
after = "PT40S"
"""
    pack[DECLARATION] = (
        declared.replace("effective = 2025-07-01", f"effective = {today}") + rule
    ).encode()
    proposer, confirmer = one.actor("bd.quantri1"), one.actor("bd.quantri2")
    proposal = proposals.propose(proposer, pack, at=one.node.now())
    proposals.confirm(confirmer, proposal.id, at=one.node.now())
    after = one.start_business()
    one.later(timedelta(seconds=30))
    # The dossier that runs keeps the model's rule and time; the new one still waits.
    assert entries(one, before, "silence_fell")[0].parameters["policy"] == "escalate"
    assert entries(one, after, "silence_fell") == []
    one.later(timedelta(seconds=15))
    fell = entries(one, after, "silence_fell")[0].parameters
    assert (fell["policy"], fell["citation"]) == ("consent", "Nghị định B, Điều 2")
