"""Decide: let the engine take the facts of one instance, in memory, without touching a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.canonical import Json
from dossier.errors import Conflict
from exchange.deciding import Decided, decide
from exchange.values import to_json, to_values
from storage.facts import Fact, FactKind
from storage.instances import Instance
from workflows import instance as engine
from workflows.commands import CallDecision
from workflows.errors import InstanceHalted
from workflows.expressions.values import Value
from workflows.facts import (
    Fact as EngineFact,
)
from workflows.facts import (
    MessageArrived,
    MessageStart,
    Retry,
    ServiceAnswered,
    ServiceFailed,
    SignalRaised,
    TaskCompleted,
    TimerFired,
)
from workflows.instance import Transition
from workflows.procedure import Procedure

MARK: Final = "#"
_MOST_DECISIONS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """One fact and what the engine made of it; nothing: the world had moved meanwhile."""

    fact: Fact
    # The fact's own transition first, then those of the decisions that it asked for.
    transitions: tuple[Transition, ...]
    decisions: tuple[Decided, ...] = ()


@dataclass(kw_only=True, slots=True)
class Stepped:
    """Mutable while it steps: one instance after all its facts, ready to be recorded."""

    instance: Instance
    procedure: Procedure
    taken: list[Taken] = field(default_factory=list)
    snapshot: bytes = b""
    values: dict[str, Json] = field(default_factory=dict)  # of the dossier, after all facts
    writes: dict[str, Json] = field(default_factory=dict)  # those of them that changed
    is_finished: bool = False
    is_halted: bool = False  # an error that nothing catches: facts wait until it is repaired


def step(
    instance: Instance,
    *,
    procedure: Procedure,
    facts: Sequence[Fact],
    values: Mapping[str, Json],
    at: datetime,
) -> Stepped:
    """Return the instance after its facts, in their order.

    Raises the engine's own errors when a snapshot cannot be read; an error inside the model is an
    incident of one token, never an exception.
    """
    stepped = Stepped(
        instance=instance, procedure=procedure, snapshot=instance.snapshot, values=dict(values)
    )
    current: dict[str, Value] = to_values(values)
    waiting = _take_all(stepped, facts, values=current, at=at)
    if waiting and not stepped.is_halted:  # a repair came after them
        waiting = _take_all(stepped, waiting, values=current, at=at)
    stepped.is_halted = stepped.is_halted or bool(waiting)
    return stepped


def _take_all(
    stepped: Stepped, facts: Sequence[Fact], *, values: dict[str, Value], at: datetime
) -> list[Fact]:
    """Take facts in their order; return those that a halted instance cannot take yet."""
    waiting = []
    for fact in facts:
        try:
            transition = _take(stepped, fact, values=values, at=at)
        except InstanceHalted:
            waiting.append(fact)
            continue
        if transition is None:
            stepped.taken.append(Taken(fact=fact, transitions=()))
            continue
        _move(stepped, transition, values)
        stepped.taken.append(_decide_all(stepped, fact, transition, values=values, at=at))
    return waiting


def interfere(
    instance: Instance,
    *,
    procedure: Procedure,
    fact: EngineFact,
    by: Fact,
    values: Mapping[str, Json],
    at: datetime,
) -> Stepped:
    """Return the instance after one fact that a person ordered; `by` stands for it in the records.

    Raises what the engine raises, so that the person hears of it at once.
    """
    stepped = Stepped(
        instance=instance, procedure=procedure, snapshot=instance.snapshot, values=dict(values)
    )
    current: dict[str, Value] = to_values(values)
    transition = _apply_or_raise(stepped, fact, values=current, at=at)
    _move(stepped, transition, current)
    stepped.taken.append(_decide_all(stepped, by, transition, values=current, at=at))
    return stepped


def adopt(
    instance: Instance,
    *,
    procedure: Procedure,
    transition: Transition,
    by: Fact,
    values: Mapping[str, Json],
    at: datetime,
) -> Stepped:
    """Return the instance after a transition that was made elsewhere, by its new procedure."""
    stepped = Stepped(
        instance=instance, procedure=procedure, snapshot=instance.snapshot, values=dict(values)
    )
    current: dict[str, Value] = to_values(values)
    _move(stepped, transition, current)
    stepped.taken.append(_decide_all(stepped, by, transition, values=current, at=at))
    return stepped


def _move(stepped: Stepped, transition: Transition, current: dict[str, Value]) -> None:
    stepped.snapshot = transition.snapshot
    stepped.is_finished = transition.finished
    stepped.is_halted = transition.halted
    for name, value in transition.writes.items():
        current[name] = value
        stepped.writes[name] = to_json(value)
        stepped.values[name] = stepped.writes[name]


def _decide_all(
    stepped: Stepped, fact: Fact, first: Transition, *, values: dict[str, Value], at: datetime
) -> Taken:
    """Answer the decisions a transition asks for, and those that the answers ask for in turn."""
    transitions, decisions = [first], list[Decided]()
    waiting = [one for one in first.commands if isinstance(one, CallDecision)]
    while waiting and len(decisions) < _MOST_DECISIONS and not stepped.is_halted:
        decided = decide(stepped.procedure, waiting.pop(0), values=values, at=at)
        decisions.append(decided)
        answered = _apply(stepped, decided.fact, values=values, at=at)
        if answered is None:
            continue
        _move(stepped, answered, values)
        transitions.append(answered)
        waiting += [one for one in answered.commands if isinstance(one, CallDecision)]
    return Taken(fact=fact, transitions=tuple(transitions), decisions=tuple(decisions))


def _take(
    stepped: Stepped, fact: Fact, *, values: Mapping[str, Value], at: datetime
) -> Transition | None:
    if fact.kind is FactKind.START:
        if stepped.snapshot:
            return None
        return engine.start(
            stepped.procedure.definition(stepped.instance.role),
            instance_id=str(stepped.instance.id),
            trigger=_trigger(fact),
            values=_known(stepped, values),
            at=at,
        )
    return _apply(stepped, _fact(fact), values=values, at=at)


def _apply(
    stepped: Stepped, fact: EngineFact, *, values: Mapping[str, Value], at: datetime
) -> Transition | None:
    if stepped.is_finished or not stepped.snapshot:
        return None
    try:
        return _apply_or_raise(stepped, fact, values=values, at=at)
    except InstanceHalted:
        raise
    except Conflict:
        return None


def _apply_or_raise(
    stepped: Stepped, fact: EngineFact, *, values: Mapping[str, Value], at: datetime
) -> Transition:
    definition = stepped.procedure.definition(stepped.instance.role)
    return engine.apply(definition, stepped.snapshot, fact, values=_known(stepped, values), at=at)


def _known(stepped: Stepped, values: Mapping[str, Value]) -> dict[str, Value]:
    return {**values, "param": dict(stepped.procedure.parameter_values)}


def _trigger(fact: Fact) -> MessageStart | None:
    if not fact.ref:
        return None
    if isinstance(fact.payload, Mapping) and fact.payload.get("element") == fact.ref:
        return MessageStart(element_id=fact.ref)  # a timer or a signal, see `exchange.starts`
    return MessageStart(message_type=fact.ref, values=_decoded(fact.payload))


def _fact(fact: Fact) -> EngineFact:
    values = _decoded(fact.payload)
    if fact.kind is FactKind.TASK_COMPLETED:
        return TaskCompleted(task_id=fact.ref, values=values)
    if fact.kind is FactKind.MESSAGE:
        return MessageArrived(subscription_id=fact.ref, values=values)
    if fact.kind is FactKind.TIMER:
        return TimerFired(subscription_id=fact.ref, values=values)
    if fact.kind is FactKind.SERVICE:
        error = fact.payload.get("error") if isinstance(fact.payload, Mapping) else None
        if error:
            return ServiceFailed(call_id=fact.ref, code=str(error))
        return ServiceAnswered(call_id=fact.ref, values=values)
    # A signal or a retry may come again: what follows the mark only tells the rows apart.
    name = fact.ref.partition(MARK)[0]
    if fact.kind is FactKind.SIGNAL:
        return SignalRaised(name=name, values=values)
    return Retry(token_id=name)


def _decoded(payload: Json) -> dict[str, Value]:
    values = payload.get("values") if isinstance(payload, Mapping) else None
    return to_values(values) if isinstance(values, Mapping) else {}


def message_of(fact: Fact) -> UUID | None:
    """Return the inbox row behind a message fact."""
    if isinstance(fact.payload, Mapping) and isinstance(fact.payload.get("message"), str):
        return UUID(str(fact.payload["message"]))
    return None
