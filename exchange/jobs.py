"""External workers: take jobs under a lease, keep them, and say what came of them, once.

A job is a service call whose operation is configured as `job`, or a long call whose service
answers later. A repeated answer that says the same is taken as the first one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from connectors.callfile import ForeignCall
from dossier.canonical import Json
from dossier.errors import LienThongError
from exchange import call_service, tokens
from exchange.node import Node
from exchange.service_errors import (
    JobAnswered,
    JobFailed,
    JobGone,
    JobHeld,
    JobUnknown,
    ServiceNotConfigured,
)
from exchange.tokens import Client
from storage import calls, cases, dossiers
from storage.calls import CallState, ServiceCall
from storage.transactions import transaction

MOST_JOBS: Final = 100
LONGEST_LEASE_SECONDS: Final = 86_400
_SCOPE: Final = "jobs:"
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENDED: Final = frozenset({CallState.DONE, CallState.REFUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One job as its worker sees it."""

    id: UUID
    operation: str
    element: str
    dossier: str  # its code
    created: datetime
    attempts: int
    worker: str  # who holds it; empty: nobody
    locked_until: datetime | None
    lock: str = ""  # only for the worker that took it
    values: Mapping[str, Json] | None = None  # the same


def listed(node: Node, client: Client, *, operations: Sequence[str], limit: int) -> list[Job]:
    """Return the open jobs that the client may take, whoever holds them, oldest first."""
    at = node.now()
    found = calls.offered(client.agency, _chosen(client, operations), limit=limit)
    codes = dossiers.load([one.dossier for one in found])
    return [_job(one, code=codes[one.dossier].code, at=at) for one in found]


def lock(
    node: Node,
    client: Client,
    *,
    operations: Sequence[str],
    worker: str,
    lease_seconds: int,
    limit: int,
) -> list[Job]:
    """Take up to `limit` jobs that nobody holds; 0 as lease means the configured one.

    A job that was taken too often without an answer is stopped with an incident instead.
    """
    at = node.now()
    taken: list[Job] = []
    for call in calls.offered(client.agency, _chosen(client, operations), limit=limit, free_at=at):
        job = _lock_one(node, call, worker=worker, lease_seconds=lease_seconds, at=at)
        if job is not None:
            taken.append(job)
    return taken


def _lock_one(
    node: Node, call: ServiceCall, *, worker: str, lease_seconds: int, at: datetime
) -> Job | None:
    token = secrets.token_hex(16)
    configured = node.services().calls.get(call.operation)
    seconds = lease_seconds or (configured.lease_seconds if configured else 300)
    until = at + timedelta(seconds=min(seconds, LONGEST_LEASE_SECONDS))
    with transaction():
        held = calls.lock(call.id, token=token, worker=worker, until=until, at=at)
    if held is None:
        return None
    try:
        if configured is None:
            raise ServiceNotConfigured("expected a configured service", operation=call.operation)
        if held.attempts > configured.attempts + 1:
            raise JobFailed("expected an answer within the attempts", reason="no_answer")
        values = call_service.mapped_request(
            held, configured.inputs, values=cases.values(held.dossier), at=at
        )
    except LienThongError as exc:
        call_service.park(held, exc, at=at)
        return None
    return _job(held, code=dossiers.get(held.dossier).code, at=at, values=values)


def extend(node: Node, client: Client, job: UUID, *, lock: str, lease_seconds: int) -> Job:
    """Keep a job longer; raise `JobUnknown`, `JobGone`, `JobAnswered` or `JobHeld`."""
    at = node.now()
    with transaction():
        call = _open(client, job, lock=lock)
        until = at + timedelta(seconds=min(lease_seconds, LONGEST_LEASE_SECONDS))
        if not calls.extend(call.id, token=lock, until=until):
            raise JobHeld("expected the lock of the job")
        held = calls.find(job)
    return _job(held or call, code=dossiers.get(call.dossier).code, at=at)


