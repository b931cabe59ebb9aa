"""End connections whose peer is too slow: gunicorn's threads read from blocking sockets.

A reader says until when its next read must have returned; one thread looks after all of them
and shuts the socket of the late ones, so that the blocked read returns.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    ThreadWorker,
)

from exchange.boot import settle

_TICK_SECONDS: Final = 0.5
_STAY_SECONDS: Final = 0.02
_NOTIFY_SECONDS: Final = 1.0  # far less than the --timeout of `lienthong serve`


class Deadlines:
    """The connections of this process that somebody waits for, each with its deadline."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, socket.socket]] = {}
        self._late: set[object] = set()
        self._thread: threading.Thread | None = None

    def read(self, sock: socket.socket, seconds: float, read: Callable[[], bytes]) -> bytes:
        """Return what comes from `sock`; shut it and raise `TimeoutError` if that takes longer."""
        self.start(sock, sock, seconds)
        try:
            return read()
        finally:
            # Also in place of the error that the shut socket made of the read.
            if self.stop(sock):
                raise TimeoutError("expected the peer to send faster")

    def start(self, key: object, sock: socket.socket, seconds: float) -> None:
        """Shut `sock` unless `stop` is called with the same key in time."""
        with self._changed:
            self._due[key] = (time.monotonic() + seconds, sock)
            # Not before the first need: a thread does not survive gunicorn's fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            if len(self._due) == 1:
                self._changed.notify()

    def stop(self, key: object) -> bool:
        """Forget the deadline; tell whether it had passed. Calling twice is harmless."""
        with self._changed:
            self._due.pop(key, None)
            late = key in self._late
            self._late.discard(key)
            return late

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._due))
                self._shut_late(time.monotonic())
            time.sleep(_TICK_SECONDS)

    def _shut_late(self, now: float) -> None:
        for key, (due, sock) in list(self._due.items()):
            if due < now:
                del self._due[key]
                self._late.add(key)
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's threads, but a client gets a limited time to send its headers.

    Name it as `worker_class`; without it one slow client per thread stops the whole server. And a
    client that sends request after request is answered by one thread, as long as threads are left.
    """

    header_seconds = 10.0

    def init_process(self) -> None:
        """Prepare the watch in the forked process, then run."""
        self._deadlines = Deadlines()
        self._notified = 0.0
        # Half of the threads may stay with a client: the others are for those who come.
        self._places = threading.Semaphore(self.cfg.threads // 2)
        super().init_process()

    def notify(self) -> None:
        """Tell the arbiter once in a while that this process lives, not at every request."""
        now = time.monotonic()
        if now - self._notified >= _NOTIFY_SECONDS:
            self._notified = now
            super().notify()

    def load_wsgi(self) -> None:
        """Load the application, and let the collector of garbage pass over it."""
        super().load_wsgi()
        settle()

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - as inherited
        """Answer what comes on a connection, until nothing follows at once."""
        outcome = self._handle_one(conn)
        while outcome is True and self._follows(conn):
            outcome = self._handle_one(conn)
        return outcome

    def _handle_one(self, conn: Any) -> Any:  # noqa: ANN401 - as `handle`
        """Read one request's headers within their time, and answer it."""
        self._deadlines.start(conn, conn.sock, self.header_seconds)
        try:
            return super().handle(conn)
        finally:
            self._deadlines.stop(conn)

    def _follows(self, conn: Any) -> bool:  # noqa: ANN401 - as `handle`
        """Tell whether the next request comes so soon that handing the connection on costs more."""
        read_ahead = conn.parser.unreader.buf.getvalue()
        if read_ahead or not self.alive or not self._places.acquire(blocking=False):
            return False
        try:
            poll = select.poll()
            poll.register(conn.sock, select.POLLIN)
            return bool(poll.poll(_STAY_SECONDS * 1000))
        finally:
            self._places.release()

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 - as inherited
        """Answer a request whose headers are complete."""
        self._deadlines.stop(conn)
        return super().handle_request(req, conn)
