"""Silence: no deemed answer without citation and delivery, and reminders in office time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dossier.calendar import load_calendar
from dossier.rule_errors import SilenceRefused
from dossier.silence import (
    LOOK_AGAIN,
    Asked,
    OpinionTiming,
    Outcome,
    Policy,
    SilenceRule,
    decide_silence,
    judge_silence,
    opinion_timing,
    reminders,
    silence_rule,
)
from tests.builders.clock import local, shown

ASKED = local("2026-03-02 09:00")
DEADLINE = local("2026-03-09 17:30")
AFTER = local("2026-03-10 07:30")
LAW = "Luật Xây dựng, Điều 102"


@pytest.mark.parametrize("policy", [Policy.CONSENT, Policy.REFUSE])
def test_a_deemed_answer_needs_a_citation(policy: Policy) -> None:
    with pytest.raises(SilenceRefused) as caught:
        silence_rule(policy, citation=" ")
    assert caught.value.parameters["reason"] == "no_citation"


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (silence_rule(Policy.ESCALATE), Outcome.ESCALATED),
        (silence_rule(Policy.CONSENT, citation=LAW), Outcome.DEEMED_CONSENT),
        (silence_rule(Policy.REFUSE, citation=LAW), Outcome.DEEMED_REFUSAL),
    ],
)
def test_the_decision_carries_policy_citation_and_proof(
    rule: SilenceRule, outcome: Outcome
) -> None:
    decision = decide_silence(rule, delivered=ASKED, deadline=DEADLINE, at=AFTER)
    assert decision.outcome is outcome
    assert (decision.citation, decision.asked_at) == (rule.citation, ASKED)


@pytest.mark.parametrize("policy", list(Policy))
def test_no_rule_fires_without_delivery(policy: Policy) -> None:
    with pytest.raises(SilenceRefused) as caught:
        decide_silence(
            silence_rule(policy, citation=LAW), delivered=None, deadline=DEADLINE, at=AFTER
        )
    assert caught.value.parameters["reason"] == "no_delivery"


def test_no_rule_fires_when_delivery_came_after_the_deadline() -> None:
    with pytest.raises(SilenceRefused) as caught:
        decide_silence(
            silence_rule(Policy.CONSENT, citation=LAW), delivered=AFTER, deadline=DEADLINE, at=AFTER
        )
    assert caught.value.parameters["reason"] == "late_delivery"


def test_no_rule_fires_before_the_deadline() -> None:
    with pytest.raises(SilenceRefused) as caught:
        decide_silence(silence_rule(Policy.ESCALATE), delivered=ASKED, deadline=DEADLINE, at=ASKED)
    assert caught.value.parameters["reason"] == "too_early"


def test_an_opinion_at_the_deadline_is_in_time() -> None:
    assert opinion_timing(DEADLINE, deadline=DEADLINE) is OpinionTiming.IN_TIME
    assert opinion_timing(AFTER, deadline=DEADLINE) is OpinionTiming.LATE


def test_reminders_come_at_50_80_and_100_percent_of_office_time() -> None:
    deadline = local("2026-03-06 17:30")
    found = reminders(local("2026-03-02 07:30"), deadline=deadline, calendar=load_calendar())
    assert [(one.percent, shown(one.at)) for one in found] == [
        (50, "2026-03-04 11:30"),
        (80, "2026-03-05 17:30"),
        (100, "2026-03-06 17:30"),
    ]


def test_a_consultation_without_office_time_reminds_at_its_end() -> None:
    end = local("2026-03-07 12:00")
    found = reminders(local("2026-03-07 11:00"), deadline=end, calendar=load_calendar())
    assert {one.at for one in found} == {end}


def test_a_rule_for_several_falls_when_the_last_of_them_had_its_time() -> None:
    rule = silence_rule(Policy.CONSENT, citation=LAW)
    asked = [
        Asked(wait="a", delivered=ASKED),
        Asked(wait="b", delivered=ASKED + timedelta(days=1)),
    ]
    early = judge_silence(
        rule,
        asked=asked,
        deadline=lambda one: one + timedelta(days=5),
        at=ASKED + timedelta(days=5),
    )
    assert (early.fallen, early.look_again) == ((), ASKED + timedelta(days=6))
    full = judge_silence(
        rule,
        asked=asked,
        deadline=lambda one: one + timedelta(days=5),
        at=ASKED + timedelta(days=6),
    )
    assert [wait for wait, _ in full.fallen] == ["a", "b"]
    assert full.fallen[1][1].asked_at == ASKED + timedelta(days=1)


def test_one_missing_proof_holds_the_rule_for_all() -> None:
    asked = [Asked(wait="a", delivered=ASKED), Asked(wait="b", delivered=None)]
    found = judge_silence(
        silence_rule(Policy.ESCALATE), asked=asked, deadline=lambda one: one, at=AFTER
    )
    assert found.fallen == ()
    assert found.unproven == (("b", "no_delivery"),)
    assert found.look_again == AFTER + LOOK_AGAIN


def test_delivery_after_a_fixed_deadline_is_never_silence() -> None:
    found = judge_silence(
        silence_rule(Policy.ESCALATE),
        asked=[Asked(wait="a", delivered=DEADLINE)],
        deadline=lambda one: DEADLINE,
        at=AFTER,
    )
    assert (found.unproven, found.look_again) == ((("a", "late_delivery"),), None)
