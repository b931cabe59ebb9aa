"""Rules of silence in a play: what was sent is delivered at once, unless the scenario loses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dossier.calendar import Calendar
from dossier.silence import Asked, Judgement, Policy, judge_silence, silence_rule
from workflows.commands import OpenSubscription, RaiseIncident, SubscriptionKind
from workflows.expressions import Value
from workflows.rows import Hush, Run, span_end

_UNPROVEN: Final = "silence_unproven"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A message that left a pool."""

    at: datetime
    message_type: str
    from_role: str
    to_role: str
    documents: tuple[str, ...]
    values: Mapping[str, Value]
    action: str = ""  # what it does to an earlier message: recall, replace, update
    is_to_successor: bool = False  # its addressee was merged into another agency before it left


class Quiet:
    """What the rules of silence of one play have come to; mutable."""

    def __init__(self, sent: Sequence[Sent], *, calendar: Calendar) -> None:
        self.lost: set[str] = set()  # message types that leave without a receipt
        self.silent: list[str] = []  # elements whose agency was silent, in order
        self.late: list[Sent] = []  # what came when its agency's silence had its effect
        self._sent = sent
        self._calendar = calendar
        self._unproven: list[Sent] = []
        self._over: set[tuple[str, str | None, str | None]] = set()

    def note(self, message: Sent, *, is_refused: bool) -> None:
        """Remember a message that no receipt will ever prove."""
        if is_refused or message.message_type in self.lost:
            self._unproven.append(message)

    def judge(self, run: Run, ref: str, *, at: datetime) -> Mapping[str, Value] | None:
        """Return what the timer's fact carries, None when it does not fire (yet)."""
        hush = run.silences.get(ref)
        if hush is None:
            return {}
        waits = self._waits(run, hush)
        if not waits:
            return {}
        rule = hush.command.silence
        if rule is None:
            return {}
        judgement = judge_silence(
            silence_rule(Policy(rule.policy), citation=rule.citation or ""),
            asked=[
                Asked(wait=one.subscription_id, delivered=self._delivered(run, hush, one))
                for one in waits
            ],
            deadline=lambda delivered: self._deadline(hush, delivered),
            at=at,
        )
        return self._effect(run, hush, waits, judgement)

    def is_late(self, run: Run, message: Sent) -> bool:
        """Tell whether a message nobody waits for is an opinion that came too late."""
        return (run.role, message.message_type, message.from_role) in self._over

    def _waits(self, run: Run, hush: Hush) -> list[OpenSubscription]:
        own = hush.command
        return [
            one
            for one in run.waits.values()
            if one.kind is SubscriptionKind.MESSAGE
            and one.element_id in own.awaits
            and (own.element_id not in own.awaits or one.subscription_id == own.subscription_id)
        ]

    def _delivered(self, run: Run, hush: Hush, wait: OpenSubscription) -> datetime | None:
        question = hush.command.silence.question if hush.command.silence else None
        asked = [
            one
            for one in self._sent
            if (one.from_role, one.to_role) == (run.role, wait.from_role)
            and one.at <= run.opened[wait.subscription_id]
            and question in (None, one.message_type)
        ]
        if not asked or any(asked[-1] is one for one in self._unproven):
            return None
        return asked[-1].at

    def _deadline(self, hush: Hush, delivered: datetime) -> datetime:
        if hush.command.due_text is None:
            return hush.due
        return span_end(hush.command.due_text, at=delivered, calendar=self._calendar)

    def _effect(
        self, run: Run, hush: Hush, waits: Sequence[OpenSubscription], judgement: Judgement
    ) -> Mapping[str, Value] | None:
        own, rule = hush.command, hush.command.silence
        run.incidents.pop(_UNPROVEN + own.subscription_id, None)
        if judgement.look_again is not None:
            run.timers[own.subscription_id] = judgement.look_again
        else:
            run.timers.pop(own.subscription_id, None)
        if judgement.unproven:
            run.incidents[_UNPROVEN + own.subscription_id] = RaiseIncident(
                token_id=own.subscription_id,
                element_id=own.element_id,
                name=own.name,
                code=_UNPROVEN,
                parameters={},
            )
        if not judgement.fallen or rule is None:
            return None
        self.silent += [one.element_id for one in waits]
        self._over |= {(run.role, one.message_type, one.from_role) for one in waits}
        if Policy(rule.policy) is Policy.ESCALATE:
            return None if own.element_id in own.awaits else {}
        return {rule.result: judgement.fallen[0][1].outcome.value} if rule.result else {}
