"""Connections to partners: opened to where and to whom our rules say, kept for the next call.

The standard library speaks HTTP; it has no proxies, cookies, redirects or credentials of its own
accord. A connection serves one call at a time.
"""

from __future__ import annotations

import http.client
import io
import os
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

BROKEN: Final = (http.client.HTTPException, OSError)
"""What a connection raises when it breaks, or is used for what is no HTTP."""

Response: TypeAlias = http.client.HTTPResponse
"""A reply; once its body was read to the end it is closed by itself."""

_BLOCK_BYTES: Final = 256 * 1024

Resolver = Callable[[str, int], str]
"""Returns the one address that a host is called at; raises `EndpointForbidden` for a bad one."""


Pins = Callable[[str, int], frozenset[bytes]]
"""Returns the certificates (DER) of which a host must show one; none: any trusted one does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Whom to trust and who we are, as files; None trusts the system's authorities."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection leads."""

    scheme: str  # http or https
    host: str
    port: int


def _context(tls: Tls) -> ssl.SSLContext:
    """Return our side of a handshake; raise `OSError` for files that cannot be used."""
    files = (tls.authorities, tls.certificate, tls.key)
    return _read_context(tls, tuple(os.stat(one).st_mtime_ns for one in files if one))


@lru_cache(maxsize=16)
def _read_context(tls: Tls, _changed: tuple[int, ...]) -> ssl.SSLContext:
    # Read again when a file was replaced: certificates are renewed while we run.
    context = ssl.create_default_context(cafile=str(tls.authorities) if tls.authorities else None)
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


class Connection(http.client.HTTPConnection):
    """One connection; how long it may be silent and take in all is set before each use."""

    def __init__(
        self,
        place: Place,
        *,
        connect_seconds: float,
        tls: Tls,
        resolver: Resolver | None,
        pins: Pins | None,
    ) -> None:
        super().__init__(place.host, place.port, timeout=connect_seconds, blocksize=_BLOCK_BYTES)
        self.place: Final = place
        self._connect_seconds = connect_seconds
        self._tls = tls
        self._resolver = resolver
        self._pins = pins
        self.silence = connect_seconds
        self.deadline = float("inf")
        self._held: list[bytes] | None = None

    def endheaders(
        self,
        message_body: Any = None,  # noqa: ANN401 - as inherited
        *,
        encode_chunked: bool = False,
    ) -> None:
        """Send head and body; the head leaves with the first block, so the peer wakes once."""
        self._held = []
        super().endheaders(message_body, encode_chunked=encode_chunked)
        self._release()

    def send(self, data: Any) -> None:  # noqa: ANN401 - as inherited
        """Send a piece of a request."""
        if self._held is None:
            super().send(data)
            return
        self._held.append(data)
        if len(self._held) > 1:
            self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held:
            super().send(b"".join(held))

    def connect(self) -> None:
        """Open it; nothing is sent before the certificate was judged.

        Raises `OSError`, and what the resolver raises.
        """
        host, port = self.place.host, self.place.port
        address = self._resolver(host, port) if self._resolver else host
        with ExitStack() as unless_kept:
            opened = socket.create_connection((address, port), self._connect_seconds)
            unless_kept.callback(opened.close)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.place.scheme == "https":
                opened = self._secured(opened)
                unless_kept.callback(opened.close)
            opened.settimeout(self.silence)
            unless_kept.pop_all()
        self.sock = opened

    def allow(self, *, silence: float, deadline: float = float("inf")) -> None:
        """Let it be silent so many seconds at a time, and not past a monotonic deadline at all."""
        self.silence, self.deadline = silence, deadline
        if self.sock is not None:
            self.sock.settimeout(silence)

    def is_alive(self) -> bool:
        """Tell whether nobody has closed it, or said anything unasked."""
        if self.sock is None:
            return False
        look = select.poll()
        look.register(self.sock, select.POLLIN)
        return not look.poll(0)

    def response_class(  # type: ignore[override]  # http.client calls it, whatever it is
        self,
        sock: socket.socket,
        **how: Any,  # noqa: ANN401 - as inherited
    ) -> Response:
        """Return the reply, each of whose reads keeps to what is allowed."""
        reading: Any = _Reading(sock, self)  # makefile is all it takes
        return Response(reading, **how)

    def _secured(self, opened: socket.socket) -> ssl.SSLSocket:
        # The certificate is judged by the name that was asked for, whatever the address.
        host = self.place.host
        secured = _context(self._tls).wrap_socket(opened, server_hostname=host)
        bound = self._pins(host, self.place.port) if self._pins else frozenset()
        if bound and secured.getpeercert(binary_form=True) not in bound:
            secured.close()
            raise OSError("expected a certificate that the directory binds")
        return secured


class _Reading(io.RawIOBase):
    """What comes over a socket, each read within what is allowed; a trickle does not help."""

    def __init__(self, sock: socket.socket, limits: Connection) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._limits = limits

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the stream that a reply is read from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int | None:  # noqa: ANN401 - as inherited
        left = self._limits.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("expected the whole reply within its deadline")
        self._sock.settimeout(min(left, self._limits.silence))
        return self._raw.readinto(target)

    def readall(self) -> bytes:
        """Refuse: a chunk of size -1 makes http.client ask for all that ever comes."""
        raise OSError("expected a reply that is read in bounds")

    def close(self) -> None:
        self._raw.close()
        super().close()


class Connections:
    """The idle connections of one client, a few for each place."""

    def __init__(self, make: Callable[[Place], Connection], *, kept: int) -> None:
        self._make = make
        self._kept = kept
        self._idle: dict[Place, list[Connection]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def take(self, place: Place) -> Connection:
        """Return a connection that nobody uses, not opened yet where none is alive."""
        while (found := self._last(place)) is not None:
            if found.is_alive():
                return found
            found.close()
        return self._make(place)

    def give(self, connection: Connection) -> None:
        """Keep a connection whose reply was read to its end."""
        with self._lock:
            idle = self._idle.setdefault(connection.place, [])
            if connection.sock is not None and len(idle) < self._kept:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close all that are idle."""
        with self._lock:
            _close_all(self._idle)

    def _last(self, place: Place) -> Connection | None:
        with self._lock:
            idle = self._idle.get(place)
            return idle.pop() if idle else None


def _close_all(idle: dict[Place, list[Connection]]) -> None:
    for kept in idle.values():
        while kept:
            kept.pop().close()
