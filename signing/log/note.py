"""C2SP signed notes: a text, and lines of signatures under it, parsed so that they print back.

A note says nothing until `verify_note` has found a good signature of a key the caller trusts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signing.log.errors import NoteKeyRefused, NoteMalformed, NoteSignatureRefused

# The signed-note text asks for at least 16; cosignatures of many peers fit as well.
MAX_SIGNATURES: Final = 64
MAX_NOTE_BYTES: Final = 512 * 1024

_ED25519: Final = 0x01  # signature type byte of a plain Ed25519 note signature
_DASH: Final = "\u2014 "
_KEY: Final = re.compile(r"\A(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]{44})\Z")
_KEY_ID_BYTES: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteSignature:
    """One signature line; whose it is and whether it is good is not yet known."""

    # No white space, no plus sign.
    name: str
    # The first four bytes of a hash over name, type and key: a look-up aid, not an identity.
    key_id: bytes
    value: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A text ending in a newline, and the signatures that claim to be over it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def dump(self) -> bytes:
        """Return the bytes of the note; `parse_note` returns an equal note from them."""
        lines = "".join(
            f"{_DASH}{one.name} {base64.b64encode(one.key_id + one.value).decode()}\n"
            for one in self.signatures
        )
        return f"{self.text}\n{lines}".encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifierKey:
    """A named Ed25519 key that may sign notes; printed as `name+id+base64`."""

    name: str
    # 32 bytes (RFC 8032).
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse a name that no signature line can carry, and a key of another length."""
        if not is_key_name(self.name) or len(self.public_key) != 32:
            raise NoteKeyRefused("expected a key name without spaces or plus and a 32-byte key")

    @property
    def key_id(self) -> bytes:
        """Return SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)[:4]."""
        hashed = self.name.encode() + b"\n" + bytes([_ED25519]) + self.public_key
        return hashlib.sha256(hashed).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([_ED25519]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


def parse_verifier_key(text: str) -> VerifierKey:
    """Return the key printed as `name+id+base64`; raise `NoteKeyRefused` for anything else."""
    match = _KEY.match(text)
    if match is None:
        raise NoteKeyRefused("expected a log key such as name+1234abcd+AX…, got another text")
    raw = _base64(match["key"])
    if raw is None or raw[0] != _ED25519:
        raise NoteKeyRefused("expected an Ed25519 log key, got another kind")
    key = VerifierKey(name=match["name"], public_key=raw[1:])
    if key.key_id.hex() != match["id"]:
        raise NoteKeyRefused("expected the key id of this name and key, got another one")
    return key


def verifier_key(name: str, *, key: Ed25519PrivateKey) -> VerifierKey:
    """Return the public half of a log's signing key under the log's name."""
    return VerifierKey(name=name, public_key=key.public_key().public_bytes_raw())


def sign_note(text: str, *, name: str, key: Ed25519PrivateKey) -> Note:
    """Return the note that says `text`, signed by `name`."""
    _check_text(text)
    public = verifier_key(name, key=key)
    signature = NoteSignature(name=name, key_id=public.key_id, value=key.sign(text.encode()))
    return Note(text=text, signatures=(signature,))


def verify_note(note: Note, *, key: VerifierKey) -> str:
    """Return the text of a note that `key` signed; raise `NoteSignatureRefused` otherwise.

    Lines of other keys are ignored, as the format asks; every line of this key must be good.
    """
    own = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    if not own:
        raise NoteSignatureRefused(f"expected a signature of {key.name}, got none", key=key.name)
    for one in own:
        try:
            public = Ed25519PublicKey.from_public_bytes(key.public_key)
            public.verify(one.value, note.text.encode())
        except (InvalidSignature, ValueError) as exc:
            raise NoteSignatureRefused(
                f"expected a good signature of {key.name}, got a bad one", key=key.name
            ) from exc
    return note.text


def parse_note(content: bytes) -> Note:
    """Return the note in `content`; raise `NoteMalformed` unless it prints back identically."""
    if len(content) > MAX_NOTE_BYTES:
        raise NoteMalformed(f"expected at most {MAX_NOTE_BYTES} bytes, got {len(content)}")
    try:
        decoded = content.decode()
    except UnicodeDecodeError as exc:
        raise NoteMalformed("expected UTF-8, got other bytes") from exc
    text, blank, lines = decoded.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteMalformed("expected text, a blank line and signature lines, got another shape")
    text += "\n"
    _check_text(text)
    printed = lines.removesuffix("\n").split("\n")
    if len(printed) > MAX_SIGNATURES:
        raise NoteMalformed(f"expected at most {MAX_SIGNATURES} signatures, got {len(printed)}")
    note = Note(text=text, signatures=tuple(_parse_signature(line) for line in printed))
    if note.dump() != content:
        raise NoteMalformed("expected the one spelling of a note, got another")
    return note


def is_key_name(name: str) -> bool:
    """Tell whether `name` may stand in a signature line: not empty, no space, plus or control."""
    return name != "" and not any(one.isspace() or one == "+" or one < " " for one in name)


def _parse_signature(line: str) -> NoteSignature:
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2 or not is_key_name(parts[0]):
        raise NoteMalformed("expected a signature line, got another text")
    raw = _base64(parts[1])
    if raw is None or len(raw) <= _KEY_ID_BYTES:
        raise NoteMalformed("expected base64 of a key id and a signature, got something else")
    return NoteSignature(name=parts[0], key_id=raw[:_KEY_ID_BYTES], value=raw[_KEY_ID_BYTES:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(one < " " and one != "\n" for one in text):
        raise NoteMalformed("expected text ending in a newline and free of control characters")


def _base64(text: str) -> bytes | None:
    """Return the bytes of strict base64, or None; the caller names what it is the base64 of."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
