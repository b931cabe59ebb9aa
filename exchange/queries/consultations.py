"""Who was consulted, who has answered, what silence meant: the matrix of a dossier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dossier.canonical import Json
from dossier.consultation import Consultation, OpinionState
from dossier.ids import same_agency
from dossier.model import Direction, Dossier, Message, MessageState
from dossier.shown import ShownValue, shown
from storage import silences, subscriptions
from storage.silences import Silence
from workflows.procedure import Procedure


def consultations(
    dossier: Dossier,
    procedure: Procedure,
    messages: Sequence[Message],
    values: Mapping[str, Json],
) -> list[Consultation]:
    """Return one line for each agency of each consultation with a rule, oldest first."""
    rules = silences.of_dossier(dossier.id)
    if not rules:
        return []
    waiting = {(one.element_id, one.from_agency) for one in subscriptions.of_dossier(dossier.id)}
    definition = procedure.definition(dossier.role)
    found = []
    for rule in rules:
        for element in rule.awaits:
            flows = definition.answers(element)
            for flow in flows:
                agency = dossier.bindings.get(flow.source_role, "")
                line = _line(
                    rule,
                    element,
                    agency,
                    flow.message_type,
                    is_waiting=(element, agency) in waiting,
                    messages=messages,
                )
                line = replace(line, values=_said(line, rule, procedure, values))
                # A wait that several agencies may answer stands for the one that was asked.
                if agency and (len(flows) == 1 or _was_asked(line)):
                    found.append(line)
    return _one_each(found)


def _one_each(lines: Sequence[Consultation]) -> list[Consultation]:
    """Return one line an opinion: several rules may watch the same wait, the next one counts."""
    best: dict[tuple[str, str, str], Consultation] = {}
    for one in lines:
        key = (one.element_id, one.agency, one.message_type)
        known = best.get(key)
        if known is None or _weight(one) < _weight(known):
            best[key] = one
    return list(best.values())


def _weight(line: Consultation) -> tuple[bool, datetime]:
    return not line.outcome, line.deadline


def _was_asked(line: Consultation) -> bool:
    return bool(line.outcome or line.answered) or line.state is OpinionState.WAITING


def _line(
    rule: Silence,
    element: str,
    agency: str,
    message_type: str,
    *,
    is_waiting: bool,
    messages: Sequence[Message],
) -> Consultation:
    outcome = _entry(rule.outcomes, agency, message_type)
    late = _entry(rule.late, agency, message_type)
    answered = _arrived(messages, agency, message_type, after=rule.opened)
    if outcome is not None:
        state = OpinionState.LATE if late is not None else OpinionState.SILENT
    else:
        state = OpinionState.WAITING if is_waiting else OpinionState.ANSWERED
    return Consultation(
        element_id=element,
        agency=agency,
        message_type=message_type,
        state=state,
        policy=rule.policy,
        citation=rule.citation,
        confirmed=rule.confirmed,
        delivered=_delivered(messages, agency, before=rule.opened),
        deadline=_instant(outcome, "deadline") or rule.due,
        answered=answered,
        outcome=str(outcome["outcome"]) if outcome is not None else "",
    )


def _said(
    line: Consultation, rule: Silence, procedure: Procedure, values: Mapping[str, Json]
) -> tuple[ShownValue, ...]:
    """Return what the agency said; a late opinion never became a value of the case."""
    if line.state is OpinionState.LATE:
        late = _entry(rule.late, line.agency, line.message_type) or {}
        given = late.get("values")
        return shown(given if isinstance(given, Mapping) else {}, procedure.forms)
    if line.state is not OpinionState.ANSWERED:
        return ()
    carried = procedure.messages[line.message_type].values
    return shown({name: values[name] for name in carried if name in values}, procedure.forms)


def _entry(found: Json, agency: str, message_type: str) -> Mapping[str, Json] | None:
    for one in found if isinstance(found, Sequence) and not isinstance(found, str) else ():
        if not isinstance(one, Mapping) or one.get("type") != message_type:
            continue
        if same_agency(str(one.get("agency")), agency):
            return one
    return None


def _instant(entry: Mapping[str, Json] | None, name: str) -> datetime | None:
    return datetime.fromisoformat(str(entry[name])) if entry is not None else None


def _delivered(messages: Sequence[Message], agency: str, *, before: datetime) -> datetime | None:
    asked = [
        one
        for one in messages
        if one.direction is Direction.OUT
        and same_agency(one.partner, agency)
        and one.created <= before
        and one.state is MessageState.SENT
    ]
    return max(asked, key=lambda one: one.created).receipt_time if asked else None


def _arrived(
    messages: Sequence[Message], agency: str, message_type: str, *, after: datetime
) -> datetime | None:
    since = after.replace(microsecond=after.microsecond // 1000 * 1000)  # envelopes count so
    return min(
        (
            one.created
            for one in messages
            if one.direction is Direction.IN
            and same_agency(one.partner, agency)
            and one.message_type == message_type
            and one.created >= since
        ),
        default=None,
    )
