"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, and the judging of proofs.

Pure functions over hashes. Nothing here knows tiles, files, rows or keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from signing.log.errors import LogIndexRefused, LogProofRefused

HASH_SIZE_BYTES: Final = 32
# RFC 6962 §2.1: the root of no entries is the hash of the empty string.
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
# A tree of 2^63 entries; a longer proof cannot be honest and is not walked.
MAX_PROOF_HASHES: Final = 63

# Returns the root of the complete subtree of height `height` that starts at leaf
# `index << height`.
SubtreeHash = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry) (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes of equal height, whose number must be a power of two."""
    level = list(hashes)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [node_hash(left, right) for left, right in pairs]
    return level[0]


def range_root(low: int, high: int, subtree: SubtreeHash) -> bytes:
    """Return MTH(D[low:high]) of RFC 6962 §2.1, for a `low` aligned as the recursion leaves it."""
    count = high - low
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return subtree(height, low >> height)
    middle = low + _split(count)
    return node_hash(range_root(low, middle, subtree), range_root(middle, high, subtree))


def inclusion_path(index: int, size: int, subtree: SubtreeHash) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf's sibling up."""
    if not 0 <= index < size:
        raise LogIndexRefused(f"expected an index below {size}, got {index}", index=index)
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(range_root(middle, high, subtree))
            high = middle
        else:
            path.append(range_root(low, middle, subtree))
            low = middle
    return tuple(reversed(path))


def consistency_path(old_size: int, size: int, subtree: SubtreeHash) -> tuple[bytes, ...]:
    """Return PROOF(old_size, D[size]) of RFC 6962 §2.1.2; empty for equal sizes or an empty old."""
    if not 0 <= old_size <= size:
        raise LogIndexRefused(f"expected a size up to {size}, got {old_size}", index=old_size)
    if old_size in (0, size):
        return ()
    path: list[bytes] = []
    low, high = 0, size
    known = True  # whether the verifier already holds the root of [low, high) as its old root
    while old_size != high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(range_root(middle, high, subtree))
            high = middle
        else:
            path.append(range_root(low, middle, subtree))
            low, known = middle, False
    if not known:
        path.append(range_root(low, high, subtree))
    return tuple(reversed(path))


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Raise `LogProofRefused` unless `path` leads from the leaf's hash to `root`.

    RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        raise LogProofRefused(f"expected an index below {size}, got {index}")
    computed = leaf
    for sibling, is_left in _climb(path, position=index, last=size - 1):
        computed = node_hash(sibling, computed) if is_left else node_hash(computed, sibling)
    if computed != root:
        raise LogProofRefused("expected the root of the checkpoint, got another one")


def verify_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Raise `LogProofRefused` unless the tree `root` grew out of `old_root`.

    RFC 9162 §2.1.4.2.
    """
    if old_size <= 0 or old_size >= size:
        _check_trivial(old_size, old_root, size=size, root=root, path=path)
        return
    hashes = list(path)
    # An old tree that is one complete subtree is itself where the proof starts.
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise LogProofRefused("expected a consistency proof, got none")
    # The walk starts at the root of the old tree's last complete subtree.
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    computed_old = computed = hashes[0]
    for sibling, is_left in _climb(hashes[1:], position=position, last=last):
        if is_left:
            computed_old = node_hash(sibling, computed_old)
            computed = node_hash(sibling, computed)
        else:
            computed = node_hash(computed, sibling)
    if computed_old != old_root or computed != root:
        raise LogProofRefused("expected a log that only grew, got one that was rewritten")


def _climb(path: Sequence[bytes], *, position: int, last: int) -> Iterator[tuple[bytes, bool]]:
    """Return each hash of `path` with whether it stands left, from `position` up to the root.

    The shape of the tree alone says how many there must be; any other number is refused.
    """
    sides: list[bool] = []
    while last:
        is_left = bool(position & 1) or position == last
        sides.append(is_left)
        # A node at the right edge without a sibling moves up until it is a right child.
        while is_left and position and not position & 1:
            position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    if len(path) != len(sides) or any(len(step) != HASH_SIZE_BYTES for step in path):
        raise LogProofRefused(f"expected {len(sides)} hashes of 32 bytes, got {len(path)}")
    return zip(path, sides, strict=True)


def _check_trivial(
    old_size: int, old_root: bytes, *, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    if not 0 <= old_size <= size:
        raise LogProofRefused(f"expected an old size up to {size}, got {old_size}")
    if path:
        raise LogProofRefused("expected no consistency proof between these sizes, got one")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise LogProofRefused("expected the root of the empty tree, got another one")
    if old_size == size and old_root != root:
        raise LogProofRefused("expected one root for one size, got two")


def _split(count: int) -> int:
    """Return the largest power of two below `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)
