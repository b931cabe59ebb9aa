"""OCSP (RFC 6960): requests for certificates, and our own responder, built from DER.

The responder knows no table: whoever calls it looks the serial number up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from signing import der
from signing.algorithms import raw_to_der
from signing.certificate import parse_certificate
from signing.errors import DerRefused, KeyUnusable
from signing.keys import Signer
from signing.tsa import CMS_ALGORITHM

MAX_REQUEST_BYTES: Final = 16 * 1024
MAX_QUESTIONS: Final = 32
MAX_NONCE_BYTES: Final = 128  # RFC 9654 §2.1
DEFAULT_LIFETIME: Final = timedelta(hours=24)

_BASIC: Final = der.oid("1.3.6.1.5.5.7.48.1.1")
_NONCE: Final = der.oid("1.3.6.1.5.5.7.48.1.2")
_GOOD: Final = der.tlv(0x80, b"")
_UNKNOWN: Final = der.tlv(0x82, b"")
_ENUMERATED: Final = 0x0A
# SHA-1 only names the issuer here (RFC 6960 §4.3 makes it the common form).
_NAMING_DIGESTS: Final = {
    der.sequence(der.oid(oid), parameters): name
    for oid, name in (
        ("1.3.14.3.2.26", "sha1"),
        ("2.16.840.1.101.3.4.2.1", "sha256"),
        ("2.16.840.1.101.3.4.2.2", "sha384"),
        ("2.16.840.1.101.3.4.2.3", "sha512"),
    )
    for parameters in (der.tlv(der.NULL, b""), b"")
}


class Refusal(Enum):
    """Why a request gets no statement (OCSPResponseStatus, RFC 6960 §4.2.1)."""

    MALFORMED = 1
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Revoked:
    """The certificate was revoked at an instant."""

    at: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified


class Standing(Enum):
    """What a responder says of a certificate that is not revoked."""

    GOOD = "good"  # issued, and not revoked
    UNKNOWN = "unknown"  # never issued by this CA


# CRLReason numbers (RFC 5280 §5.3.1).
_REASONS: Final = {
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.ca_compromise: 2,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6,
    x509.ReasonFlags.privilege_withdrawn: 9,
    x509.ReasonFlags.aa_compromise: 10,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    """One CertID, as it was asked."""

    whole: bytes
    digest: str | None  # `hashlib` name, None when not listed
    name_hash: bytes
    key_hash: bytes
    serial: int


class OcspResponder:
    """Answers for one issuing CA with the key that the CA appointed (or the CA's own)."""

    def __init__(
        self, signer: Signer, *, issuer: bytes, lifetime: timedelta = DEFAULT_LIFETIME
    ) -> None:
        own = parse_certificate(signer.certificate)
        self._issuer = parse_certificate(issuer)
        if signer.certificate != issuer and not own.may_answer_ocsp:
            raise KeyUnusable(
                "expected the CA's key or an OCSPSigning certificate, got another",
                reason="purpose",
            )
        self._signer = signer
        self._lifetime = lifetime
        # byKey: SHA-1 of the public key by definition (RFC 6960 §4.2.1).
        key_hash = hashlib.sha1(own.key_bits, usedforsecurity=False).digest()
        self._identity = der.tlv(0xA2, der.tlv(der.OCTET_STRING, key_hash))
        certificates = b"" if signer.certificate == issuer else signer.certificate
        self._certificates = der.tlv(0xA0, der.sequence(certificates)) if certificates else b""

    def respond(
        self,
        request: bytes,
        *,
        at: datetime,
        look_up: Callable[[int], Revoked | Standing],
    ) -> bytes:
        """Return an OCSPResponse (DER) for any bytes; `look_up` gets serial numbers."""
        parsed = _parse_request(request)
        if isinstance(parsed, Refusal):
            return refusal(parsed)
        questions, nonce = parsed
        if not all(self._is_ours(one) for one in questions):
            return refusal(Refusal.UNAUTHORIZED)
        answers = [self._answer(one, look_up(one.serial), at) for one in questions]
        return self._signed(answers, nonce, at)

    def state(self, certificate: bytes, *, at: datetime, standing: Revoked | Standing) -> bytes:
        """Return a response for one certificate of this CA, without having been asked."""
        request = ocsp_request(certificate, issuer=self._issuer.der)
        return self.respond(request, at=at, look_up=lambda _: standing)

    def _is_ours(self, question: _Question) -> bool:
        if question.digest is None:
            return False
        expected = (
            hashlib.new(question.digest, self._issuer.subject_der, usedforsecurity=False).digest(),
            hashlib.new(question.digest, self._issuer.key_bits, usedforsecurity=False).digest(),
        )
        return (question.name_hash, question.key_hash) == expected

    def _answer(self, question: _Question, standing: Revoked | Standing, at: datetime) -> bytes:
        return der.sequence(
            question.whole,
            _standing_der(standing),
            der.generalized_time(at),
            der.tlv(0xA0, der.generalized_time(at + self._lifetime)),
        )

    def _signed(self, answers: list[bytes], nonce: bytes | None, at: datetime) -> bytes:
        extensions = b"" if nonce is None else der.tlv(0xA1, der.sequence(nonce))
        statement = der.sequence(
            self._identity, der.generalized_time(at), der.sequence(*answers), extensions
        )
        signature = self._signer.sign(statement)
        if self._signer.algorithm.name.startswith("ECDSA"):
            signature = raw_to_der(signature)
        basic = der.sequence(
            statement,
            CMS_ALGORITHM[self._signer.algorithm],
            der.tlv(der.BIT_STRING, b"\x00" + signature),
            self._certificates,
        )
        body = der.sequence(_BASIC, der.tlv(der.OCTET_STRING, basic))
        return der.sequence(der.tlv(_ENUMERATED, b"\x00"), der.tlv(0xA0, body))


def ocsp_request(certificate: bytes, *, issuer: bytes, nonce: bytes | None = None) -> bytes:
    """Return an OCSPRequest (DER) for one certificate."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        x509.load_der_x509_certificate(certificate),
        x509.load_der_x509_certificate(issuer),
        hashes.SHA1(),  # noqa: S303  # names the issuer, the form every responder knows
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def refusal(why: Refusal) -> bytes:
    """Return an OCSPResponse without a statement."""
    return der.sequence(der.tlv(_ENUMERATED, bytes((why.value,))))


def _standing_der(standing: Revoked | Standing) -> bytes:
    if standing is Standing.GOOD:
        return _GOOD
    if isinstance(standing, Standing):
        return _UNKNOWN
    reason = _REASONS.get(standing.reason)
    stated = b"" if reason is None else der.tlv(0xA0, der.tlv(_ENUMERATED, bytes((reason,))))
    return der.tlv(0xA1, der.generalized_time(standing.at) + stated)


def _parse_request(request: bytes) -> Refusal | tuple[list[_Question], bytes | None]:
    """Return the questions and the nonce extension (whole), or why it is refused."""
    if len(request) > MAX_REQUEST_BYTES:
        return Refusal.MALFORMED
    try:
        outer = der.Cursor(request)
        envelope = outer.enter(der.SEQUENCE)
        outer.finish()
        body = envelope.enter(der.SEQUENCE)
        if envelope.next_tag() == 0xA0:
            envelope.take(0xA0)  # a requestor's signature is optional and not asked for
        envelope.finish()
        for tag in (0xA0, 0xA1):  # version, requestorName
            if body.next_tag() == tag:
                body.take(tag)
        questions = _parse_questions(body.enter(der.SEQUENCE))
        nonce = _parse_nonce(body.enter(0xA2)) if body.next_tag() == 0xA2 else None
        body.finish()
    except DerRefused:
        return Refusal.MALFORMED
    return (questions, nonce) if questions else Refusal.MALFORMED


def _parse_questions(cursor: der.Cursor) -> list[_Question]:
    questions: list[_Question] = []
    while cursor.next_tag() is not None:
        if len(questions) == MAX_QUESTIONS:
            raise DerRefused(f"expected at most {MAX_QUESTIONS} questions, got more")
        single = cursor.enter(der.SEQUENCE)
        whole = single.take_whole(der.SEQUENCE)
        parts = der.Cursor(whole).enter(der.SEQUENCE)
        questions.append(
            _Question(
                whole=whole,
                digest=_NAMING_DIGESTS.get(parts.take_whole(der.SEQUENCE)),
                name_hash=parts.take(der.OCTET_STRING),
                key_hash=parts.take(der.OCTET_STRING),
                serial=parts.take_integer(),
            )
        )
        parts.finish()
    return questions


def _parse_nonce(explicit: der.Cursor) -> bytes | None:
    extensions = explicit.enter(der.SEQUENCE)
    explicit.finish()
    nonce: bytes | None = None
    while extensions.next_tag() is not None:
        whole = extensions.take_whole(der.SEQUENCE)
        if der.Cursor(whole).enter(der.SEQUENCE).take_whole(der.OID) == _NONCE:
            if len(whole) > MAX_NONCE_BYTES:
                raise DerRefused("expected a short nonce, got a long one")
            nonce = whole
    return nonce
