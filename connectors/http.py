"""The one door for calls outwards: allowed hosts, no redirects, no environment, caps, timeouts."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from connectors.connections import (
    BROKEN,
    Connection,
    Connections,
    Pins,
    Place,
    Resolver,
    Response,
    Tls,
)
from connectors.errors import EndpointForbidden, PartnerUnavailable

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_ALWAYS: Final = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "lienthong"}

_LEAST_SECONDS: Final = 0.05  # a reply that is there already is read, however late
_IN_URLS: Final = "%/:=&?~#+!$,;'@()*[]"  # what a URL may hold as it is (RFC 3986 §2)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_traces: Final = TraceContextTextMapPropagator()

HostRule = Callable[[str, int], bool]
"""Tells whether a host (in lower case) may be called at a port."""


class Body(Protocol):
    """A request body of known length that is read once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, b"" at the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long a call may take."""

    connect_seconds: float = 10.0
    silence_seconds: float = 120.0  # between two reads; a receiver verifies before it answers
    reply_seconds: float = 600.0  # for the whole reply


class HttpReply:
    """A reply whose body is still to be read."""

    def __init__(self, response: Response) -> None:
        self.status: Final = response.status
        self.headers: Final[dict[str, str]] = {}
        for name, value in response.headers.items():
            known = self.headers.get(name.lower())
            self.headers[name.lower()] = value if known is None else f"{known}, {value}"
        self._response = response

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes as they travelled, b"" at the end.

        Raises `PartnerUnavailable` when the connection breaks or the deadline passes.
        """
        try:
            chunk = self._response.read(size)
        except (*BROKEN, ValueError) as exc:  # the second for chunks of a size below nought
            raise PartnerUnavailable("expected the whole reply, got its beginning") from exc
        if not chunk and self._response.length:
            raise PartnerUnavailable("expected the whole reply, got its beginning")
        return chunk


