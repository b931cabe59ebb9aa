"""Our time-stamping authority: RFC 3161 tokens from a DER template, and answers to requests.

The constant parts of a token are encoded once per authority; per token only TSTInfo, signingTime,
messageDigest and the signature change (signing.md §4.3).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Final, Protocol

from signing import der
from signing.algorithms import SignatureAlgorithm, raw_to_der
from signing.certificate import parse_certificate
from signing.errors import DerRefused, KeyUnusable, TimestampKeyRefused, TimestampMalformed
from signing.keys import Signer
from signing.purpose import ARC

# The policy under which the embedded authority stamps: its own clock, one second accuracy.
DEFAULT_POLICY: Final = f"{ARC}.2.1"
MAX_REQUEST_BYTES: Final = 16 * 1024

CT_TST_INFO: Final = der.oid("1.2.840.113549.1.9.16.1.4")
CT_SIGNED_DATA: Final = der.oid("1.2.840.113549.1.7.2")
AT_CONTENT_TYPE: Final = der.oid("1.2.840.113549.1.9.3")
AT_MESSAGE_DIGEST: Final = der.oid("1.2.840.113549.1.9.4")
AT_SIGNING_TIME: Final = der.oid("1.2.840.113549.1.9.5")
AT_SIGNING_CERTIFICATE: Final = der.oid("1.2.840.113549.1.9.16.2.12")
AT_SIGNING_CERTIFICATE_V2: Final = der.oid("1.2.840.113549.1.9.16.2.47")
_NULL: Final = der.tlv(der.NULL, b"")

_SHA256_OID: Final = der.oid("2.16.840.1.101.3.4.2.1")
_DIGEST_BY_OID: Final = {
    _SHA256_OID: "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
# As an AlgorithmIdentifier, with NULL parameters or without (RFC 5754 §2).
DIGEST_BY_IDENTIFIER: Final = {
    der.sequence(oid, parameters): name
    for oid, name in _DIGEST_BY_OID.items()
    for parameters in (_NULL, b"")
}
_OID_BY_SIZE: Final = {hashlib.new(name).digest_size: oid for oid, name in _DIGEST_BY_OID.items()}
_SHA256: Final = der.sequence(_SHA256_OID, _NULL)


def _pss(oid: str, size: int) -> bytes:
    digest = der.sequence(der.oid(oid), _NULL)
    mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), digest)
    parameters = der.sequence(
        der.tlv(0xA0, digest), der.tlv(0xA1, mask), der.tlv(0xA2, der.integer(size))
    )
    return der.sequence(der.oid("1.2.840.113549.1.1.10"), parameters)


# CMS AlgorithmIdentifiers by our algorithms (RFC 5753 §2.1, RFC 4056).
CMS_ALGORITHM: Final = {
    SignatureAlgorithm.ECDSA_SHA256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    SignatureAlgorithm.ECDSA_SHA384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
    SignatureAlgorithm.ECDSA_SHA512: der.sequence(der.oid("1.2.840.10045.4.3.4")),
    SignatureAlgorithm.RSA_PSS_SHA256: _pss("2.16.840.1.101.3.4.2.1", 32),
    SignatureAlgorithm.RSA_PSS_SHA384: _pss("2.16.840.1.101.3.4.2.2", 48),
    SignatureAlgorithm.RSA_PSS_SHA512: _pss("2.16.840.1.101.3.4.2.3", 64),
}


class Timestamper(Protocol):
    """Whatever gives time-stamp tokens: our own authority or a client of a foreign one."""

    def stamp(self, imprint_sha256: bytes) -> bytes:
        """Return a TimeStampToken (DER) over the SHA-256 digest, or raise `Unavailable`."""


class Failure(Enum):
    """Bits of PKIFailureInfo (RFC 3161 §2.4.2)."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16


