"""Advance instances: claim what is ready, let the engine step, record it all in one commit.

Load → decide → record. Several instances share a commit; one that fails is set aside and the
others go on. Nothing here calls a partner: messages leave by the outbox (worker.md §3).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dossier.errors import Conflict, LienThongError, Unavailable
from exchange import correlate, figures, tracing
from exchange.drained import Drained, ring_after_commit
from exchange.node import Node
from exchange.record import record
from exchange.recorded import Recorded, begin, write
from exchange.stepping import Stepped, step
from storage import cases, facts, incidents, instances
from storage.instances import Claim, Instance, InstanceChange
from storage.transactions import transaction
from workflows.errors import SnapshotNewer

BATCH: Final = 50
LEASE: Final = timedelta(seconds=5)
ATTEMPTS: Final = 5
_BACKOFF: Final = timedelta(seconds=1)


def drain_transitions(node: Node, *, budget: timedelta) -> Drained:
    """Work off ready instances until nothing is due or the budget is spent."""
    token = uuid.uuid4().hex
    limit = time.monotonic() + budget.total_seconds()
    done = 0
    while True:
        if time.monotonic() >= limit:
            return Drained(done=done, more=True)
        now = node.now()
        claims = instances.claim_ready(
            owner=node.owner, token=token, lease=LEASE, limit=BATCH, at=now
        )
        if not claims:
            return Drained(done=done, more=False)
        done += _advance(node, claims, token=token, at=now)


def _advance(node: Node, claims: Sequence[Claim], *, token: str, at: datetime) -> int:
    # 1. load: instances that are not at hand, facts and case values, in one query each
    ids = [claim.instance for claim in claims]
    loaded = node.kept.take(claims)
    loaded |= instances.load([one for one in ids if one not in loaded])
    pending = facts.unapplied(ids)
    values = cases.all_values([one.dossier for one in loaded.values()])
    # 2. decide, in memory, no lock held
    stepped: list[Stepped] = []
    for claim in claims:
        instance = loaded[claim.instance]
        if claim.attempts > ATTEMPTS:
            _park(instance, token=token, at=at, code="instance_poison")
            continue
        try:
            stepped.append(
                step(
                    instance,
                    procedure=node.contracts().get(instance.definition_sha256),
                    facts=pending.get(instance.id, ()),
                    values=values.get(instance.dossier, {}),
                    at=at,
                )
            )
        except SnapshotNewer as exc:
            # A worker of the newer version goes on with it; we are about to be replaced.
            figures.DRAIN_FAILURES.labels("advance", exc.code).inc()
            instances.postpone(instance.id, token=token, ready_at=at + _BACKOFF)
        except Unavailable:
            instances.retry_later(instance.id, token=token, ready_at=at + _BACKOFF)
        except LienThongError as exc:
            _park(instance, token=token, at=at, code=exc.code)
    # 3. record, one commit; what cannot go together goes alone, so one never holds the others
    if len(stepped) > 1 and _try_commit(node, stepped, token=token, at=at):
        return len(stepped)
    return sum(_commit_alone(node, one, token=token, at=at) for one in stepped)


def _try_commit(node: Node, stepped: list[Stepped], *, token: str, at: datetime) -> bool:
    try:
        return _commit(node, stepped, token=token, at=at) == len(stepped)
    except LienThongError:
        return False


def _commit_alone(node: Node, stepped: Stepped, *, token: str, at: datetime) -> int:
    instance = stepped.instance
    try:
        return _commit(node, [stepped], token=token, at=at)
    except (Unavailable, Conflict):
        instances.retry_later(instance.id, token=token, ready_at=at + _BACKOFF)
    except LienThongError as exc:
        _park(instance, token=token, at=at, code=exc.code)
    return 0


def _commit(node: Node, stepped: list[Stepped], *, token: str, at: datetime) -> int:
    """Record all of `stepped` in one transaction; 0 when one of them was no longer ours."""
    if not _record(node, stepped, token=token, at=at):
        return 0
    # 4. keep: after the commit, and only then
    now = node.now()
    for taken in (taken for one in stepped for taken in one.taken):
        figures.TRANSITION_SECONDS.observe(max(0.0, (now - taken.fact.at).total_seconds()))
    node.kept.put(
        replace(one.instance, version=one.instance.version + 1, snapshot=one.snapshot)
        for one in stepped
        if not one.is_finished
    )
    return len(stepped)


def _record(node: Node, stepped: list[Stepped], *, token: str, at: datetime) -> bool:
    with transaction():
        mine = instances.lock([one.instance.id for one in stepped], token=token)
        if any(mine.get(one.instance.id) != one.instance.version for one in stepped):
            return False
        recorded = begin({one.instance.dossier for one in stepped})
        changes: list[InstanceChange] = []
        applied: dict[int, int] = {}
        for one in stepped:
            record(node, one, recorded, at=at)
            changes.append(
                InstanceChange(
                    id=one.instance.id,
                    read_version=one.instance.version,
                    snapshot=one.snapshot,
                    done=one.is_finished,
                    incident=one.is_halted,
                )
            )
            applied |= {taken.fact.id: one.instance.version + 1 for taken in one.taken}
        facts.mark_applied(applied)
        instances.apply(changes, token=token, at=at)
        write(recorded, at=at)
        _ring(stepped, recorded, since=at)
        correlate.wake(node, list(recorded.waits.values()), at=at)
    return True


def _ring(stepped: Sequence[Stepped], recorded: Recorded, *, since: datetime) -> None:
    bells: dict[UUID, list[tuple[str, UUID]]] = {one.instance.id: [] for one in stepped}
    for message in recorded.messages:
        bells[message.instance].append(("deliver", message.id))
    for call in recorded.calls:
        bells[call.instance].append(("call", call.id))
    for instance, due in bells.items():
        with tracing.continued("advance", str(instance), since=since):
            for job, identifier in due:
                ring_after_commit(job, str(identifier))


def _park(instance: Instance, *, token: str, at: datetime, code: str) -> None:
    with transaction():
        if not instances.park(instance.id, token=token):
            return  # lost to another, whose word counts
        incidents.open_incident(
            incidents.NewIncident(
                code=code,
                parameters={},
                opened=at,
                dossier=instance.dossier,
                instance=instance.id,
            )
        )
