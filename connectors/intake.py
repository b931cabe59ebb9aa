"""Bring announced containers into the spool, refusing them as soon as they prove false."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.errors import BodyTooLarge, DigestMismatch, SizeMismatch
from dossier.errors import LienThongError
from dossier.wire import SendHints, Spool, Spooled


def spool_container(
    chunks: Iterable[bytes], hints: SendHints, *, spool: Spool, peer: str
) -> Spooled:
    """Return the container on disk, its size and digest as announced (protocol §4.2 and §4.3).

    Raises `SizeMismatch` at the first byte too many, `DigestMismatch`, or what the spool's
    quotas and the source of `chunks` raise; nothing stays in the spool then.
    """
    false_size = SizeMismatch(
        f"expected {hints.size_bytes} bytes, got more", expected_bytes=hints.size_bytes
    )
    spooled = _spool(chunks, hints.size_bytes, too_much=false_size, spool=spool, peer=peer)
    return checked_container(spooled, hints)


def spool_unannounced(
    chunks: Iterable[bytes], limit_bytes: int, *, spool: Spool, peer: str
) -> Spooled:
    """Return content on disk whose announcement has not been read yet.

    Raises `BodyTooLarge` at the first byte past the limit.
    """
    too_large = BodyTooLarge(f"expected at most {limit_bytes} bytes", limit_bytes=limit_bytes)
    return _spool(chunks, limit_bytes, too_much=too_large, spool=spool, peer=peer)


def checked_container(spooled: Spooled, hints: SendHints) -> Spooled:
    """Return the container if it is what was announced, else drop it and raise."""
    if spooled.size_bytes != hints.size_bytes:
        spooled.drop()
        raise SizeMismatch(
            f"expected {hints.size_bytes} bytes, got {spooled.size_bytes}",
            expected_bytes=hints.size_bytes,
        )
    if spooled.sha256 != hints.container_sha256:
        spooled.drop()
        raise DigestMismatch("expected the announced SHA-256, got another")
    return spooled


def bytes_of(spooled: Spooled) -> bytes:
    """Return the bytes of an attachment that may be held in memory."""
    content = spooled.content
    return content if isinstance(content, bytes) else content.read_bytes()


def _spool(
    chunks: Iterable[bytes], limit_bytes: int, *, too_much: LienThongError, spool: Spool, peer: str
) -> Spooled:
    writer = spool.open(peer=peer, limit_bytes=limit_bytes)
    try:
        for chunk in _within(chunks, limit_bytes, too_much):
            writer.write(chunk)
        return writer.close()
    except BaseException:
        writer.abort()
        raise


def _within(chunks: Iterable[bytes], limit_bytes: int, too_much: LienThongError) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > limit_bytes:
            raise too_much
        yield chunk
