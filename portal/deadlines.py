"""End connections whose peer is too slow: gunicorn's threads read from blocking sockets.

A reader says until when its next read must have returned; one thread looks after all of them
and shuts the socket of the late ones, so that the blocked read returns.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_TICK_SECONDS: Final = 0.5


class Deadlines:
    """The reads that are under way in this process, each with its deadline."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[socket.socket, float] = {}
        self._late: set[socket.socket] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, sock: socket.socket, seconds: float) -> Iterator[None]:
        """Shut `sock` if the body of this block takes longer; raise `TimeoutError` after it."""
        with self._changed:
            self._due[sock] = time.monotonic() + seconds
            self._start()
            if len(self._due) == 1:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(sock, None)
                late = sock in self._late
                self._late.discard(sock)
            if late:
                raise TimeoutError("expected the peer to send faster")

    def _start(self) -> None:
        # Started with the first read and not before: a thread does not survive gunicorn's fork.
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._due))
                self._shut_late(time.monotonic())
            time.sleep(_TICK_SECONDS)

    def _shut_late(self, now: float) -> None:
        for sock in [one for one, due in self._due.items() if due < now]:
            del self._due[sock]
            self._late.add(sock)
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RD)
