"""Forms, documents and register numbers of a play: what a host would ask for and write down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid5

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.codes import letter_number
from dossier.errors import Rejected
from dossier.form import FieldKind
from dossier.rule_errors import FormRefused
from workflows.commands import CallDecision, OpenTask
from workflows.dmn import Model, load_model
from workflows.expressions import Value
from workflows.expressions.values import from_feel
from workflows.procedure import Procedure
from workflows.scenario_errors import PlayRefused


def read_form(procedure: Procedure, task: OpenTask, values: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a person enters in the form of a task; any name will do for a document.

    A model alone, without the forms of a procedure folder, takes the values as they are given.
    """
    if not procedure.forms:
        return dict(values)
    if task.form is None:
        if values:
            raise PlayRefused(
                "expected no values for a task without a form",
                element=task.element_id,
                reason="no_form",
            )
        return {}
    kinds = {one.name: one.kind for one in procedure.forms[task.form].fields}
    named = {
        name: str(uuid5(NAMESPACE_URL, str(value)))
        if kinds.get(name) is FieldKind.DOCUMENT
        else value
        for name, value in values.items()
    }
    return checked(procedure, task.form, named, element_id=task.element_id)


def checked(
    procedure: Procedure, form: str, values: Mapping[str, Json], *, element_id: str
) -> dict[str, Json]:
    """Return the values of a form or payload, or raise `PlayRefused` naming every fault."""
    if not form or not procedure.forms:
        return dict(values)
    try:
        return procedure.forms[form].check(values)
    except FormRefused as exc:
        faults = ", ".join(f"{fault.name} {fault.code}" for fault in exc.faults)
        raise PlayRefused(
            f"expected values that fit form {form}, got {faults}",
            element=element_id,
            reason=faults,
        ) from exc


def produced(procedure: Procedure, task: OpenTask, values: Mapping[str, Json]) -> frozenset[str]:
    """Return the kinds of documents that completing a task adds: uploaded or printed."""
    if not procedure.documents:
        return frozenset()
    form = procedure.forms.get(task.form or "")
    uploaded = {
        one.document_kind
        for one in (form.fields if form else ())
        if one.kind is FieldKind.DOCUMENT and one.name in values
    }
    printed = {kind for kind in task.documents_out if procedure.documents[kind].print}
    return frozenset(uploaded | printed)


def demand(documents: frozenset[str], kinds: tuple[str, ...], *, element_id: str) -> None:
    """Raise `PlayRefused` when a kind of document is not in the dossier."""
    for kind in kinds:
        if kind not in documents:
            raise PlayRefused(
                f"expected a document {kind} in the dossier, got none",
                element=element_id,
                reason=f"document {kind}",
            )


def numbered(procedure: Procedure, book: str, *, sequence: int, at: datetime) -> str:
    """Return the number that a register of the procedure gives."""
    declared = procedure.registers.get(book)
    pattern = declared.pattern if declared else "{number}/BARE"
    return str(letter_number(pattern, sequence=sequence, year=local_day(at).year))


def decided(
    procedure: Procedure, call: CallDecision, *, values: Mapping[str, Value], at: datetime
) -> dict[str, Value] | None:
    """Return what the procedure's decision tables answer; None when they have no sound answer."""
    inputs = call.inputs if call.inputs is not None else values
    try:
        model = _model(tuple(sorted(procedure.decisions.items())))
        outcome = model.evaluate(call.decision, inputs, at=at)
    except Rejected:
        return None
    if outcome.problems:
        return None
    value = from_feel(outcome.value)
    if call.result:
        return {call.result: value}
    return dict(value) if isinstance(value, Mapping) else {call.decision: value}


@lru_cache(maxsize=8)
def _model(files: tuple[tuple[str, bytes], ...]) -> Model:
    return load_model([content for _path, content in files])


def form_values(
    procedure: Procedure, form: str | None, values: Mapping[str, Json]
) -> dict[str, Value]:
    """Return form values as the engine holds them: dates as dates, numbers as decimals."""
    typed = plain_values(values)
    known = procedure.forms.get(form or "")
    for one in known.fields if known else ():
        if one.kind is FieldKind.DATE and one.name in values:
            typed[one.name] = date.fromisoformat(str(values[one.name]))
    return typed


def plain_values(values: Mapping[str, Json]) -> dict[str, Value]:
    """Return JSON values as the engine holds them."""
    return {name: _value(value) for name, value in values.items()}


def json_values(values: Mapping[str, Value]) -> dict[str, Json]:
    """Return values of the engine as a payload carries them."""
    return {name: _json(value) for name, value in values.items()}


def _value(value: Json) -> Value:
    if isinstance(value, Mapping):
        return plain_values(value)
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return Decimal(value)
    return [_value(inner) for inner in value]


def _json(value: Value) -> Json:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, Mapping):
        return json_values(value)
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else str(value)
