"""A second reader of log proofs: standard library and cryptography, nothing of the product.

Written from the C2SP texts and RFC 6962 alone, so that one mistake cannot hide in both readers.
Usage: python tlog_reader.py VERIFIER-KEY PROOF LEAF [OLD-CHECKPOINT CONSISTENCY-HASH…]
"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Wrong(Exception):
    """The file does not prove what it claims."""


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def read_key(text: str) -> tuple[str, bytes, bytes]:
    name, hex_id, encoded = text.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    key_id = sha(name.encode(), b"\n", raw)[:4]
    if raw[0] != 1 or len(raw) != 33 or key_id.hex() != hex_id:
        raise Wrong("verifier key")
    return name, key_id, raw[1:]


def read_checkpoint(note: bytes, key: str) -> tuple[int, bytes]:
    """Return size and root of a checkpoint signed by `key`."""
    name, key_id, public = read_key(key)
    cut = note.rindex(b"\n\n")
    text, lines = note[: cut + 1], note[cut + 2 :].decode().splitlines()
    good = 0
    for line in lines:
        dash, signer, encoded = line.split(" ")
        raw = base64.b64decode(encoded, validate=True)
        if dash != "\u2014":
            raise Wrong("signature line")
        if signer == name and raw[:4] == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text)
            except InvalidSignature as exc:
                raise Wrong("checkpoint signature") from exc
            good += 1
    origin, size, root, rest = text.decode().split("\n")
    if not good or origin != name or rest or str(int(size)) != size:
        raise Wrong("checkpoint")
    return int(size), base64.b64decode(root, validate=True)


def root_from_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Follow RFC 6962 §2.1.1 from the top: the split at each level says where the leaf is."""
    if size == 1:
        if path:
            raise Wrong("proof too long")
        return leaf
    if not path:
        raise Wrong("proof too short")
    half = 1
    while half * 2 < size:
        half *= 2
    if index < half:
        return sha(b"\x01", root_from_inclusion(leaf, index, half, path[:-1]), path[-1])
    right = root_from_inclusion(leaf, index - half, size - half, path[:-1])
    return sha(b"\x01", path[-1], right)


def roots_from_consistency(
    old: int, size: int, path: list[bytes], old_root: bytes, whole: bool
) -> tuple[bytes, bytes]:
    """Return the old and the new root that SUBPROOF of RFC 6962 §2.1.2 leads to."""
    if old == size:
        if whole:
            return old_root, old_root
        if len(path) != 1:
            raise Wrong("proof length")
        return path[0], path[0]
    if not path:
        raise Wrong("proof too short")
    half = 1
    while half * 2 < size:
        half *= 2
    if old <= half:
        low, high = roots_from_consistency(old, half, path[:-1], old_root, whole)
        return low, sha(b"\x01", high, path[-1])
    low, high = roots_from_consistency(old - half, size - half, path[:-1], old_root, False)
    return sha(b"\x01", path[-1], low), sha(b"\x01", path[-1], high)


def check_proof(proof: bytes, leaf: bytes, key: str) -> tuple[int, int]:
    """Return (index, size) when `proof` shows that `leaf` is in the log of `key`."""
    head, checkpoint = proof.split(b"\n\n", 1)
    lines = head.decode("ascii").split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise Wrong("header")
    index = int(lines[1].removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    size, root = read_checkpoint(checkpoint, key)
    if not 0 <= index < size or any(len(one) != 32 for one in path):
        raise Wrong("index or hash")
    if root_from_inclusion(sha(b"\x00", leaf), index, size, path) != root:
        raise Wrong("inclusion")
    return index, size


def check_growth(old: bytes, new: bytes, path: list[bytes], key: str) -> None:
    """Return when the log of `new` is a continuation of the log of `old`."""
    old_size, old_root = read_checkpoint(old, key)
    size, root = read_checkpoint(new, key)
    if not 0 < old_size <= size or any(len(one) != 32 for one in path):
        raise Wrong("sizes or hash")
    if old_size == size and path:
        raise Wrong("proof too long")
    if roots_from_consistency(old_size, size, path, old_root, True) != (old_root, root):
        raise Wrong("consistency")


def main(arguments: list[str]) -> int:
    key, proof_file, leaf_file, *growth = arguments
    proof = Path(proof_file).read_bytes()
    try:
        index, size = check_proof(proof, Path(leaf_file).read_bytes(), key)
        if growth:
            hashes = [base64.b64decode(one, validate=True) for one in growth[1:]]
            check_growth(Path(growth[0]).read_bytes(), proof.split(b"\n\n", 1)[1], hashes, key)
    except (Wrong, ValueError) as exc:
        sys.stderr.write(f"not proved: {exc}\n")
        return 1
    sys.stdout.write(f"entry {index} of {size}: proved\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
