"""Make the calls that service tasks ask for: after the commit, under a lease, the same each time.

What goes out and what comes back is mapped by expressions of the node's configuration; the answer
is a fact of the instance. A call that fails for good opens an incident that names the element and
the data, never their values.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.callfile import ForeignCall, Kind
from connectors.foreign import Answer, Answered, BusinessError
from dossier import canonical
from dossier.canonical import Json
from dossier.errors import LienThongError, Unavailable
from exchange import chronicle
from exchange.chronicle import Event
from exchange.deliver import backoff
from exchange.drained import Drained, ring_after_commit
from exchange.node import Node
from exchange.service_errors import JobFailed, ServiceNotConfigured, ServiceUnanswered
from exchange.values import to_json, to_values
from storage import calls, cases, facts, incidents
from storage.calls import CallState, ServiceCall
from storage.transactions import transaction
from workflows.expressions import compile_expression

LEASE: Final = timedelta(seconds=60)
_BATCH: Final = 4


def drain_calls(node: Node, *, budget: timedelta) -> Drained:
    """Make due calls until none is left or the budget is spent."""
    token = uuid.uuid4().hex
    limit = time.monotonic() + budget.total_seconds()
    done = 0
    # A read first: a node without services locks nothing.
    while time.monotonic() < limit and calls.due(at=node.now(), limit=1):
        claimed = calls.claim_due(
            token=token, owner=node.owner, lease=LEASE, limit=_BATCH, at=node.now()
        )
        for call in claimed:
            _make(node, call)
            done += 1
        if not claimed:
            break  # others are at them
    return Drained(done=done, more=bool(calls.due(at=node.now(), limit=1)))


def _make(node: Node, call: ServiceCall) -> None:
    configured: ForeignCall | None = None
    try:
        services = node.services()
        configured = services.calls.get(call.operation)
        if configured is None:
            raise ServiceNotConfigured("expected a configured service", operation=call.operation)
        if call.state is CallState.SENT:
            raise ServiceUnanswered("expected a completion in time", operation=call.operation)
        request = _request(node, call, configured)
        if configured.kind is Kind.JOB:
            calls.move(call.id, token=call.token, state=CallState.OFFERED)
            return
        answer = services.calling.call(call.operation, request, key=str(call.id))
        _take(node, call, configured, answer)
    except LienThongError as exc:
        _failed(node, call, configured, exc)


def _request(node: Node, call: ServiceCall, configured: ForeignCall) -> Mapping[str, Json]:
    """Return what is sent: fixed at the first attempt, so that a repetition says the same."""
    if isinstance(call.request, Mapping):
        return call.request
    request = mapped_request(
        call, configured.inputs, values=cases.values(call.dossier), at=node.now()
    )
    with transaction():
        calls.keep_request(call.id, request)
    return request


def mapped_request(
    call: ServiceCall,
    mapping: Mapping[str, str],
    *,
    values: Mapping[str, Json],
    at: datetime,
) -> Mapping[str, Json]:
    """Return the values of a call under the names that the service expects.

    Expressions see what `lt:input` hands over, all case values where it names none, and `job`, the
    id under which the answer may come later. Raises what an expression raises.
    """
    given = call.inputs if isinstance(call.inputs, Mapping) else None
    if not mapping:
        return dict(given or {})
    known: Mapping[str, Json] = values if given is None else given
    return _mapped(mapping, {**known, "job": str(call.id)}, at=at)


def mapped_answer(
    mapping: Mapping[str, str], values: Mapping[str, Json], *, at: datetime
) -> Mapping[str, Json]:
    """Return an answer under the names that the procedure expects; raise what one raises."""
    return _mapped(mapping, values, at=at) if mapping else values


def _mapped(
    mapping: Mapping[str, str], values: Mapping[str, Json], *, at: datetime
) -> dict[str, Json]:
    names = to_values(values)
    return {
        name: to_json(compile_expression(text).evaluate(names, at=at))
        for name, text in mapping.items()
    }


def _take(node: Node, call: ServiceCall, configured: ForeignCall, answer: Answer) -> None:
    now = node.now()
    if isinstance(answer, Answered) and configured.answer_within_seconds:
        until = now + timedelta(seconds=configured.answer_within_seconds)
        calls.move(call.id, token=call.token, state=CallState.SENT, next_at=until)
        return
    if isinstance(answer, BusinessError):
        refuse(node, call, answer.code, worker="", at=now)
        return
    values = mapped_answer(configured.outputs, answer.values, at=now)
    answer_call(node, call, values, worker="", at=now)


def answer_call(
    node: Node, call: ServiceCall, values: Mapping[str, Json], *, worker: str, at: datetime
) -> bool:
    """Record the answer of a call as a fact; False when it is answered or withdrawn already."""
    return _close(call, CallState.DONE, {"values": dict(values)}, worker=worker, at=at)


def refuse(node: Node, call: ServiceCall, code: str, *, worker: str, at: datetime) -> bool:
    """Record a business error, which the model may catch; False as for `answer_call`."""
    return _close(call, CallState.REFUSED, {"error": code}, worker=worker, at=at)


def digest_of(payload: Json) -> str:
    """Return by what a repeated answer is known to be the same."""
    return hashlib.sha256(canonical.dump(payload)).hexdigest()


def _close(
    call: ServiceCall, state: CallState, payload: Json, *, worker: str, at: datetime
) -> bool:
    with transaction():
        if not calls.finish(
            call.id, state=state, answer_sha256=digest_of(payload), worker=worker, at=at
        ):
            return False
        incidents.resolve_ref(call.instance, call.ref, by="system", at=at)
        facts.add(
            facts.NewFact(
                instance=call.instance,
                kind=facts.FactKind.SERVICE,
                ref=call.ref,
                payload=payload,
                actor=worker or "system",
                on_behalf_of="",
                at=at,
            )
        )
        chronicle.write([_event(call, state, worker=worker, at=at)])
        ring_after_commit("advance", str(call.instance))
    return True


def _event(call: ServiceCall, state: CallState, *, worker: str, at: datetime) -> Event:
    return Event(
        dossier=call.dossier,
        at=at,
        kind="service_answered" if state is CallState.DONE else "service_refused",
        instance=call.instance,
        element_id=call.element_id,
        actor=worker or "system",
        parameters={"operation": call.operation, "call": str(call.id), "attempts": call.attempts},
    )


def _failed(
    node: Node, call: ServiceCall, configured: ForeignCall | None, error: LienThongError
) -> None:
    now = node.now()
    may_repeat = isinstance(error, Unavailable) and configured is not None
    if may_repeat and configured is not None and call.attempts < configured.attempts:
        wait = backoff(
            call.attempts,
            first=timedelta(seconds=configured.wait_seconds),
            longest=timedelta(seconds=configured.longest_wait_seconds),
        )
        calls.move(
            call.id, token=call.token, state=CallState.NEW, next_at=now + wait, error=error.code
        )
        return
    park(call, error, at=now)


def park(call: ServiceCall, error: LienThongError, *, at: datetime) -> None:
    """Stop a call with an incident; retrying the incident makes the call anew."""
    with transaction():
        if calls.move(call.id, token=call.token, state=CallState.PARKED, error=error.code):
            incidents.open_incident(_incident(call, error, at=at))


def _incident(call: ServiceCall, error: LienThongError, *, at: datetime) -> incidents.NewIncident:
    code = error.code if isinstance(error, ServiceNotConfigured) else "service_failed"
    is_told = isinstance(error, JobFailed)  # the worker's own code says more than ours
    known = call.inputs if isinstance(call.inputs, Mapping) else {}
    return incidents.NewIncident(
        code=code,
        parameters={
            "operation": call.operation,
            "reason": str(error.parameters["reason"]) if is_told else error.code,
            "names": ", ".join(sorted(known)) or "–",
        },
        opened=at,
        dossier=call.dossier,
        instance=call.instance,
        element_id=call.element_id,
        ref=call.ref,
    )
