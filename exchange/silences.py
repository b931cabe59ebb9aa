"""Silence of a consulted agency: a rule falls only on proof of delivery, and always on the record.

Its timer comes due first when the agency's time could be over at the earliest; then the receipt
says when it really is. What it comes to is a fact of the instance, an entry of the history with its
citation and the receipt, and a notice to the leaders (domain.md §10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.calendar import Calendar
from dossier.canonical import Json
from dossier.ids import same_agency
from dossier.model import Dossier
from dossier.silence import (
    Asked,
    Judgement,
    Policy,
    SilenceDecision,
    SilenceRule,
    judge_silence,
    silence_rule,
)
from exchange import chronicle, reminders
from exchange.chronicle import Event
from exchange.deadlines import span_end
from exchange.node import Node
from signing.log.leaf import LeafKind
from storage import dossiers, incidents, silences, subscriptions, timers
from storage.inbox import InboxMessage
from storage.silences import Question, Silence
from storage.subscriptions import Subscription, WaitKind
from workflows.commands import OpenSubscription

_UNPROVEN: Final = "silence_unproven"
_TOLD: Final = ("agency", "outcome", "citation", "deadline")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Silent:
    """One agency that has not answered, with what asked it."""

    waiting: Subscription
    question: Question | None


def under_pack(node: Node, command: OpenSubscription, dossier: Dossier) -> OpenSubscription:
    """Return a wait with what the dossier's rule pack says about silence at its element."""
    if command.silence is None:
        return command
    pack = node.rules().get(dossier.rule_pack)
    found = pack.silence_of(dossier.procedure, command.element_id)
    if found is None:
        return command
    said = replace(
        command.silence,
        policy=found.rule.policy.value,
        citation=found.rule.citation or None,
        confirmed=found.confirmed,
    )
    return replace(command, silence=said, due_text=found.after or command.due_text)


def rule_of(
    command: OpenSubscription,
    dossier: Dossier,
    *,
    calendar: Calendar,
    due: datetime,
    instance: UUID,
    at: datetime,
) -> list[Silence]:
    """Return the rule of a wait as its row, none where the model has none."""
    rule = command.silence
    if rule is None:
        return []
    return [
        Silence(
            ref=command.subscription_id,
            instance=instance,
            dossier=dossier.id,
            element_id=command.element_id,
            policy=rule.policy,
            citation=rule.citation or "",
            confirmed=rule.confirmed,
            result=rule.result or "",
            question=rule.question or "",
            awaits=command.awaits,
            span=command.due_text or "",
            opened=at,
            due=due,
            remind_at=reminders.first_reminder(at, due=due, calendar=calendar),
        )
    ]


def judge(node: Node, rule: Silence, *, at: datetime) -> Json:
    """Let a rule fall whose timer came due; return the payload of its fact, None for no fact yet.

    In the caller's transaction. Not yet over, the timer is put back; without proof of delivery an
    incident is open until the proof is there.
    """
    silent = _silent(rule)
    if not silent:
        return {}  # everybody has answered, or nobody was asked: it is a timer like any other
    pack = dossiers.get(rule.dossier).rule_pack
    judgement = judge_silence(
        _typed(rule),
        asked=[_asked(one) for one in silent],
        deadline=lambda delivered: (
            span_end(node, rule.span, pack=pack, at=delivered) if rule.span else rule.due
        ),
        at=at,
    )
    if not judgement.unproven:
        incidents.resolve_ref(rule.instance, _incident_ref(rule), by="system", at=at)
    if judgement.fallen:
        return _fall(rule, silent, judgement, at=at)
    _wait(rule, silent, judgement, at=at)
    return None


def _silent(rule: Silence) -> list[_Silent]:
    waiting = [
        one
        for one in subscriptions.of_instance(rule.instance)
        if one.kind is WaitKind.MESSAGE and _is_meant(rule, one)
    ]
    return [
        _Silent(
            waiting=one,
            question=silences.question(
                rule.dossier,
                rule.instance,
                partner=one.from_agency,
                message_type=rule.question,
                before=one.opened,
            ),
        )
        for one in waiting
    ]


def _is_meant(rule: Silence, waiting: Subscription) -> bool:
    if rule.element_id in rule.awaits:  # the rule stands on the wait itself
        return waiting.ref == rule.ref
    return waiting.element_id in rule.awaits


def _asked(one: _Silent) -> Asked:
    return Asked(wait=one.waiting.ref, delivered=one.question.delivered if one.question else None)


def _typed(rule: Silence) -> SilenceRule:
    return silence_rule(Policy(rule.policy), citation=rule.citation, confirmed=rule.confirmed)


