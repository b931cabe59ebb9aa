"""The invariants are sharp: without one guard of the product the same scenario breaks them.

Each scenario is a fault at an exact place, played in this process. The guarded product passes it;
the mutant must not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from dossier.errors import Unavailable
from dossier.ids import Sha256
from dossier.wire import SendHints
from exchange import advance, deliver, stepping
from exchange.kept import KeptInstances
from exchange.node import Node
from exchange.receive import Reception
from storage import inbox, instances, log, outbox, outbox_leases, sql
from storage.errors import VersionConflict
from storage.transactions import transaction
from tests.builders import chaos
from tests.chaos.invariants import violations
from worker.children import burst

PAIRS = 2
ROUNDS = 40
Patch = pytest.MonkeyPatch


class Lost(Exception):
    """A transaction that does not reach its commit."""


def play(node: Node) -> list[str]:
    """Play pairs of dossiers to their end and return what is broken."""
    chaos.clear_work()
    chaos.open_dossiers(node, PAIRS)
    for _ in range(ROUNDS):
        with contextlib.suppress(Unavailable):
            burst()
        chaos.complete_open_tasks(node)
        if not chaos.count_open():
            break
        chaos.pass_time()
    burst()
    return violations(node, pairs=PAIRS)


# --- Faults: what the guarded product survives -------------------------------------------------


def a_step_is_done_twice(patch: Patch, node: Node) -> None:
    """Let a worker lose its lease while it steps, and wake after another one has applied."""
    step = stepping.step
    inner: list[bool] = []

    def paused(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - the call it stands for
        if not inner:
            inner.append(True)
            instances.clear_leases(node.owner)
            advance.drain_transitions(node, budget=advance.LEASE)
            inner.clear()
        return step(*arguments, **keywords)

    patch.setattr(advance, "step", paused)


def a_delivery_is_done_twice(patch: Patch, node: Node) -> None:
    """Let a deliverer lose its lease while it sends, and wake after another one has recorded."""
    send = deliver._send
    inner: list[bool] = []

    def paused(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - the call it stands for
        if not inner:
            inner.append(True)
            outbox_leases.clear_leases(node.owner, at=node.now())
            deliver.drain_outbox(node, budget=deliver.LEASE)
            inner.clear()
        return send(*arguments, **keywords)

    patch.setattr(deliver, "_send", paused)


def an_answer_gets_lost(patch: Patch, node: Node) -> None:
    """Let every first answer of a partner get lost after it was given."""
    send = deliver._send
    seen: set[object] = set()

    def dropped(node: Node, outgoing: outbox.Outgoing, *rest: Any) -> Any:  # noqa: ANN401 - as above
        answer = send(node, outgoing, *rest)
        if outgoing.message.id not in seen:
            seen.add(outgoing.message.id)
            raise Unavailable("expected an answer")
        return answer

    patch.setattr(deliver, "_send", dropped)


def nothing_goes_wrong(patch: Patch, node: Node) -> None:
    """Leave everything as it is: some mutants fail by themselves."""


# --- Mutants: the product without one of its guards --------------------------------------------


def without_version(patch: Patch) -> None:
    """Apply over whatever version is there, whoever holds the lease."""

    def lock(ids: Sequence[Any], *, token: str | None) -> dict[Any, int]:
        rows = sql.all_rows("SELECT id, version FROM instance")
        now = {str(row[0]): int(row[1]) for row in rows}
        return {one: known.get(one, now[str(one)]) for one in ids}

    known: dict[Any, int] = {}
    load = instances.load

    def remembered(ids: Sequence[Any]) -> dict[Any, instances.Instance]:
        found = load(ids)
        known.update({one: instance.version for one, instance in found.items()})
        return found

    apply = instances.apply

    def blind(changes: Sequence[Any], *, token: str | None, at: Any) -> None:  # noqa: ANN401 - a date
        with contextlib.suppress(VersionConflict):
            apply(changes, token=None, at=at)

    patch.setattr(KeptInstances, "take", lambda *_: {})
    patch.setattr(instances, "load", remembered)
    patch.setattr(instances, "lock", lock)
    patch.setattr(instances, "apply", blind)


def without_token(patch: Patch) -> None:
    """Record what came of a delivery whoever holds the message."""

    def any_token(
        message: Any,  # noqa: ANN401 - an id
        token: str,
        changes: str,
        values: Sequence[Any],
        *,
        condition: str = "",
    ) -> bool:
        return bool(
            sql.execute(
                f"UPDATE outbox SET {changes} WHERE id = %s {condition}", (*values, str(message))
            )
        )

    patch.setattr(outbox, "_by_token", any_token)


def without_identity(patch: Patch) -> None:
    """Take a message in again although its identity is known."""
    reserve = inbox.reserve

    def always(new: inbox.NewMessage) -> inbox.InboxMessage | None:
        known = reserve(new)
        if known is not None:
            sql.execute(
                "INSERT INTO inbox SELECT %s, from_agency, to_agency, %s, message_type,"
                " conversation_id, dossier_code, envelope, container_sha256, receipt_sha256,"
                " received, assurance, 'received', NULL, NULL FROM inbox WHERE id = %s",
                (str(uuid4()), f"{new.envelope.message_id}9", str(known.id)),
            )
        return None

    patch.setattr(inbox, "reserve", always)
    patch.setattr(inbox, "find", lambda *_: None)


def with_early_answer(patch: Patch) -> None:
    """Answer a message before it is committed, and lose every first commit."""
    keep = Reception._keep
    seen: set[Sha256] = set()

    def early(self: Reception, verified: Any, hints: SendHints, *rest: Any) -> Any:  # noqa: ANN401 - as above
        if hints.container_sha256 in seen:
            return keep(self, verified, hints, *rest)
        seen.add(hints.container_sha256)
        answers: list[bytes] = []
        with contextlib.suppress(Lost), transaction():
            answers.append(keep(self, verified, hints, *rest))
            raise Lost
        return answers[0]

    patch.setattr(Reception, "_keep", early)


def with_log_outside(patch: Patch) -> None:
    """Write the log leaf after the transition's commit, and die in between now and then."""
    add_many = log.add_many
    count = iter(range(10**6))

    def later(leaves: Sequence[log.NewLeaf]) -> None:
        if next(count) % 5:
            add_many(leaves)

    patch.setattr(log, "add_many", later)


