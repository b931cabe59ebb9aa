"""Look at a partner's service without sending a message: TLS, clock, version of the WSDL."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from connectors.connections import Tls
from connectors.contract import is_same_wsdl
from connectors.errors import PartnerUnavailable
from connectors.http import HttpClient

_SECONDS: Final = 10.0
_WSDL_BYTES: Final = 1024 * 1024


class Trouble(Enum):
    """Why no connection came about: each wants something else done about it."""

    UNREACHABLE = "unreachable"  # name, network, port
    EXPIRED = "expired"  # or not valid yet
    NAME = "name"  # a certificate for another host
    UNTRUSTED = "untrusted"  # of an authority that is not ours
    HANDSHAKE = "handshake"  # anything else that TLS says


# X509_V_ERR_… of OpenSSL, as `SSLCertVerificationError.verify_code` gives them.
_TROUBLES: Final = {
    9: Trouble.EXPIRED,
    10: Trouble.EXPIRED,
    62: Trouble.NAME,
    64: Trouble.NAME,
    18: Trouble.UNTRUSTED,
    19: Trouble.UNTRUSTED,
    20: Trouble.UNTRUSTED,
    21: Trouble.UNTRUSTED,
}


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

    Raises `PartnerUnavailable`, with its `Trouble`, when no connection comes about.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_secured = parts.scheme == "https"
    try:
        plain = socket.create_connection(
            (host, parts.port or (443 if is_secured else 80)), timeout=_SECONDS
        )
    except OSError as exc:
        raise _unavailable(Trouble.UNREACHABLE, host, exc) from exc
    with plain:
        return _handshake(plain, host, tls) if is_secured else None


def _handshake(plain: socket.socket, host: str, tls: Tls) -> TlsSeen:
    try:
        context = ssl.create_default_context(
            cafile=str(tls.authorities) if tls.authorities else None
        )
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key)
        with context.wrap_socket(plain, server_hostname=host) as secured:
            shown = secured.getpeercert(binary_form=True) or b""
            return TlsSeen(version=secured.version() or "", certificate=shown)
    except ssl.SSLCertVerificationError as exc:
        trouble = _TROUBLES.get(exc.verify_code, Trouble.HANDSHAKE)
        raise _unavailable(trouble, host, exc) from exc
    except OSError as exc:  # an SSLError is one
        raise _unavailable(Trouble.HANDSHAKE, host, exc) from exc


def _unavailable(trouble: Trouble, host: str, error: OSError) -> PartnerUnavailable:
    said = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return PartnerUnavailable(
        f"expected a connection: {said}", host=host, trouble=trouble.value, reason=said
    )


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
        clock = parsedate_to_datetime(said)
    except ValueError:
        return None
    return clock if clock.tzinfo else clock.replace(tzinfo=UTC)  # "-0000" says no zone
