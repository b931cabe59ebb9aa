"""The sequencer: give the leaves that wait their numbers, sign the new head, prove entries.

One transaction numbers a batch; several sequencers at once are harmless, because only the holder
of the lock goes on. Signing comes after the commit: a head is signed only when it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dossier.ids import Sha256
from exchange import logkey
from exchange.drained import Drained
from exchange.node import Node
from signing.log.checkpoint import Checkpoint, sign_checkpoint
from signing.log.frontier import Frontier, append
from signing.log.keys import load_log_key
from signing.log.merkle import leaf_hash
from signing.log.note import VerifierKey
from signing.log.proof import LogProof
from signing.log.tiles import inclusion_proof
from storage import log
from storage.transactions import transaction

BATCH: Final = 1000


def sequence_log(node: Node) -> Drained:
    """Number one batch of waiting leaves and sign the head if it moved."""
    if not log.backlog().due:  # a read, so an idle sequencer locks nothing
        sign_head(node)
        return Drained(done=0, more=False)
    with transaction():
        # 1. the lock first: what was committed before is visible to what follows
        if not log.lock_sequencer():
            return Drained(done=0, more=False)
        # 2. the edge of the log, and what waits
        edge = log.state()
        pending = log.take_pending(BATCH)
        if pending:
            # 3. numbers, tiles and the new edge, with the pending rows gone, in one commit
            log.write_batch(_batch(edge, pending))
    sign_head(node)
    return Drained(done=len(pending), more=len(pending) == BATCH)


def catch_up(node: Node) -> None:
    """Number everything that waits, so that what has happened can be proved."""
    while sequence_log(node).more:
        pass


def sign_head(node: Node) -> None:
    """Sign and store the head of the log unless the newest checkpoint says the same."""
    edge, last = log.state(), log.last_checkpoint()
    if edge.size == 0 or (last is not None and last.size >= edge.size):
        return
    (public,) = verifier_keys(node)
    checkpoint = Checkpoint(origin=origin(node), size=edge.size, root=edge.root)
    note = sign_checkpoint(checkpoint, key=load_log_key(logkey.read(node.settings.keys_dir)))
    with transaction():
        logkey.remember(public)
        log.add_checkpoint(
            log.StoredCheckpoint(size=edge.size, root=edge.root, note=note, at=node.now())
        )


def proofs(node: Node, leaves: Sequence[bytes]) -> list[bytes | None]:
    """Return the proof file of each leaf, None for one that was never logged.

    All of them lead to one checkpoint, so that a bundle states one head of the log.
    """
    catch_up(node)
    checkpoint = log.last_checkpoint()
    return [_proof(leaf, checkpoint) for leaf in leaves]


def verifier_keys(node: Node) -> tuple[VerifierKey, ...]:
    """Return the key that the node's checkpoints verify with; raise `LogKeyDiffers`."""
    return (logkey.own(node.settings.keys_dir, epoch=node.epoch),)


def origin(node: Node) -> str:
    """Return the name of this node's log; it changes with the epoch (protocol §6)."""
    return logkey.origin_of(node.epoch)


def _batch(edge: log.LogState, pending: Sequence[log.PendingLeaf]) -> log.Batch:
    appended = append(
        Frontier(size=edge.size, open_tiles=edge.open_tiles), [one.leaf for one in pending]
    )
    return log.Batch(
        leaves=[
            log.NumberedLeaf(
                pending=one.id, index=entry.index, leaf_hash=Sha256(entry.leaf_hash.hex())
            )
            for one, entry in zip(pending, appended.entries, strict=True)
        ],
        tiles=[
            log.StoredTile(level=tile.level, index=tile.index, hashes=tile.hashes)
            for tile in appended.tiles
        ],
        state=log.LogState(
            size=appended.frontier.size,
            root=appended.root,
            open_tiles=appended.frontier.open_tiles,
        ),
    )


def _proof(leaf: bytes, checkpoint: log.StoredCheckpoint | None) -> bytes | None:
    index = log.index_of(leaf_hash(leaf).hex())
    if index is None or checkpoint is None or index >= checkpoint.size:
        return None
    path = inclusion_proof(log.Tiles(), index=index, size=checkpoint.size)
    return LogProof(index=index, path=path, checkpoint=checkpoint.note).dump()