class TimestampAuthority:
    """Stamps with one TSA key. The serial source must never repeat a number."""

    def __init__(
        self,
        signer: Signer,
        *,
        policy: str = DEFAULT_POLICY,
        serials: Callable[[], int] = lambda: secrets.randbits(126) | 1 << 126,
    ) -> None:
        """Raise `KeyUnusable` unless the certificate is for time-stamping alone.

        Raise `TimestampKeyRefused` for an RSA key: ours sign with PSS, which verifiers by PKCS #7,
        `openssl ts -verify` among them, do not know.
        """
        if not signer.algorithm.name.startswith("ECDSA"):
            raise TimestampKeyRefused("expected an EC key of a time-stamping authority, got RSA")
        certificate = parse_certificate(signer.certificate)
        if not certificate.may_stamp:
            raise KeyUnusable(
                "expected one critical timeStamping key usage, got another certificate",
                reason="purpose",
            )
        self._signer = signer
        self._serials = serials
        self._policy = der.oid(policy)
        self._template = _Template(signer, issuer=certificate.issuer_der, serial=certificate.serial)

    def stamp(self, imprint: bytes, *, at: datetime, nonce: int | None = None) -> bytes:
        """Return a token (DER) over a SHA-256, SHA-384 or SHA-512 digest.

        Our own signatures carry the TSA certificate only; the chain is trust data of the verifier.
        """
        return self._token(imprint, at=at, nonce=nonce, certificates=(self._signer.certificate,))

    def respond(self, request: bytes, *, at: datetime) -> bytes:
        """Return a TimeStampResp (DER) for any bytes: granted, or rejected with the reason."""
        asked = _parse_request(request)
        if isinstance(asked, Failure):
            return _rejection(asked)
        imprint, policy, nonce, wants_certificates = asked
        if policy is not None and policy != self._policy:
            return _rejection(Failure.UNACCEPTED_POLICY)
        certificates = (self._signer.certificate, *self._signer.chain) if wants_certificates else ()
        token = self._token(imprint, at=at, nonce=nonce, certificates=certificates)
        return der.sequence(der.sequence(der.integer(0)), token)

    def timestamper(self, now: Callable[[], datetime]) -> Timestamper:
        """Return this authority as a `Timestamper` that stamps at `now()`."""
        return _Local(self, now)

    def _token(
        self,
        imprint: bytes,
        *,
        at: datetime,
        nonce: int | None,
        certificates: tuple[bytes, ...],
    ) -> bytes:
        digest = _OID_BY_SIZE.get(len(imprint))
        if digest is None:
            raise TimestampMalformed("expected a SHA-256, SHA-384 or SHA-512 digest")
        info = der.sequence(
            der.integer(1),
            self._policy,
            der.sequence(der.sequence(digest, _NULL), der.tlv(der.OCTET_STRING, imprint)),
            der.integer(self._serials()),
            der.generalized_time(at),
            der.sequence(der.integer(1)),  # accuracy: one second
            b"" if nonce is None else der.integer(nonce),
        )
        return self._template.token(info, at=at, certificates=certificates)


class _Template:
    """The parts of SignedData that one key always writes alike."""

    def __init__(self, signer: Signer, *, issuer: bytes, serial: int) -> None:
        algorithm = signer.algorithm
        self._sign = signer.sign
        self._hash_name = algorithm.hash_name
        digest = der.sequence(_OID_BY_SIZE[hashlib.new(self._hash_name).digest_size], _NULL)
        self._digests = der.integer(3) + der.set_of(digest)
        self._signer_head = der.integer(1) + der.sequence(issuer, der.integer(serial)) + digest
        self._algorithm = CMS_ALGORITHM[algorithm]
        self._content_type = der.sequence(AT_CONTENT_TYPE, der.set_of(CT_TST_INFO))
        certificate_digest = hashlib.sha256(signer.certificate).digest()
        # ESSCertIDv2 with its default algorithm SHA-256 left out (RFC 5816 §2.2.1).
        self._ess = der.sequence(
            AT_SIGNING_CERTIFICATE_V2,
            der.set_of(
                der.sequence(
                    der.sequence(der.sequence(der.tlv(der.OCTET_STRING, certificate_digest)))
                )
            ),
        )

    def token(self, info: bytes, *, at: datetime, certificates: tuple[bytes, ...]) -> bytes:
        """Return the ContentInfo around `info` (RFC 5652)."""
        digest = hashlib.new(self._hash_name, info).digest()
        attributes = b"".join(
            sorted(
                (
                    self._content_type,
                    der.sequence(AT_SIGNING_TIME, der.set_of(der.utc_time(at))),
                    der.sequence(AT_MESSAGE_DIGEST, der.set_of(der.tlv(der.OCTET_STRING, digest))),
                    self._ess,
                )
            )
        )
        # Signed with the SET tag, stored with the implicit [0] (RFC 5652 §5.4).
        signature = raw_to_der(self._sign(der.tlv(der.SET, attributes)))
        signer_info = der.sequence(
            self._signer_head,
            der.tlv(0xA0, attributes),
            self._algorithm,
            der.tlv(der.OCTET_STRING, signature),
        )
        content = der.sequence(CT_TST_INFO, der.tlv(0xA0, der.tlv(der.OCTET_STRING, info)))
        known = der.tlv(0xA0, b"".join(sorted(certificates))) if certificates else b""
        signed_data = der.sequence(self._digests, content, known, der.tlv(der.SET, signer_info))
        return der.sequence(CT_SIGNED_DATA, der.tlv(0xA0, signed_data))


