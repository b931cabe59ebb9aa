"""How often one client may ask: a window of a minute, counted in this process."""

from __future__ import annotations

import threading
import time
from typing import Final

from exchange.service_errors import RequestsTooMany

_WINDOW_SECONDS: Final = 60
_MOST_CLIENTS: Final = 10_000


class Rates:
    """Counts requests by client; used from several threads."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def count(self, client: str) -> None:
        """Count one request; raise `RequestsTooMany` above the limit."""
        now = time.monotonic()
        window = int(now // _WINDOW_SECONDS)
        with self._lock:
            if window != self._window or len(self._counts) > _MOST_CLIENTS:
                self._window, self._counts = window, {}
            self._counts[client] = self._counts.get(client, 0) + 1
            is_over = self._counts[client] > self._most
        if is_over:
            left = _WINDOW_SECONDS - int(now % _WINDOW_SECONDS)
            raise RequestsTooMany("expected fewer requests", seconds=left)
