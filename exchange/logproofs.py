"""Prove to others what this node's log holds: heads, entries, and that it only grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange import export, sequence
from exchange.errors import LogEmpty
from exchange.node import Node
from signing.log.checkpoint import parse_checkpoint
from signing.log.consistency import ConsistencyProof
from signing.log.errors import LogIndexRefused
from signing.log.tiles import consistency_proof
from storage import log


@dataclass(frozen=True, kw_only=True, slots=True)
class Proved:
    """An entry of the log and its proof file."""

    index: int
    entry: bytes
    proof: bytes


def newest_checkpoint(node: Node) -> bytes:
    """Return the signed head of the log after everything that waited; raise `LogEmpty`."""
    sequence.catch_up(node)
    newest = log.last_checkpoint()
    if newest is None:
        raise LogEmpty("expected a log with entries, got none")
    return newest.note


def keys(node: Node) -> list[str]:
    """Return the verifier keys of this node's checkpoints, as others keep them."""
    return [str(one) for one in sequence.verifier_keys(node)]


def prove(node: Node, indexes: Sequence[int]) -> list[Proved]:
    """Return these entries, all proved to one checkpoint; raise `LogIndexRefused`."""
    newest_checkpoint(node)
    found = [(index, log.entries(index, index + 1)) for index in indexes]
    for index, entries in found:
        if not entries:
            raise LogIndexRefused(f"expected an entry of the log, got {index}", index=index)
    return _proved(node, [entries[0] for _, entries in found])


def prove_dossier(node: Node, code: str) -> list[Proved]:
    """Return all entries of a dossier, all proved to one checkpoint."""
    newest_checkpoint(node)
    return _proved(node, log.of_dossier(export.find(node, code).id))


def prove_growth(node: Node, old: bytes) -> bytes:
    """Return the proof file that today's log continues that of an earlier checkpoint.

    Raises `LogIndexRefused` when the earlier one is of a longer log than this.
    """
    before = parse_checkpoint(old)[0]
    note = newest_checkpoint(node)
    size = parse_checkpoint(note)[0].size
    path = consistency_proof(log.Tiles(), old_size=before.size, size=size)
    return ConsistencyProof(old_size=before.size, path=path, checkpoint=note).dump()


def _proved(node: Node, entries: Sequence[log.LogEntry]) -> list[Proved]:
    proofs = sequence.proofs(node, [one.leaf for one in entries])
    return [
        Proved(index=one.index, entry=one.leaf, proof=proof)
        for one, proof in zip(entries, proofs, strict=True)
        if proof is not None
    ]
