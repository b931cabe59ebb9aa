"""Examine proofs of a log that somebody else keeps: no database, no network, no node."""

from __future__ import annotations

from signing.log.checkpoint import Checkpoint
from signing.log.consistency import parse_consistency, verify_growth
from signing.log.note import parse_verifier_key
from signing.log.proof import parse_proof, verify_proof


def verify_entry(proof: bytes, *, entry: bytes, key: str) -> Checkpoint:
    """Return the checkpoint that holds the entry, signed by the key."""
    return verify_proof(parse_proof(proof), entry=entry, key=parse_verifier_key(key))


def verify_grown(
    proof: bytes, *, old: bytes, old_key: str, key: str
) -> tuple[Checkpoint, Checkpoint]:
    """Return both checkpoints when the later log holds all of the earlier."""
    return verify_growth(
        parse_consistency(proof),
        old=old,
        old_key=parse_verifier_key(old_key),
        key=parse_verifier_key(key),
    )
