"""What crosses the edge between HTTP and the connectors, without naming an HTTP framework.

The portal adapts its server to `WireRequest` and `WireReply`; the connectors know only these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from dossier.ids import AgencyCode, MessageId, Sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class WireRequest:
    """One HTTP request whose body has not been read yet."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    stream: BinaryIO  # the body, de-chunked; `read(n)` returns b"" at its end
    peer: str  # address of the caller, for quotas


@dataclass(frozen=True, kw_only=True, slots=True)
class WireReply:
    """One HTTP reply; `body` may be read once."""

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes]


WireEndpoint = Callable[[WireRequest], WireReply]


@dataclass(frozen=True, kw_only=True, slots=True)
class SendHints:
    """The announced fields of SendMessage: they may refuse early, they prove nothing (§4.1)."""

    from_agency: AgencyCode
    to_agency: AgencyCode
    message_id: MessageId
    container_sha256: Sha256
    size_bytes: int


class Spooled(Protocol):
    """A received attachment, hashed while it was written."""

    @property
    def content(self) -> bytes | Path:
        """Its bytes where they are few, else where they lie until they are kept or dropped."""

    @property
    def sha256(self) -> Sha256:
        """Of the bytes written."""

    @property
    def size_bytes(self) -> int:
        """Number of bytes written."""

    def drop(self) -> None:
        """Let go of it; calling twice is harmless."""


class SpoolWriter(Protocol):
    """An attachment that is being received."""

    def write(self, chunk: bytes) -> None:
        """Append; raise `Rejected` or `Unavailable` past a quota or the announced size."""

    def close(self) -> Spooled:
        """Flush and return it."""

    def abort(self) -> None:
        """Delete what was written; calling twice is harmless."""


class Spool(Protocol):
    """Where unauthenticated bytes wait, under per-peer and total quotas."""

    def open(self, *, peer: str, limit_bytes: int) -> SpoolWriter:
        """Start an attachment of at most `limit_bytes`."""


class Receiving(Protocol):
    """The use cases behind SendMessage, as the SOAP server is handed them."""

    def before(self, hints: SendHints) -> bytes | None:
        """Refuse early by raising, answer a duplicate with its stored receipt, or return None."""

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        """Judge, store and answer: the sealed receipt, yes or no.

        Raises a `LienThongError` where no receipt may exist (sender not authenticated,
        time-stamp authority or database unavailable): the caller answers a fault.
        """


class Sending(Protocol):
    """What delivers one container to a partner's endpoint."""

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        """Return the receipt's bytes as received, unverified; raise `Unavailable` or `Rejected`."""


class Called(Protocol):
    """One container that is on its way."""

    def receipt(self) -> bytes:
        """Return the receipt, once, as `Sending.send` does; raise what it raises."""

    def drop(self) -> None:
        """Let go of an answer that nobody will take."""


@runtime_checkable
class SendingAhead(Sending, Protocol):
    """What can deliver several containers at a time, without threads."""

    def call(self, endpoint: str, hints: SendHints, container: bytes | Path) -> Called:
        """Send the container and return before the answer comes; raise as `Sending.send` does."""
