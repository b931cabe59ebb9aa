"""Deliver between agencies of one node without HTTP, by the same checks and the same use case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.errors import PartnerUnavailable
from connectors.intake import spool_container
from dossier.wire import Receiving, SendHints, Spool

_CHUNK_BYTES: Final = 256 * 1024
_PEER: Final = "direct"  # whose quota counts in the spool


class DirectSender:
    """A `Sending` whose partner is a use case of this very process (protocol §1.4)."""

    def __init__(self, *, receiving: Receiving, spool: Spool) -> None:
        self._receiving = receiving
        self._spool = spool

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        """Return the receipt; `endpoint` is only where the directory says that it would be.

        Raises what the receiving use case raises, `PartnerUnavailable` for an unreadable file.
        """
        stored = self._receiving.before(hints)
        if stored is not None:
            return stored
        spooled = spool_container(_chunks(container), hints, spool=self._spool, peer=_PEER)
        try:
            return self._receiving.receive(hints, spooled)
        finally:
            spooled.drop()


def _chunks(container: bytes | Path) -> Iterator[bytes]:
    if isinstance(container, bytes):
        yield container
        return
    try:
        with container.open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
    except OSError as exc:
        raise PartnerUnavailable("expected a readable container") from exc