class Asked:
    """A request that has been sent, and whose reply is still to come."""

    def __init__(
        self, connection: Connection, timeouts: Timeouts, *, release: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._release = release
        self._sent = time.monotonic()

    @contextmanager
    def reply(self) -> Iterator[HttpReply]:
        """Yield the reply, once; raise `PartnerUnavailable` when none comes.

        The silence that is allowed began when the request had been sent.
        """
        connection, limits = self._connection, self._timeouts
        now = time.monotonic()
        deadline = now + limits.reply_seconds
        left = max(self._sent + limits.silence_seconds - now, _LEAST_SECONDS)
        connection.allow(silence=left, deadline=deadline)
        try:
            response = connection.getresponse()
        except BROKEN as exc:
            self.drop()
            raise _no_reply(connection.place) from exc
        connection.allow(silence=limits.silence_seconds, deadline=deadline)
        try:
            yield HttpReply(response)
        finally:
            # Closing, not reading to the end: the rest may be huge.
            if not response.isclosed() and response.length != 0:
                self.drop()
            response.close()
            self._release()

    def drop(self) -> None:
        """Give up on the reply."""
        self._connection.close()


class HttpClient:
    """Call partners; one per process, its connections are reused."""

    def __init__(
        self,
        *,
        may_call: HostRule,
        timeouts: Timeouts | None = None,
        tls: Tls | None = None,
        connections: int = 8,
        resolver: Resolver | None = None,
        pins: Pins | None = None,
        takes_plain: bool = False,
    ) -> None:
        """Take `resolver` for hosts that others name: it decides which address is called.

        `pins` bind the certificates of TLS beyond what the authorities vouch for. `takes_plain`
        is for answers that are signed themselves: time-stamps, CRLs, OCSP.
        """
        self._may_call = may_call
        self._takes_plain = takes_plain
        self._timeouts = timeouts or Timeouts()
        make = partial(
            Connection,
            connect_seconds=self._timeouts.connect_seconds,
            tls=tls or Tls(),
            resolver=resolver,
            pins=pins,
        )
        self._connections = Connections(make, kept=connections)

    @contextmanager
    def post(
        self, url: str, *, body: Body | bytes, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Iterator[HttpReply]:
        """Yield the reply to a POST; see `request`."""
        with self.request("POST", url, body=body, headers=headers) as reply:
            yield reply

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        body: Body | bytes | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Iterator[HttpReply]:
        """Yield the reply, whatever its status, redirects included.

        Raises `EndpointForbidden` before anything is sent, `PartnerUnavailable` when no reply
        comes.
        """
        with self.ask(method, url, body=body, headers=headers).reply() as reply:
            yield reply

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: Body | bytes | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Asked:
        """Send a request and return before its reply comes; errors as of `request`.

        Whoever asks takes the reply or drops it.
        """
        check_endpoint(url, self._may_call, takes_plain=self._takes_plain)
        place, host, target = _parts(url)
        trace: dict[str, str] = {}
        _traces.inject(trace)  # what is being recorded here, if anything, goes on over there
        named = {**_ALWAYS, "Host": host, **trace, **headers}
        if body is not None:
            named["Content-Length"] = str(len(body))
        with ExitStack() as unless_sent:
            try:
                connection = self._connections.take(place)
                unless_sent.callback(connection.close)
                connection.allow(silence=self._timeouts.silence_seconds)
                _send(connection, method, target, body, named)
            except (*BROKEN, ValueError) as exc:  # or what no header and no host may hold
                raise _no_reply(place) from exc
            unless_sent.pop_all()
        return Asked(
            connection, self._timeouts, release=partial(self._connections.give, connection)
        )

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()


def _send(
    connection: Connection,
    method: str,
    target: str,
    body: Body | bytes | None,
    headers: Mapping[str, str],
) -> None:
    try:
        connection.request(method, target, body=body, headers=headers)
    except (BrokenPipeError, ConnectionResetError):
        # Who refuses a body without reading it may have said so before it hung up.
        if connection.sock is None:
            raise


def _parts(url: str) -> tuple[Place, str, str]:
    """Return where a URL leads, and the host and the target as they are sent."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    try:
        host = (parts.hostname or "").encode("idna").decode()
        target = quote(f"{parts.path or '/'}{query}", safe=_IN_URLS)
    except UnicodeError as exc:
        raise EndpointForbidden("expected a URL that can be sent", host="") from exc
    place = Place(parts.scheme, host, parts.port or _DEFAULT_PORTS[parts.scheme])
    sent = f"[{host}]" if ":" in host else host
    named = f"{sent}:{parts.port}" if parts.port else sent
    return place, named, target


def _no_reply(place: Place) -> PartnerUnavailable:
    return PartnerUnavailable("expected a reply from the partner, got none", host=place.host)


def check_endpoint(url: str, may_call: HostRule, *, takes_plain: bool = False) -> None:
    """Raise `EndpointForbidden` unless `url` is https to an allowed host.

    Plain http is for this machine, and where `takes_plain` says that the answer is signed.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise EndpointForbidden("expected the URL of a SOAP service") from exc
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.fragment:
        raise EndpointForbidden("expected an http(s) URL without user and fragment", host=host)
    if parts.scheme == "http" and not takes_plain and not is_loopback(host):
        raise EndpointForbidden("expected https beyond this machine", host=host)
    if not may_call(host, port or (443 if parts.scheme == "https" else 80)):
        raise EndpointForbidden("expected a host that may be called", host=host)


def is_loopback(host: str) -> bool:
    """Tell whether a host names this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def only_hosts(*allowed: str) -> HostRule:
    """Return the rule that allows these hosts, each `host` (any port) or `host:port`."""
    names = frozenset(one.lower() for one in allowed)
    return lambda host, port: host in names or f"{host}:{port}" in names


def public_address(*listed: str) -> Resolver:
    """Return the resolver that refuses addresses of inner networks, but for the `listed` hosts.

    A name is resolved once and called at that very address, so it cannot change in between.
    """
    inner = frozenset(host.lower() for host in listed)

    def resolve(host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise PartnerUnavailable("expected a host that can be found", host=host) from exc
        addresses = [str(one[4][0]) for one in found]
        if host.lower() not in inner and not all(
            ipaddress.ip_address(one.partition("%")[0]).is_global for one in addresses
        ):
            raise EndpointForbidden("expected a public address", host=host)
        return addresses[0]

    return resolve
