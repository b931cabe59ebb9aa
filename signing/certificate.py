"""A certificate parsed once, with everything that verification asks of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signing import der
from signing.algorithms import PublicKey, require_known, require_strong
from signing.errors import AlgorithmRefused, CertificateRefused, DerRefused
from signing.purpose import PURPOSE_BY_OID, TEST_OID, Purpose

MAX_CERTIFICATE_BYTES: Final = 64 * 1024

# What `cryptography` raises for malformed certificates, CRLs and OCSP responses.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # what a later release refuses, where warnings are errors
)

# Critical extensions of an end entity that this package understands (RFC 5280 §4.2).
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.POLICY_MAPPINGS,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """The facts of one X.509 certificate."""

    der: bytes
    fingerprint: bytes  # SHA-256 of the DER
    x509: x509.Certificate
    public_key: PublicKey | None  # None when its kind or size is not allowed
    old_key: PublicKey | None  # the same, or one that was allowed once
    digest: str  # `hashlib` name, of its issuer's signature; empty when there is none
    subject: str  # RFC 4514
    issuer: str  # RFC 4514
    subject_der: bytes
    issuer_der: bytes
    key_bits: bytes  # subjectPublicKey without tag and length (RFC 6960 §4.1.1)
    serial: int
    not_before: datetime
    not_after: datetime
    is_for_tests: bool  # marked so: anchors nothing where a policy refuses test anchors
    purpose: Purpose | None  # our arc's policy; None when there is not exactly one
    foreign_purpose: bool  # True when no policy of our arc is present at all
    may_sign_documents: bool  # key usage and extended key usage allow document signatures
    may_stamp: bool  # exactly one critical timeStamping extended key usage (RFC 3161 §2.3)
    may_answer_ocsp: bool  # OCSPSigning is present (RFC 6960 §4.2.2.2)
    unknown_critical: bool  # an end entity with it must be refused (RFC 5280 §4.2)


def parse_certificate(content: bytes) -> Certificate:
    """Return the certificate; raise `CertificateRefused` unless it is one to the last byte."""
    if len(content) > MAX_CERTIFICATE_BYTES:
        raise CertificateRefused(f"expected at most {MAX_CERTIFICATE_BYTES} bytes, got more")
    try:
        der.signed_parts(content).finish()
        parsed = x509.load_der_x509_certificate(content)
        extensions = parsed.extensions
        key = _key(parsed, require_strong)
        digest = parsed.signature_hash_algorithm
        policies = _policies(extensions)
        purposes = [PURPOSE_BY_OID[oid] for oid in policies if oid in PURPOSE_BY_OID]
        usages = _extended_usages(extensions)
        return Certificate(
            der=content,
            fingerprint=hashlib.sha256(content).digest(),
            x509=parsed,
            public_key=key,
            old_key=key or _key(parsed, require_known),
            digest=digest.name if digest else "",
            subject=parsed.subject.rfc4514_string(),
            issuer=parsed.issuer.rfc4514_string(),
            subject_der=parsed.subject.public_bytes(),
            issuer_der=parsed.issuer.public_bytes(),
            key_bits=_key_bits(parsed),
            serial=parsed.serial_number,
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            is_for_tests=TEST_OID in policies,
            purpose=purposes[0] if len(purposes) == 1 else None,
            foreign_purpose=not purposes,
            may_sign_documents=_may_sign_documents(extensions, usages),
            may_stamp=_may_stamp(extensions),
            may_answer_ocsp=ExtendedKeyUsageOID.OCSP_SIGNING in usages,
            unknown_critical=any(one.critical and one.oid not in _UNDERSTOOD for one in extensions),
        )
    except (DerRefused, *UNREADABLE) as exc:
        raise CertificateRefused("expected an X.509 certificate, got something else") from exc


def _key(parsed: x509.Certificate, required: Callable[[object], PublicKey]) -> PublicKey | None:
    try:
        return required(parsed.public_key())
    except (AlgorithmRefused, *UNREADABLE):
        return None


def _key_bits(parsed: x509.Certificate) -> bytes:
    info = parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        parts = der.Cursor(info).enter(der.SEQUENCE)
        parts.take(der.SEQUENCE)
        return parts.take(der.BIT_STRING)[1:]
    except DerRefused as exc:
        raise ValueError(str(exc)) from exc


def _policies(extensions: x509.Extensions) -> list[str]:
    try:
        policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return []
    return [policy.policy_identifier.dotted_string for policy in policies]


def _extended_usages(extensions: x509.Extensions) -> frozenset[x509.ObjectIdentifier]:
    try:
        return frozenset(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()


def _may_sign_documents(
    extensions: x509.Extensions, usages: frozenset[x509.ObjectIdentifier]
) -> bool:
    # nonRepudiation alone is a normal signing certificate (signing.md §4.1).
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return not usages & _OTHER_TRADES
    return (usage.content_commitment or usage.digital_signature) and not usages & _OTHER_TRADES


_OTHER_TRADES: Final = frozenset(
    {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING}
)


def _may_stamp(extensions: x509.Extensions) -> bool:
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