class _Local:
    def __init__(self, authority: TimestampAuthority, now: Callable[[], datetime]) -> None:
        self._authority = authority
        self._now = now

    def stamp(self, imprint_sha256: bytes) -> bytes:
        return self._authority.stamp(imprint_sha256, at=self._now())


def _parse_request(request: bytes) -> Failure | tuple[bytes, bytes | None, int | None, bool]:
    """Return imprint, policy, nonce, certReq of a TimeStampReq, or why it is refused."""
    if len(request) > MAX_REQUEST_BYTES:
        return Failure.BAD_DATA_FORMAT
    try:
        outer = der.Cursor(request)
        body = outer.enter(der.SEQUENCE)
        outer.finish()
        if body.take_integer() != 1:
            return Failure.BAD_REQUEST
        message = body.enter(der.SEQUENCE)
        digest = DIGEST_BY_IDENTIFIER.get(message.take_whole(der.SEQUENCE))
        imprint = message.take(der.OCTET_STRING)
        message.finish()
        policy = body.take_whole(der.OID) if body.next_tag() == der.OID else None
        nonce = body.take_integer() if body.next_tag() == der.INTEGER else None
        wants = body.next_tag() == der.BOOLEAN and body.take(der.BOOLEAN) == b"\xff"
        if body.next_tag() == 0xA0:
            return Failure.UNACCEPTED_EXTENSION
        body.finish()
    except DerRefused:
        return Failure.BAD_DATA_FORMAT
    if digest is None or hashlib.new(digest).digest_size != len(imprint):
        return Failure.BAD_ALGORITHM
    return imprint, policy, nonce, wants


def _rejection(failure: Failure) -> bytes:
    bit = failure.value
    octets = bytearray(bit // 8 + 1)
    octets[bit // 8] = 0x80 >> bit % 8
    unused = 7 - bit % 8
    text = der.sequence(der.tlv(der.UTF8_STRING, failure.name.lower().encode()))
    info = der.tlv(der.BIT_STRING, bytes((unused,)) + bytes(octets))
    return der.sequence(der.sequence(der.integer(2), text, info))


def build_request(imprint_sha256: bytes, *, nonce: int) -> bytes:
    """Return a TimeStampReq (DER) over a SHA-256 digest that asks for the certificate too."""
    return der.sequence(
        der.integer(1),
        der.sequence(_SHA256, der.tlv(der.OCTET_STRING, imprint_sha256)),
        der.integer(nonce),
        der.tlv(der.BOOLEAN, b"\xff"),
    )


def token_of_response(response: bytes) -> bytes:
    """Return the token of a TimeStampResp; raise `TimestampMalformed` when it was not granted."""
    try:
        outer = der.Cursor(response)
        body = outer.enter(der.SEQUENCE)
        outer.finish()
        status = body.enter(der.SEQUENCE).take_integer()
        if status not in (0, 1):
            raise TimestampMalformed(f"expected a granted response, got status {status}")
        token = body.take_whole(der.SEQUENCE)
        body.finish()
    except DerRefused as exc:
        raise TimestampMalformed("expected a TimeStampResp, got something else") from exc
    return token
