"""Take the decisions that a process asks for, and keep their records: pure, like the engine.

An administrative decision must be explainable: the record names version, inputs, matched rules
and output, and stays with the dossier's history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from dossier.canonical import Json
from dossier.errors import LienThongError
from workflows.commands import CallDecision
from workflows.dmn import Model, load_model
from workflows.dmn.record import record_of
from workflows.expressions import Value
from workflows.expressions.values import from_feel
from workflows.facts import ServiceAnswered, ServiceFailed
from workflows.procedure import Procedure

_FAILED = "decision_failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """The answer to one call, and the record of how it was found."""

    element_id: str
    fact: ServiceAnswered | ServiceFailed
    record: Json


def decide(
    procedure: Procedure, call: CallDecision, *, values: Mapping[str, Value], at: datetime
) -> Decided:
    """Evaluate the decision over its inputs; a decision with problems fails the call."""
    inputs = call.inputs if call.inputs is not None else values
    try:
        model = _model(tuple(sorted(procedure.decisions.items())))
        outcome = model.evaluate(call.decision, inputs, at=at)
    except LienThongError as exc:
        record: Json = {"decision": call.decision, "problems": [exc.code]}
        failed = ServiceFailed(call_id=call.call_id, code=_FAILED)
        return Decided(element_id=call.element_id, fact=failed, record=record)
    if outcome.problems:
        failed = ServiceFailed(call_id=call.call_id, code=_FAILED)
        return Decided(element_id=call.element_id, fact=failed, record=record_of(outcome))
    answered = ServiceAnswered(
        call_id=call.call_id, values=_written(call, from_feel(outcome.value))
    )
    return Decided(element_id=call.element_id, fact=answered, record=record_of(outcome))


def _written(call: CallDecision, value: Value) -> dict[str, Value]:
    if call.result:
        return {call.result: value}
    return dict(value) if isinstance(value, Mapping) else {call.decision: value}


@lru_cache(maxsize=64)
def _model(files: tuple[tuple[str, bytes], ...]) -> Model:
    return load_model([content for _path, content in files])
