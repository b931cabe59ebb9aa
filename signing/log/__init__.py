"""The tamper-evident log: RFC 6962 tree, C2SP tiles, signed checkpoints, proofs, leaves.

Pure: the store keeps the rows, the sequencer calls `append`, the auditor calls `verify_proof`.

    appended = append(Frontier(), [opening.leaf.dump()])
    head = Checkpoint(origin="h28.example/log/1", size=1, root=appended.root)
    signed = sign_checkpoint(head, key=key)
    proof = LogProof(index=0, path=inclusion_proof(tiles, index=0, size=1), checkpoint=signed)
    verify_proof(proof, entry=opening.leaf.dump(), key=verifier_key(head.origin, key=key))
"""

from signing.log.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint, verify_checkpoint
from signing.log.frontier import Appended, Entry, Frontier, append, frontier_at
from signing.log.leaf import (
    DossierPlace,
    Leaf,
    LeafKind,
    Opening,
    dossier_token,
    parse_leaf,
    parse_opening,
)
from signing.log.merkle import verify_consistency, verify_inclusion
from signing.log.note import VerifierKey, parse_verifier_key, verifier_key
from signing.log.proof import LogProof, parse_proof, verify_proof
from signing.log.tiles import Tile, TileSource, consistency_proof, inclusion_proof, root_at

__all__ = [
    "Appended",
    "Checkpoint",
    "DossierPlace",
    "Entry",
    "Frontier",
    "Leaf",
    "LeafKind",
    "LogProof",
    "Opening",
    "Tile",
    "TileSource",
    "VerifierKey",
    "append",
    "consistency_proof",
    "dossier_token",
    "frontier_at",
    "inclusion_proof",
    "parse_checkpoint",
    "parse_leaf",
    "parse_opening",
    "parse_proof",
    "parse_verifier_key",
    "root_at",
    "sign_checkpoint",
    "verifier_key",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
    "verify_proof",
]
