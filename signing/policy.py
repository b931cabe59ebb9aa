"""What verification trusts, given by the caller: anchors, certificates, CRLs, OCSP responses.

A `Trust` never changes; it remembers what was computed from it, so reuse one object for many
judgements and build a new one when a CRL arrives.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Generic, NamedTuple, TypeVar

from cryptography import x509

from signing.certificate import Certificate, parse_certificate
from signing.crllist import ALL_REASONS, RevocationList
from signing.judgement import Verdict
from signing.rules import Rules, standard
from signing.tokenparts import Layout
from signing.unsigned import Values

# How far a time-stamp may lie ahead of the instant of judging (protocol.md §4 step 8).
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

# Known by name only, to give them the verdict of row 13 instead of "unsupported".
WEAK_ALGORITHMS: Final = frozenset(
    {
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2001/04/xmldsig-more#md5",
    }
)

# What among algorithms and keys has an end, and when.
Ends = tuple[tuple[str, datetime], ...]

_REMEMBERED: Final = 1024
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memory(Generic[_Key, _Value]):
    """A bounded memory of computed values; the oldest are forgotten first."""

    __slots__ = ("_limit", "_values")

    def __init__(self, limit: int = _REMEMBERED) -> None:
        """Remember at most `limit` values."""
        self._limit = limit
        self._values: OrderedDict[_Key, _Value] = OrderedDict()

    def get(self, key: _Key) -> _Value | None:
        """Return the remembered value, None when there is none."""
        return self._values.get(key)

    def put(self, key: _Key, value: _Value) -> _Value:
        """Remember and return `value`."""
        if len(self._values) >= self._limit:
            self._values.popitem(last=False)
        self._values[key] = value
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What one CRL or OCSP response says of one certificate; its signature holds."""

    source: str  # "crl" or "ocsp"
    contents: tuple[bytes, ...]  # DER: the OCSP response; the CRL, or a CRL and its delta
    certificates: tuple[bytes, ...]  # DER: path of a CRL signer that is not the issuer
    support: tuple[bytes, ...]  # CRLs that show the signer of the status as good, DER
    this_update: datetime
    next_update: datetime  # equal to this_update where the source gives none
    revoked_at: datetime | None
    on_hold: bool  # suspended, not revoked for good (certificateHold)
    keeps_past: bool  # the reason leaves earlier time-stamps valid (RFC 3161 §4)
    covers_expired: bool  # expired certificates stay listed (X.509 expiredCertsOnCRL)
    reasons: frozenset[x509.ReasonFlags]  # for which it would name the certificate

    def known_until(self, certificate: Certificate, max_age: timedelta | None) -> datetime | None:
        """Return until when it alone shows the certificate as good; None when it never does."""
        if self.reasons != ALL_REASONS or self.revoked_at is not None:
            return None
        if self.this_update > certificate.not_after and not self.covers_expired:
            return None
        if max_age is None:
            return self.next_update
        return min(self.next_update, self.this_update + max_age)

    def is_usable(
        self,
        certificate: Certificate,
        *,
        at: datetime,
        after: datetime,
        max_age: timedelta | None = None,
    ) -> bool:
        """Return whether it counts at `at` for a certificate that was in use at `after`."""
        is_current = self.next_update >= at or self.this_update >= after
        if max_age is not None and self.this_update < after:
            is_current = is_current and self.this_update >= at - max_age
        # After expiry a CA may drop a certificate from its lists (RFC 5280 §3.3).
        return is_current and (self.covers_expired or self.this_update <= certificate.not_after)


class Window(NamedTuple):
    """When a path passes: nothing about it depends on the instants but these bounds."""

    chain: tuple[Certificate, ...]
    begin: datetime  # of use
    end: datetime  # of use
    known_until: datetime  # until when what is known of it counts


class ServiceKind(Enum):
    """What a trust service is listed for (TS 119 612 §5.5.1)."""

    AUTHORITY = "authority"  # issues certificates
    TIMESTAMPING = "timestamping"
    STATUS = "status"  # answers OCSP requests, issues CRLs
    OTHER = "other"  # anchors nothing here


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One service of a trust list: a certificate, what for, and since when with which status."""

    kind: ServiceKind
    certificate: bytes  # DER
    history: tuple[tuple[datetime, bool], ...]  # (from, granted), oldest first

    def is_granted(self, time: datetime) -> bool:
        """Return whether the service was granted at `time`; not before its first status."""
        granted = False
        for since, status in self.history:
            if since <= time:
                granted = status
        return granted


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """Everything that is believed or looked up; nothing is fetched."""

    anchors: tuple[bytes, ...]  # DER; believed, compared by fingerprint
    certificates: tuple[bytes, ...] = ()  # DER; used to build paths, not believed
    crls: tuple[bytes, ...] = ()  # DER; believed as far as their signature reaches
    ocsps: tuple[bytes, ...] = ()  # DER; likewise
    services: tuple[Service, ...] = ()  # of trust lists: believed while they were granted
    # SHA-256 of more anchors, lower-case hexadecimal, whose certificates a signature may bring.
    fingerprints: frozenset[str] = frozenset()
    # What is asked beyond the standards.
    rules: Rules = field(default_factory=standard)
    # What was computed from the above: no part of the value.
    seen: Memory[bytes, Certificate] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    paths: Memory[tuple[bytes, ...], tuple[Certificate, ...] | Verdict] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    # Few, as each may hold megabytes that a stranger sent.
    wider: Memory[tuple[tuple[bytes, ...], ...], Trust] = field(
        default_factory=lambda: Memory(16), init=False, repr=False, compare=False
    )
    statuses: Memory[tuple[bytes, bytes], tuple[Status, ...]] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    lists: Memory[bytes, RevocationList] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    layouts: Memory[int, tuple[Layout, ...]] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    windows: Memory[tuple[bytes, ...], Window] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    ends: Memory[tuple[str | bytes, ...], Ends] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )
    signed: Memory[tuple[bytes, bytes], bool] = field(
        default_factory=Memory, init=False, repr=False, compare=False
    )

    def extended(self, values: Values) -> Trust:
        """Return this trust with what a signature brought along: looked up, never believed.

        A certificate that the caller named by its fingerprint is an anchor wherever it came from.
        """
        key = (values.certificates, values.crls, values.ocsps)
        return self.wider.get(key) or self.wider.put(
            key,
            Trust(
                anchors=(*self.anchors, *self._named(values.certificates)),
                certificates=(*self.certificates, *values.certificates),
                crls=(*self.crls, *values.crls),
                ocsps=(*self.ocsps, *values.ocsps),
                services=self.services,
                fingerprints=self.fingerprints,
                rules=self.rules,
            ),
        )

    def _named(self, certificates: tuple[bytes, ...]) -> tuple[bytes, ...]:
        if not self.fingerprints:
            return ()
        return tuple(one for one in certificates if fingerprint(one) in self.fingerprints)

    def certificate(self, der: bytes) -> Certificate:
        """Return the parsed certificate, remembered; raise `CertificateRefused`."""
        return self.seen.get(der) or self.seen.put(der, parse_certificate(der))


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a DER certificate in lower-case hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()
