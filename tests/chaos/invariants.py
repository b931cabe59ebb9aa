"""What must hold when the storm is over, each broken rule as one sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise

from exchange import sequence
from exchange.node import Node
from signing.log.checkpoint import verify_checkpoint
from signing.log.merkle import verify_consistency
from signing.log.tiles import consistency_proof, root_at
from storage import log, sql
from tests.builders.chaos import MESSAGES_EACH, TASKS_EACH

# History lines of one pair of dossiers: one at the commune, one at the tax office.
HISTORY_EACH = {
    "dossier_opened": 2,
    "dossier_closed": 2,
    "task_completed": TASKS_EACH,
    "message_queued": MESSAGES_EACH,
    "message_sent": MESSAGES_EACH,
    "message_received": MESSAGES_EACH,
    "step_done": 12,
}


def violations(node: Node, *, pairs: int) -> list[str]:
    """Return what does not hold; the node's processes must have stopped."""
    sequence.catch_up(node)
    found = list(_rows_left())
    found += _counts(pairs)
    found += _messages(pairs)
    found += _chains()
    found += _log(node)
    return found


def _rows_left() -> Iterator[str]:
    for name, statement in {
        "open dossiers": "SELECT COUNT(*) FROM dossier WHERE is_open = %s",
        "instances not done": "SELECT COUNT(*) FROM instance WHERE status <> 'done' AND %s",
        "facts not applied": "SELECT COUNT(*) FROM fact WHERE applied_version IS NULL AND %s",
        "leases left": "SELECT COUNT(*) FROM instance WHERE lease_token <> '' AND %s",
        "leaves without number": "SELECT COUNT(*) FROM log_pending WHERE %s",
        "incidents": "SELECT COUNT(*) FROM incident WHERE %s",
        "subscriptions left": "SELECT COUNT(*) FROM subscription WHERE %s",
    }.items():
        count = int(sql.the_row(statement, (True,))[0])
        if count:
            yield f"{count} {name}"


def _counts(pairs: int) -> Iterator[str]:
    rows = sql.all_rows("SELECT kind, COUNT(*) FROM history GROUP BY kind")
    found = {kind: int(count) for kind, count in rows}
    for kind, each in HISTORY_EACH.items():
        count = found.pop(kind, 0)
        if count != each * pairs:
            yield f"expected {each * pairs} history lines {kind}, got {count}"
    if found:
        yield f"expected no other history lines, got {found}"
    completed = sql.the_row("SELECT COUNT(*) FROM task WHERE state = 'completed'")[0]
    if int(completed) != TASKS_EACH * pairs:
        yield f"expected {TASKS_EACH * pairs} completed tasks, got {completed}"


def _messages(pairs: int) -> Iterator[str]:
    sent = sql.all_rows(
        "SELECT message_id, container_sha256, receipt_sha256 FROM outbox WHERE state = 'sent'"
    )
    received = sql.all_rows(
        "SELECT message_id, container_sha256, receipt_sha256 FROM inbox WHERE state = 'correlated'"
    )
    if len(sent) != MESSAGES_EACH * pairs:
        yield f"expected {MESSAGES_EACH * pairs} messages sent, got {len(sent)}"
    lost, phantom = set(sent) - set(received), set(received) - set(sent)
    if lost or phantom or len(received) != len(sent):
        yield f"{len(lost)} messages lost, {len(phantom)} phantoms, {len(received)} received"
    everything = int(sql.the_row("SELECT COUNT(*) FROM inbox")[0])
    if everything != len(received):
        yield f"{everything - len(received)} messages not correlated"


def _chains() -> Iterator[str]:
    heads = {
        row[0]: (int(row[1]), bytes(row[2]))
        for row in sql.all_rows("SELECT id, log_sequence, log_head FROM dossier")
    }
    walked = dict.fromkeys(heads, (0, b""))
    for dossier, number, leaf, chained in sql.all_rows(
        "SELECT dossier, sequence, leaf, chain_hash FROM history ORDER BY dossier, sequence"
    ):
        last, head = walked[dossier]
        expected = hashlib.sha256(head + bytes(leaf)).digest()
        if int(number) != last + 1 or bytes(chained) != expected:
            yield f"chain of {dossier} broken at {number}"
        walked[dossier] = (int(number), expected)
    if walked != heads:
        yield "stored heads differ from the chains"


def _log(node: Node) -> Iterator[str]:
    state = log.state()
    numbers = [int(row[0]) for row in sql.all_rows("SELECT number FROM log_entry ORDER BY number")]
    if numbers != list(range(state.size)):
        yield f"expected numbers 0 to {state.size - 1} without gap"
    if root_at(log.Tiles(), size=state.size) != state.root:
        yield "the root is not the root of the tiles"
    in_history = sorted(bytes(row[0]) for row in sql.all_rows("SELECT leaf FROM history"))
    in_log = sorted(
        bytes(row[0])
        for row in sql.all_rows("SELECT leaf FROM log_entry WHERE dossier IS NOT NULL")
    )
    if in_history != in_log:
        yield f"{len(in_history)} history leaves, {len(in_log)} in the log"
    yield from _checkpoints(node)


def _checkpoints(node: Node) -> Iterator[str]:
    (key,) = sequence.verifier_keys(node)
    rows = sql.all_rows("SELECT note FROM checkpoint ORDER BY size")
    heads = [verify_checkpoint(bytes(row[0]), key=key) for row in rows]
    for old, new in pairwise(heads):
        verify_consistency(
            old_size=old.size,
            old_root=old.root,
            size=new.size,
            root=new.root,
            path=consistency_proof(log.Tiles(), old_size=old.size, size=new.size),
        )
    if not heads or heads[-1].size != log.state().size:
        yield "the newest checkpoint does not cover the log"
