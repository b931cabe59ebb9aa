"""The services that this node may call: a file of the operator, read anew when it changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.callfile import ForeignCall, parse_calls
from connectors.errors import ForeignCallMalformed
from connectors.foreign import Calling, ForeignCalls
from connectors.http import HttpClient


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The configured calls and what makes them."""

    calls: Mapping[str, ForeignCall]
    calling: Calling


class ServiceBook:
    """Holds the services of a node; used from several threads."""

    def __init__(self, path: Path, *, http: HttpClient) -> None:
        self._path = path
        self._http = http
        self._lock = threading.Lock()
        self._seen: int | None = None  # of the file, in nanoseconds; 0: there is none
        self._services = Services(calls={}, calling=ForeignCalls({}, http=http))

    def services(self) -> Services:
        """Return the services in force; raise `ForeignCallMalformed` for an unusable file."""
        with self._lock:
            changed = self._changed()
            if changed != self._seen:
                self._services = self._read(changed)
                self._seen = changed
            return self._services

    def _changed(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _read(self, changed: int) -> Services:
        try:
            content = self._path.read_bytes() if changed else b""
        except OSError as exc:
            raise ForeignCallMalformed(
                "expected a readable file", name=self._path.name, reason="file"
            ) from exc
        calls = parse_calls(content, folder=self._path.parent)
        return Services(calls=calls, calling=ForeignCalls(calls, http=self._http))