def complete(
    node: Node, client: Client, job: UUID, *, lock: str, values: Mapping[str, Json]
) -> bool:
    """Answer a job; False when the same answer was there already.

    Raises `JobUnknown`, `JobGone`, `JobAnswered` for another answer, `JobHeld`, and what a mapping
    of the configuration raises.
    """
    at = node.now()
    configured = _configured(node, client, job)
    mapped = call_service.mapped_answer(configured.outputs if configured else {}, values, at=at)
    with transaction():
        call = _open(client, job, lock=lock, payload={"values": dict(mapped)})
        return call.state not in _ENDED and call_service.answer_call(
            node, call, mapped, worker=client.name, at=at
        )


def raise_error(node: Node, client: Client, job: UUID, *, lock: str, code: str) -> bool:
    """Answer a job with a business error, which the model may catch; as `complete` otherwise."""
    _demand_code(code)
    with transaction():
        call = _open(client, job, lock=lock, payload={"error": code})
        return call.state not in _ENDED and call_service.refuse(
            node, call, code, worker=client.name, at=node.now()
        )


def fail(
    node: Node, client: Client, job: UUID, *, lock: str, reason: str, retry_seconds: int
) -> bool:
    """Give a job back after a failure; False when it was the last attempt: an incident is open.

    `reason` is a code, never text: it is shown to people who may not see the values.
    """
    _demand_code(reason)
    at = node.now()
    configured = _configured(node, client, job)
    with transaction():
        call = _open(client, job, lock=lock)
        # The first attempt was to offer it.
        if call.attempts - 1 >= (configured.attempts if configured else 0):
            call_service.park(call, JobFailed("expected the job's work", reason=reason), at=at)
            return False
        calls.move(
            call.id,
            token=call.token,
            state=CallState.OFFERED if call.state is not CallState.SENT else CallState.NEW,
            next_at=at + timedelta(seconds=retry_seconds),
            error=reason,
        )
    return True


def _chosen(client: Client, operations: Sequence[str]) -> tuple[str, ...]:
    for one in operations:
        tokens.demand(client, _SCOPE + one)
    return tuple(operations) or client.under(_SCOPE)


def _configured(node: Node, client: Client, job: UUID) -> ForeignCall | None:
    call = calls.find(job)
    return node.services().calls.get(_known(client, call).operation)


def _known(client: Client, call: ServiceCall | None) -> ServiceCall:
    # Another agency's job and no job at all look the same.
    if call is None or call.agency != client.agency:
        raise JobUnknown("expected a job of the client's agency")
    tokens.demand(client, _SCOPE + call.operation)
    return call


def _open(client: Client, job: UUID, *, lock: str, payload: Json = None) -> ServiceCall:
    """Return the job if it waits for this worker, or if this very answer was given before."""
    call = _known(client, calls.find(job))
    if call.state is CallState.CANCELLED:
        raise JobGone("expected a job whose answer is wanted")
    if call.state in _ENDED:
        if payload is not None and call_service.digest_of(payload) == call.answer_sha256:
            return call
        raise JobAnswered("expected a job without an answer")
    is_long = call.state is CallState.SENT or (call.state is CallState.PARKED and not call.token)
    if not is_long and (not call.token or call.token != lock):
        raise JobHeld("expected the lock of the job")
    return call


def _demand_code(code: str) -> None:
    if not _CODE.fullmatch(code):
        raise JobFailed("expected a code of letters, digits, . _ -", reason="code")


def _job(
    call: ServiceCall, *, code: str, at: datetime, values: Mapping[str, Json] | None = None
) -> Job:
    is_held = bool(call.token) and call.next_at is not None and call.next_at > at
    return Job(
        id=call.id,
        operation=call.operation,
        element=call.element_id,
        dossier=code,
        created=call.created,
        attempts=call.attempts,
        worker=call.worker if is_held else "",
        locked_until=call.next_at if is_held else None,
        lock=call.token if values is not None else "",
        values=values,
    )