def _wait(rule: Silence, silent: Sequence[_Silent], judgement: Judgement, *, at: datetime) -> None:
    if judgement.look_again is not None:
        timers.put_back(rule.ref, due=judgement.look_again)
    if not judgement.unproven:
        silences.move(rule.ref, due=judgement.look_again or rule.due)
    reasons = dict(judgement.unproven)
    for one in silent:
        if one.waiting.ref in reasons:
            incidents.open_incident(
                incidents.NewIncident(
                    code=_UNPROVEN,
                    parameters={
                        "agency": one.waiting.from_agency,
                        "type": one.waiting.name,
                        "reason": reasons[one.waiting.ref],
                    },
                    opened=at,
                    dossier=rule.dossier,
                    instance=rule.instance,
                    element_id=rule.element_id,
                    ref=_incident_ref(rule),
                )
            )


def _incident_ref(rule: Silence) -> str:
    return f"silence:{rule.ref}"


def _fall(rule: Silence, silent: Sequence[_Silent], judgement: Judgement, *, at: datetime) -> Json:
    decisions = dict(judgement.fallen)
    outcomes = [
        _outcome(rule, one, decisions[one.waiting.ref], at=at)
        for one in silent
        if one.question is not None
    ]
    silences.decide(rule.ref, at=at, outcomes=outcomes)
    chronicle.write(
        [
            Event(
                dossier=rule.dossier,
                at=at,
                kind="silence_fell",
                instance=rule.instance,
                element_id=rule.element_id,
                parameters=outcome,
            )
            for outcome in outcomes
        ]
    )
    _tell_leaders(rule, outcomes, at=at)
    if rule.policy == Policy.ESCALATE:
        return None if rule.element_id in rule.awaits else {}
    word = str(outcomes[0]["outcome"])
    return {"values": {rule.result: word}} if rule.result else {}


def _tell_leaders(rule: Silence, outcomes: Sequence[Mapping[str, Json]], *, at: datetime) -> None:
    """Tell the leaders of the asking agency, and of a silent one that has people here."""
    dossier = dossiers.get(rule.dossier)
    told = reminders.leaders_of(dossier, unit="", at=at)
    for outcome in outcomes:
        asked = dossiers.find_conversation(str(outcome["agency"]), dossier.conversation_id)
        there = reminders.leaders_of(asked, unit="", at=at) if asked else set()
        shown: dict[str, Json] = {name: outcome[name] for name in _TOLD}
        for people, held in ((told, dossier), (there, asked)):
            if held is not None:
                reminders.tell(
                    people,
                    dossier=held,
                    kind="silence_fell",
                    once=f"{rule.ref}:{outcome['agency']}",
                    at=at,
                    element=rule.element_id if held is dossier else "",
                    parameters=shown,
                )


def _outcome(
    rule: Silence, one: _Silent, decision: SilenceDecision, *, at: datetime
) -> dict[str, Json]:
    question = one.question
    return {
        "agency": one.waiting.from_agency,
        "type": one.waiting.name,
        "element": one.waiting.element_id,
        "policy": rule.policy,
        "outcome": decision.outcome.value,
        "citation": decision.citation,
        "confirmed": rule.confirmed,
        "question": question.message_id if question else "",
        "receipt": question.receipt_sha256 if question else "",
        "delivered": decision.asked_at.isoformat(),
        "deadline": decision.deadline.isoformat(),
        "decided": at.isoformat(),
    }


# --- Late opinions ------------------------------------------------------------------------------


def fallen_for(message: InboxMessage, dossier: Dossier) -> Silence | None:
    """Return the rule that fell while this message was still awaited, if there is one."""
    envelope = message.envelope
    for rule in silences.fallen(dossier.id):
        for outcome in _listed(rule.outcomes):
            if outcome.get("type") == envelope.message_type and same_agency(
                str(outcome.get("agency")), envelope.from_agency
            ):
                return rule
    return None


def keep_late(rule: Silence, message: InboxMessage, *, values: Json, at: datetime) -> Event:
    """File an opinion that came too late beside the rule that fell; return its history entry."""
    envelope = message.envelope
    entry: dict[str, Json] = {
        "agency": envelope.from_agency,
        "type": envelope.message_type,
        "message": str(message.id),
        "received": message.received.isoformat(),
        "values": values,
    }
    silences.keep_late(rule.ref, [*_listed(rule.late), entry])
    return Event(
        dossier=rule.dossier,
        at=at,
        kind="opinion_late",
        leaf=LeafKind.MESSAGE,
        instance=rule.instance,
        element_id=rule.element_id,
        actor=envelope.from_agency,
        parameters={
            "message_id": envelope.message_id,
            "container": message.container_sha256,
            "receipt": message.receipt_sha256,
            "type": envelope.message_type,
        },
    )


def _listed(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
