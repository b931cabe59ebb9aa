"""The one door for calls outwards: allowed hosts, no redirects, no environment, caps, timeouts."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from requests.adapters import HTTPAdapter

from connectors.errors import EndpointForbidden, PartnerUnavailable

_BLOCK_BYTES: Final = 256 * 1024
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_ALWAYS: Final = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "lienthong"}

_traces: Final = TraceContextTextMapPropagator()

HostRule = Callable[[str, int], bool]
"""Tells whether a host (in lower case) may be called at a port."""


Pins = Callable[[str, int], frozenset[bytes]]
"""Returns the certificates (DER) of which a host must show one; none: any trusted one does."""


Resolver = Callable[[str, int], str]
"""Returns the one address that a host is called at; raises `EndpointForbidden` for a bad one."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Whom to trust and who we are, as files; None trusts the system's authorities."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class HttpReply:
    """A reply whose body is still to be read."""

    def __init__(self, response: requests.Response, *, deadline: float) -> None:
        self.status: Final = response.status_code
        self.headers: Final = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._deadline = deadline

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes as they travelled, b"" at the end.

        Raises `PartnerUnavailable` when the connection breaks or the deadline passes.
        """
        if time.monotonic() > self._deadline:
            raise PartnerUnavailable("expected the whole reply within its deadline")
        try:
            chunk: bytes = self._response.raw.read(size, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as exc:
            raise PartnerUnavailable("expected the whole reply, got its beginning") from exc
        return chunk


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
        self._session = _session(tls or Tls(), _Adapter(connections, resolver, pins))

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
        check_endpoint(url, self._may_call, takes_plain=self._takes_plain)
        trace: dict[str, str] = {}
        _traces.inject(trace)  # what is being recorded here, if anything, goes on over there
        named = {**_ALWAYS, "Host": urlsplit(url).netloc, **trace, **headers}
        session = self._session
        try:
            # Prepared apart from the session, which would add its cookies and look for proxies.
            prepared = requests.Request(method, url, data=body, headers=named).prepare()
            response = session.send(
                prepared,
                timeout=(self._timeouts.connect_seconds, self._timeouts.silence_seconds),
                allow_redirects=False,
                stream=True,
                verify=session.verify,
                cert=session.cert,
                proxies={},
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            raise PartnerUnavailable(
                "expected a reply from the partner, got none", host=urlsplit(url).hostname or ""
            ) from exc
        try:
            yield HttpReply(response, deadline=time.monotonic() + self._timeouts.reply_seconds)
        finally:
            # Closing, not reading to the end: the rest may be huge.
            response.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


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


class _Adapter(HTTPAdapter):
    """Send large bodies in large blocks, to the address that a resolver names."""

    def __init__(self, connections: int, resolver: Resolver | None, pins: Pins | None) -> None:
        self._resolver = resolver
        self._pins = pins
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as inherited
        super().init_poolmanager(*args, **kwargs, blocksize=_BLOCK_BYTES)
        if self._pins is not None:
            schemes = dict(self.poolmanager.pool_classes_by_scheme)
            self.poolmanager.pool_classes_by_scheme = {**schemes, "https": _pinned(self._pins)}

    def build_connection_pool_key_attributes(
        self,
        *args: Any,  # noqa: ANN401 - the stubs do not know all that urllib3 takes
        **kwargs: Any,  # noqa: ANN401 - the same
    ) -> Any:  # noqa: ANN401 - the same
        where, how = super().build_connection_pool_key_attributes(*args, **kwargs)
        if self._resolver is None:
            return where, how
        host = where["host"]
        where["host"] = self._resolver(host, where["port"] or 443)
        if where["scheme"] == "https":
            # The certificate is still judged by the name that was asked for.
            named: dict[str, Any] = {**how, "server_hostname": host, "assert_hostname": host}
            return where, named
        return where, how


def _pinned(pins: Pins) -> type[urllib3.HTTPSConnectionPool]:
    """Return the pool whose connections show a certificate before anything is sent."""

    class Connection(urllib3.connection.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            bound = pins(self.server_hostname or self.host, self.port or 443)
            shown: Any = self.sock
            if bound and shown.getpeercert(binary_form=True) not in bound:
                self.close()
                raise OSError("expected a certificate that the directory binds")

    class Pool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def _session(tls: Tls, adapter: _Adapter) -> requests.Session:
    session = requests.Session()
    # No proxies, no netrc, no CA bundle from the environment: only what was handed in.
    session.trust_env = False
    session.verify = str(tls.authorities) if tls.authorities else True
    if tls.certificate:
        pair = (str(tls.certificate), str(tls.key)) if tls.key else str(tls.certificate)
        session.cert = pair
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
