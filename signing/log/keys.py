"""The key that signs checkpoints: an Ed25519 key in a PKCS#8 PEM file, used for nothing else."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from signing.errors import KeyUnusable


def new_log_key() -> bytes:
    """Return a new key as a PEM file."""
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def load_log_key(content: bytes) -> Ed25519PrivateKey:
    """Return the key of a PEM file; raise `KeyUnusable`."""
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise KeyUnusable("expected a PKCS#8 PEM key, got something else", reason="format") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable("expected an Ed25519 key, got another kind", reason="kind")
    return key
