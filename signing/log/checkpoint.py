"""C2SP tlog-checkpoint: the signed head of a log — origin, size, root.

A log signs under its own origin as key name, and never two heads that do not continue each other;
keeping that promise is the caller's, who signs only what it has committed.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing.log.errors import NoteMalformed
from signing.log.merkle import HASH_SIZE_BYTES
from signing.log.note import Note, VerifierKey, is_key_name, parse_note, sign_note, verify_note

_SIZE: Final = re.compile(r"\A(?:0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What a log says it holds."""

    # Names the log and its epoch; also the name of the key that signs it.
    origin: str
    size: int
    # Root of the first `size` entries, 32 bytes.
    root: bytes

    @property
    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, *, key: Ed25519PrivateKey) -> bytes:
    """Return the signed note of `checkpoint` under its origin's name."""
    note = sign_note(checkpoint.text, name=checkpoint.origin, key=key)
    _parse_text(note.text)
    return note.dump()


def verify_checkpoint(content: bytes, *, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint in `content`, signed by `key` and of the log that `key` names.

    Raises `NoteMalformed` or `NoteSignatureRefused`.
    """
    note = parse_note(content)
    checkpoint = _parse_text(verify_note(note, key=key))
    if checkpoint.origin != key.name:
        raise NoteMalformed(f"expected the origin {key.name}, got another log", key=key.name)
    return checkpoint


def parse_checkpoint(content: bytes) -> tuple[Checkpoint, Note]:
    """Return what `content` claims, unverified, and its note with every signature line."""
    note = parse_note(content)
    return _parse_text(note.text), note


def _parse_text(text: str) -> Checkpoint:
    lines = text.removesuffix("\n").split("\n")
    # Extension lines are allowed by the format and not recommended; ours never have any.
    if len(lines) != 3:
        raise NoteMalformed(f"expected origin, size and root, got {len(lines)} lines")
    origin, size, root = lines
    if not is_key_name(origin) or not _SIZE.match(size):
        raise NoteMalformed("expected an origin without spaces and a decimal size")
    try:
        decoded = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise NoteMalformed("expected base64 of the root, got another text") from exc
    checkpoint = Checkpoint(origin=origin, size=int(size), root=decoded)
    if len(decoded) != HASH_SIZE_BYTES or checkpoint.text != text:
        raise NoteMalformed("expected the one spelling of a 32-byte root, got another")
    return checkpoint
