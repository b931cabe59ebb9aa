"""Consistency proof files: that a later checkpoint continues an earlier one, without a network.

The form is that of a proof file (`signing.log.proof`): a header, the earlier size, the hashes, an
empty line, the later checkpoint. docs/formats/log.md.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from signing.log.checkpoint import Checkpoint, verify_checkpoint
from signing.log.errors import LogProofMalformed
from signing.log.merkle import HASH_SIZE_BYTES, MAX_PROOF_HASHES, verify_consistency
from signing.log.note import MAX_NOTE_BYTES, VerifierKey

_HEADER: Final = "lienthong-log-consistency-1"
_OLD: Final = re.compile(r"\Aold (0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsistencyProof:
    """A parsed proof file; nothing in it holds until `verify_growth` returned."""

    old_size: int
    path: tuple[bytes, ...]
    checkpoint: bytes  # the later one, signed, verbatim

    def dump(self) -> bytes:
        """Return the bytes of the proof file."""
        hashes = "".join(f"{base64.b64encode(step).decode()}\n" for step in self.path)
        return f"{_HEADER}\nold {self.old_size}\n{hashes}\n".encode() + self.checkpoint


def parse_consistency(content: bytes) -> ConsistencyProof:
    """Return the proof in `content`; raise `LogProofMalformed` unless it prints back the same."""
    head, blank, checkpoint = content.partition(b"\n\n")
    if not blank or len(head) > MAX_NOTE_BYTES:
        raise LogProofMalformed("expected a proof, an empty line and a checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
        path = tuple(base64.b64decode(line, validate=True) for line in lines[2:])
    except (UnicodeDecodeError, binascii.Error, ValueError) as exc:
        raise LogProofMalformed("expected ASCII lines of base64 before the checkpoint") from exc
    old = _OLD.match(lines[1]) if len(lines) > 1 else None
    if lines[0] != _HEADER or old is None or len(path) > MAX_PROOF_HASHES:
        raise LogProofMalformed(f"expected {_HEADER!r}, a size and at most 63 hashes")
    if any(len(one) != HASH_SIZE_BYTES for one in path):
        raise LogProofMalformed("expected hashes of 32 bytes")
    proof = ConsistencyProof(old_size=int(old[1]), path=path, checkpoint=checkpoint)
    if proof.dump() != content:
        raise LogProofMalformed("expected the one spelling of a proof, got another")
    return proof


def verify_growth(
    proof: ConsistencyProof, *, old: bytes, old_key: VerifierKey, key: VerifierKey
) -> tuple[Checkpoint, Checkpoint]:
    """Return the earlier and the later checkpoint; the later log holds all of the earlier.

    The keys differ where the log goes on under another name after a restore. Raises
    `NoteMalformed`, `NoteSignatureRefused`, `LogProofMalformed` or `LogProofRefused`.
    """
    before = verify_checkpoint(old, key=old_key)
    after = verify_checkpoint(proof.checkpoint, key=key)
    if before.size != proof.old_size:
        raise LogProofMalformed(f"expected a proof from {before.size}, got {proof.old_size}")
    verify_consistency(
        old_size=before.size,
        old_root=before.root,
        size=after.size,
        root=after.root,
        path=proof.path,
    )
    return before, after
