"""Change a running instance by hand, in one transaction, whatever else is going on with it.

The change is decided on the state that was read and written over that very version only; when a
worker was faster, it is decided again on the new state. So nothing is lost and nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.canonical import Json
from dossier.ids import Sha256
from dossier.model import Dossier
from exchange import correlate
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.node import Node
from exchange.record import record
from exchange.recorded import begin, write
from exchange.repair_errors import InstanceBusy
from exchange.stepping import Stepped
from storage import cases, dossiers, instances
from storage.errors import VersionConflict
from storage.instances import Instance, InstanceChange
from storage.transactions import transaction
from workflows.procedure import Procedure

_ATTEMPTS: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """An instance with what its change is decided on."""

    instance: Instance
    dossier: Dossier
    procedure: Procedure
    values: dict[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a decision makes of an instance."""

    stepped: Stepped
    events: Sequence[Event]
    package_sha256: Sha256 | None = None  # of the version it goes on under, when that changes


Decide = Callable[[Read], Change]


def read(node: Node, instance: UUID) -> Read:
    """Return an instance with its procedure and case values; raise `RowMissing`."""
    found = instances.get(instance)
    return Read(
        instance=found,
        dossier=dossiers.get(found.dossier),
        procedure=node.contracts().get(found.definition_sha256),
        values=cases.values(found.dossier),
    )


def intervene(node: Node, instance: UUID, decide: Decide, *, at: datetime) -> Stepped:
    """Apply what `decide` returns; raise what it raises, or `InstanceBusy` after some attempts."""
    for _ in range(_ATTEMPTS):
        before = read(node, instance)
        change = decide(before)
        try:
            if _commit(node, before, change, at=at):
                return change.stepped
        except VersionConflict:
            continue
    raise InstanceBusy("expected an instance at rest, got one that changes all the time")


def _commit(node: Node, before: Read, change: Change, *, at: datetime) -> bool:
    identifier, stepped = before.instance.id, change.stepped
    with transaction():
        versions = instances.lock([identifier], token=None)
        if versions.get(identifier) != before.instance.version:
            return False
        recorded = begin({before.dossier.id})
        recorded.events.extend(change.events)
        record(node, stepped, recorded, at=at)
        if change.package_sha256 is not None:
            instances.rebind(identifier, definition_sha256=change.package_sha256)
            dossiers.rebind(
                before.dossier.id,
                version=stepped.procedure.version,
                contract_sha256=stepped.procedure.digest,
            )
        applied = InstanceChange(
            id=identifier,
            read_version=before.instance.version,
            snapshot=stepped.snapshot,
            done=stepped.is_finished,
            incident=stepped.is_halted,
        )
        instances.apply([applied], token=None, at=at)
        write(recorded, at=at)
        for message in recorded.messages:
            ring_after_commit("deliver", str(message.id))
        correlate.wake(node, list(recorded.waits.values()), at=at)
        ring_after_commit("advance", str(identifier))  # facts may have waited
    return True
