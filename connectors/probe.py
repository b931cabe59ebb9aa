"""Look at a partner's service without sending a message: TLS, clock, version of the WSDL."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from connectors.contract import is_same_wsdl
from connectors.errors import PartnerUnavailable
from connectors.http import HttpClient, Tls

_SECONDS: Final = 10.0
_WSDL_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsSeen:
    """What a server showed in a handshake that went well."""

    version: str
    certificate: bytes  # DER


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSeen:
    """What a service said of itself."""

    clock: datetime | None  # by its Date header
    is_our_version: bool  # whether its WSDL is this version's


def look_at_tls(url: str, tls: Tls) -> TlsSeen | None:
    """Return what the server shows; None for plain HTTP on this machine.

    Raises `PartnerUnavailable` with the reason when no connection comes about.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    host = parts.hostname or ""
    try:
        context = ssl.create_default_context(
            cafile=str(tls.authorities) if tls.authorities else None
        )
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key)
        with (
            socket.create_connection((host, parts.port or 443), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert(binary_form=True) or b""
            return TlsSeen(version=secured.version() or "", certificate=shown)
    except (OSError, ssl.SSLError) as exc:
        raise PartnerUnavailable(f"expected a TLS connection: {exc}", host=host) from exc


def look_at_service(url: str, http: HttpClient) -> ServiceSeen:
    """Return the service's clock and whether its WSDL is ours; raise `PartnerUnavailable`."""
    with http.request("GET", f"{url}?wsdl") as reply:
        content = b""
        while chunk := reply.read(64 * 1024):
            content += chunk
            if len(content) > _WSDL_BYTES:
                break
        if reply.status != 200:
            raise PartnerUnavailable(f"expected the WSDL, got HTTP {reply.status}")
        return ServiceSeen(
            clock=_clock(reply.headers.get("date", "")), is_our_version=is_same_wsdl(content)
        )


def _clock(said: str) -> datetime | None:
    try:
        return parsedate_to_datetime(said)
    except ValueError:
        return None
