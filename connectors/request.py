"""The sealed request of the pull operations: who asks what of whom, for the next minutes only.

`docs/formats/request.md` specifies the bytes. Sealing and verifying are handed in: this module
knows no keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Protocol

from connectors.errors import (
    RequestExpired,
    RequestMalformed,
    RequestNotForUs,
    RequestNotOwn,
    RequestReplayed,
)
from dossier import safexml, xmltext
from dossier.errors import IdentifierRefused
from dossier.ids import AgencyCode, MessageId, parse_agency_code, parse_message_id, same_agency

NAMESPACE: Final = "urn:lienthong:request:1"
LONGEST_LIFE: Final = timedelta(minutes=5)
SKEW: Final = timedelta(minutes=5)  # between two nodes' clocks, as for time stamps (§4.8)
_CAPS: Final = safexml.Caps(size_bytes=64 * 1024, depth=3, elements=16)
_NONCE: Final = re.compile(r"[0-9a-f]{32}")


class Operation(Enum):
    """The operations that take a sealed request, by their names in the WSDL."""

    LIST_PENDING = "ListPending"
    FETCH_MESSAGE = "FetchMessage"
    CONFIRM_MESSAGE = "ConfirmMessage"
    GET_RECEIPT = "GetReceipt"
    GET_STATUS = "GetStatus"
    LIST_AGENCIES = "ListAgencies"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What one agency asks of a node that serves `to_agency`."""

    operation: Operation
    agency: AgencyCode  # who asks, and whose seal the request carries
    to_agency: AgencyCode
    created: datetime  # UTC, milliseconds
    expires: datetime
    nonce: str  # 32 hexadecimal digits
    message_id: MessageId | None = None  # of the message in question
    from_agency: AgencyCode | None = None  # its sender, where the asking agency is its addressee


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedRequest:
    """A request whose seal was verified."""

    content: bytes  # the octets that the seal covers
    sealed_by: AgencyCode  # whom the directory binds the seal to


class RequestSealer(Protocol):
    """What seals requests, for one agency."""

    def seal(self, unsigned: bytes) -> bytes:
        """Return the document with the agency's enveloped seal."""


class RequestOpener(Protocol):
    """What verifies the seals of requests."""

    def open(self, sealed: bytes) -> OpenedRequest:
        """Return the content; raise where the seal does not verify or is bound to nobody."""


class Nonces(Protocol):
    """The memory of requests that were answered; it outlives restarts."""

    def remember(self, agency: AgencyCode, nonce: str, *, until: datetime) -> bool:
        """Keep it at least `until`; return False if it was kept already."""


HostedHere = Callable[[AgencyCode], bool]
"""Tells whether an agency is served by this node."""


def write_request(request: Request) -> bytes:
    """Return the one spelling of `request`, not yet sealed."""
    t = xmltext.text
    parts = [
        t("Operation", request.operation.value),
        t("Agency", request.agency),
        t("To", request.to_agency),
        t("Created", xmltext.instant(request.created)),
        t("Expires", xmltext.instant(request.expires)),
        t("Nonce", request.nonce),
    ]
    if request.message_id:
        parts.append(t("MessageId", request.message_id))
    if request.from_agency:
        parts.append(t("From", request.from_agency))
    return xmltext.root("Request", NAMESPACE, parts)


def parse_request(content: bytes) -> Request:
    """Return the request of its one spelling; raise `RequestMalformed` or `XmlRefused`."""
    top = safexml.parse(content, caps=_CAPS)
    reader = xmltext.Reader(top, namespace=NAMESPACE, refused=RequestMalformed)
    if top.tag != f"{{{NAMESPACE}}}Request":
        raise reader.refuse("expected root Request")
    try:
        request = _read(reader)
    except (IdentifierRefused, ValueError) as exc:
        raise RequestMalformed("expected well-formed values in the request") from exc
    reader.end()
    if not _NONCE.fullmatch(request.nonce) or write_request(request) != content:
        raise RequestMalformed("expected the canonical spelling of the request")
    return request


@dataclass(frozen=True, kw_only=True, slots=True)
class Doorkeeper:
    """Lets requests in: seal, operation, agency, addressee, time and nonce, in this order."""

    opener: RequestOpener
    nonces: Nonces
    is_hosted: HostedHere

    def admit(self, sealed: bytes, operation: Operation, *, at: datetime) -> Request:
        """Return the request if it may be answered now (protocol §9).

        Raises `RequestMalformed`, the leaves of `Denied` named after requests, or what the
        opener raises.
        """
        # 1. The seal; only what it covers is read.
        opened = self.opener.open(sealed)
        request = parse_request(opened.content)
        # 2. The agency that asks is the one that sealed.
        if not same_agency(request.agency, opened.sealed_by):
            raise RequestNotOwn("expected the asking agency's own seal")
        # 3. It was sealed for this operation and this node.
        if request.operation is not operation or not self.is_hosted(request.to_agency):
            raise RequestNotForUs("expected a request for this operation and this node")
        # 4. Now.
        life = request.expires - request.created
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise RequestExpired(f"expected a life of at most {LONGEST_LIFE}")
        if not request.created - SKEW <= at < request.expires + SKEW:
            raise RequestExpired("expected a request of the last minutes")
        # 5. For the first time. Last, so that a refused request does not burn its nonce.
        until = request.expires + SKEW
        if not self.nonces.remember(request.agency, request.nonce, until=until):
            raise RequestReplayed("expected a nonce that was not used before")
        return request


def _read(reader: xmltext.Reader) -> Request:
    operation = Operation(reader.text("Operation"))
    agency = parse_agency_code(reader.text("Agency"))
    to_agency = parse_agency_code(reader.text("To"))
    created = xmltext.parse_instant(reader.text("Created"))
    expires = xmltext.parse_instant(reader.text("Expires"))
    nonce = reader.text("Nonce")
    message_id = reader.optional_text("MessageId")
    from_agency = reader.optional_text("From")
    return Request(
        operation=operation,
        agency=agency,
        to_agency=to_agency,
        created=created,
        expires=expires,
        nonce=nonce,
        message_id=parse_message_id(message_id) if message_id else None,
        from_agency=parse_agency_code(from_agency) if from_agency else None,
    )
