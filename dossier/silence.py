"""What the silence of a consulted agency means: typed, cited, and never without delivery proof.

The default is to escalate and wait; a silent partner does not agree by itself (domain.md §10).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from dossier.calendar import Calendar
from dossier.clock import add_working, working_between
from dossier.rule_errors import SilenceRefused

# How long a rule whose time is over waits before it looks for a proof of delivery again.
LOOK_AGAIN: Final = timedelta(hours=1)
_REMINDERS: Final = (50, 80, 100)  # percent of the consultation time


class Policy(StrEnum):
    """What happens when the deadline passes without an answer; the values of `lt:silence`."""

    ESCALATE = "escalate"  # leaders of both sides are told, the clock keeps running
    CONSENT = "consent"  # recorded as deemed agreed; the agency stays responsible
    REFUSE = "refuse"  # recorded as deemed refused


class Outcome(StrEnum):
    """What a fired silence rule writes into the file."""

    ESCALATED = "escalated"
    DEEMED_CONSENT = "deemed_consent"
    DEEMED_REFUSAL = "deemed_refusal"


class OpinionTiming(StrEnum):
    """When an opinion came; a late one is filed and shown, with no retroactive effect."""

    IN_TIME = "in_time"
    LATE = "late"


@dataclass(frozen=True, kw_only=True, slots=True)
class SilenceRule:
    """The rule of one consultation; built by `silence_rule` only."""

    policy: Policy
    citation: str  # empty for `escalate` only
    confirmed: bool = True  # False: nobody has compared the citation


@dataclass(frozen=True, kw_only=True, slots=True)
class SilenceDecision:
    """A fired rule with everything that the file must show."""

    outcome: Outcome
    citation: str
    asked_at: datetime  # receive time of the signed receipt: the proof of delivery
    deadline: datetime
    decided_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One agency that has not answered, and the proof that it was asked."""

    wait: str  # the caller's name for the wait
    delivered: datetime | None  # receive time of its verified receipt


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a rule whose time may be over comes to: it falls for all, or for nobody yet."""

    fallen: tuple[tuple[str, SilenceDecision], ...] = ()  # by wait
    unproven: tuple[tuple[str, str], ...] = ()  # wait and reason
    look_again: datetime | None = None  # when the rule has to be judged again


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder:
    """A reminder at a share of the consultation time."""

    percent: int
    at: datetime  # UTC


def silence_rule(policy: Policy, *, citation: str = "", confirmed: bool = True) -> SilenceRule:
    """Return a rule; raise `SilenceRefused` when a deemed answer lacks its legal citation."""
    if policy is not Policy.ESCALATE and not citation.strip():
        raise SilenceRefused(
            f"expected a legal citation for {policy}, got none", reason="no_citation"
        )
    return SilenceRule(policy=policy, citation=citation.strip(), confirmed=confirmed)


def judge_silence(
    rule: SilenceRule,
    *,
    asked: Sequence[Asked],
    deadline: Callable[[datetime], datetime],
    at: datetime,
) -> Judgement:
    """Return what silence of all these agencies means at the instant `at`.

    `deadline` tells from an instant of delivery until when the agency has time. Without proof for
    one of them the rule falls for nobody, and it is looked at again.
    """
    missing = tuple((one.wait, "no_delivery") for one in asked if one.delivered is None)
    if missing:
        return Judgement(unproven=missing, look_again=at + LOOK_AGAIN)
    limits = {one.wait: deadline(one.delivered) for one in asked if one.delivered is not None}
    latest = max(limits.values(), default=at)
    if latest > at:
        return Judgement(look_again=latest)
    fallen, unproven = [], []
    for one in asked:
        try:
            decision = decide_silence(
                rule, delivered=one.delivered, deadline=limits[one.wait], at=at
            )
            fallen.append((one.wait, decision))
        except SilenceRefused as exc:
            unproven.append((one.wait, str(exc.parameters["reason"])))
    if unproven:
        return Judgement(unproven=tuple(unproven))
    return Judgement(fallen=tuple(fallen))


def decide_silence(
    rule: SilenceRule, *, delivered: datetime | None, deadline: datetime, at: datetime
) -> SilenceDecision:
    """Return what silence means at the instant `at`.

    `delivered` is the receive time of the consulted agency's verified receipt. Raises
    `SilenceRefused` without it (reason `no_delivery`), for a delivery after the deadline
    (`late_delivery`), and before the deadline has passed (`too_early`).
    """
    if delivered is None:
        raise SilenceRefused("expected a receipt of delivery, got none", reason="no_delivery")
    if delivered >= deadline:
        raise SilenceRefused(
            "expected delivery before the deadline, got a later one", reason="late_delivery"
        )
    if at < deadline:
        raise SilenceRefused(f"expected an instant after {deadline}, got {at}", reason="too_early")
    return SilenceDecision(
        outcome=_outcome(rule.policy),
        citation=rule.citation,
        asked_at=delivered,
        deadline=deadline,
        decided_at=at,
    )


def opinion_timing(received: datetime, *, deadline: datetime) -> OpinionTiming:
    """Tell whether an opinion came in time; exactly at the deadline is in time."""
    return OpinionTiming.IN_TIME if received <= deadline else OpinionTiming.LATE


def reminders(asked: datetime, *, deadline: datetime, calendar: Calendar) -> tuple[Reminder, ...]:
    """Return when to remind: at 50, 80 and 100 % of the office time of the consultation."""
    total = working_between(asked, end=deadline, calendar=calendar)
    return tuple(
        Reminder(percent=percent, at=_share(asked, deadline, total * percent / 100, calendar))
        if percent < 100
        else Reminder(percent=percent, at=deadline.astimezone(UTC))
        for percent in _REMINDERS
    )


def _share(asked: datetime, deadline: datetime, amount: timedelta, calendar: Calendar) -> datetime:
    if not amount:
        return deadline.astimezone(UTC)
    return min(add_working(asked, amount=amount, calendar=calendar), deadline).astimezone(UTC)


def _outcome(policy: Policy) -> Outcome:
    match policy:
        case Policy.ESCALATE:
            return Outcome.ESCALATED
        case Policy.CONSENT:
            return Outcome.DEEMED_CONSENT
        case Policy.REFUSE:
            return Outcome.DEEMED_REFUSAL