def with_forgotten_facts(patch: Patch) -> None:
    """Let the instance wait although a fact came while the engine stepped."""

    def mark_ready(instance: Any, *, at: Any) -> bool:  # noqa: ANN401 - an id and a date
        return bool(
            sql.execute(
                "UPDATE instance SET status = 'ready', ready_at = 0 WHERE id = %s"
                " AND status = 'waiting' AND version < 2",
                (str(instance),),
            )
        )

    patch.setattr(instances, "mark_ready", mark_ready)


Fault = Callable[[Patch, Node], None]
CASES: dict[str, tuple[Fault, Callable[[Patch], None]]] = {
    "no version check": (a_step_is_done_twice, without_version),
    "no token": (a_delivery_is_done_twice, without_token),
    "no identity in the inbox": (an_answer_gets_lost, without_identity),
    "answer before commit": (nothing_goes_wrong, with_early_answer),
    "log outside the transaction": (nothing_goes_wrong, with_log_outside),
    "lost wake-up": (nothing_goes_wrong, with_forgotten_facts),
}


@pytest.fixture
def patch() -> Iterator[Patch]:
    with pytest.MonkeyPatch.context() as made:
        yield made


@pytest.mark.parametrize(
    "fault", [a_step_is_done_twice, a_delivery_is_done_twice, an_answer_gets_lost]
)
def test_the_product_survives_the_fault(storm_node: Node, patch: Patch, fault: Fault) -> None:
    fault(patch, storm_node)
    assert play(storm_node) == []


@pytest.mark.parametrize("name", list(CASES))
def test_the_mutant_is_caught(storm_node: Node, patch: Patch, name: str) -> None:
    fault, mutate = CASES[name]
    mutate(patch)
    fault(patch, storm_node)
    assert play(storm_node) != []
