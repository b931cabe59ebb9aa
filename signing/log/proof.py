"""`c2sp.org/tlog-proof@v1` files: an entry's path to a checkpoint, checkable with no network."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from signing.log.checkpoint import Checkpoint, verify_checkpoint
from signing.log.errors import LogProofMalformed
from signing.log.merkle import HASH_SIZE_BYTES, MAX_PROOF_HASHES, leaf_hash, verify_inclusion
from signing.log.note import MAX_NOTE_BYTES, VerifierKey

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"\Aindex (0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogProof:
    """A parsed proof file; nothing in it holds until `verify_proof` returned."""

    # Position of the entry in the log, from 0.
    index: int
    # From the leaf's sibling up to a child of the root.
    path: tuple[bytes, ...]
    # The signed checkpoint, verbatim.
    checkpoint: bytes

    def dump(self) -> bytes:
        """Return the bytes of the proof file."""
        hashes = "".join(f"{base64.b64encode(step).decode()}\n" for step in self.path)
        return f"{_HEADER}\nindex {self.index}\n{hashes}\n".encode() + self.checkpoint


def parse_proof(content: bytes) -> LogProof:
    """Return the proof in `content`; raise `LogProofMalformed` unless it prints back identically.

    The unauthenticated `extra` line of the format is refused: no byte of ours is free.
    """
    head, blank, checkpoint = content.partition(b"\n\n")
    if not blank or len(head) > MAX_NOTE_BYTES:
        raise LogProofMalformed("expected a proof, an empty line and a checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as exc:
        raise LogProofMalformed("expected ASCII lines before the checkpoint") from exc
    index = _INDEX.match(lines[1]) if len(lines) > 1 else None
    if lines[0] != _HEADER or index is None or len(lines) > 2 + MAX_PROOF_HASHES:
        raise LogProofMalformed(f"expected {_HEADER!r}, an index and at most 63 hashes")
    proof = LogProof(
        index=int(index[1]),
        path=tuple(_parse_hash(line) for line in lines[2:]),
        checkpoint=checkpoint,
    )
    if proof.dump() != content:
        raise LogProofMalformed("expected the one spelling of a proof, got another")
    return proof


def verify_proof(proof: LogProof, *, entry: bytes, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint that holds `entry` at the proof's index, signed by `key`.

    Raises `NoteMalformed`, `NoteSignatureRefused` or `LogProofRefused`.
    """
    checkpoint = verify_checkpoint(proof.checkpoint, key=key)
    verify_inclusion(
        leaf_hash(entry),
        index=proof.index,
        size=checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )
    return checkpoint


def _parse_hash(line: str) -> bytes:
    try:
        decoded = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise LogProofMalformed("expected base64 of a hash, got another text") from exc
    if len(decoded) != HASH_SIZE_BYTES:
        raise LogProofMalformed(f"expected hashes of {HASH_SIZE_BYTES} bytes, got {len(decoded)}")
    return decoded
