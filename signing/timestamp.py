"""Time-stamp tokens read strictly: every octet is either checked, signed, or refused.

Reading proves nothing: `check_token` compares the imprint and verifies the signature of the
authority; whether the authority is trusted is `signing.certpath`'s question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from signing import der
from signing.algorithms import SignatureAlgorithm, der_to_raw, digest_of, verify
from signing.ber import to_der
from signing.certificate import Certificate
from signing.errors import (
    CertificateRefused,
    DerRefused,
    TimestampMalformed,
    TimestampUnavailable,
)
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, failed, indeterminate
from signing.policy import Trust
from signing.tokenparts import Token
from signing.tsa import (
    AT_CONTENT_TYPE,
    AT_MESSAGE_DIGEST,
    AT_SIGNING_CERTIFICATE,
    AT_SIGNING_CERTIFICATE_V2,
    CMS_ALGORITHM,
    CT_SIGNED_DATA,
    CT_TST_INFO,
    DIGEST_BY_IDENTIFIER,
    Timestamper,
)

# Gives the digest of what should have been stamped, by the `hashlib` name the token states.
Imprint = Callable[[str], bytes]

MAX_TOKEN_BYTES: Final = 64 * 1024
# Attribute certificates and the like (RFC 5652 §10.2.2), which nothing here needs.
_OTHER_CERTIFICATES: Final = (0xA0, 0xA1, 0xA2, 0xA3)
MAX_CERTIFICATES: Final = 16
# Those of other authorities may carry revocation data, which raises the version (RFC 5652 §5.1).
_FOREIGN_VERSIONS: Final = (3, 4, 5)
MAX_FOREIGN_TOKEN_BYTES: Final = 4 * 1024 * 1024

_RSA_ENCRYPTION: Final = der.oid("1.2.840.113549.1.1.1")
SIGNATURE_BY_IDENTIFIER: Final = {
    **{identifier: algorithm for algorithm, identifier in CMS_ALGORITHM.items()},
    **{
        der.sequence(der.oid(f"1.2.840.113549.1.1.{arc}"), der.tlv(der.NULL, b"")): algorithm
        for arc, algorithm in (
            (11, SignatureAlgorithm.RSA_PKCS1_SHA256),
            (12, SignatureAlgorithm.RSA_PKCS1_SHA384),
            (13, SignatureAlgorithm.RSA_PKCS1_SHA512),
        )
    },
}
# rsaEncryption names no digest: the SignerInfo's digestAlgorithm does (RFC 3370 §3.2).
_RSA_BY_DIGEST: Final = {
    "sha256": SignatureAlgorithm.RSA_PKCS1_SHA256,
    "sha384": SignatureAlgorithm.RSA_PKCS1_SHA384,
    "sha512": SignatureAlgorithm.RSA_PKCS1_SHA512,
}


def parse_token(token: bytes) -> Token:
    """Return the parts of a TimeStampToken; raise `TimestampMalformed` for anything else."""
    if len(token) > MAX_TOKEN_BYTES:
        raise TimestampMalformed(f"expected at most {MAX_TOKEN_BYTES} bytes, got {len(token)}")
    try:
        return _parse(token)
    except DerRefused as exc:
        raise TimestampMalformed(f"expected a TimeStampToken: {exc}") from exc


def parse_foreign_token(token: bytes) -> Token:
    """Return the parts of a token of another authority, which may be in BER."""
    if len(token) > MAX_FOREIGN_TOKEN_BYTES:
        raise TimestampMalformed(
            f"expected at most {MAX_FOREIGN_TOKEN_BYTES} bytes, got {len(token)}"
        )
    try:
        return _parse(to_der(token), versions=_FOREIGN_VERSIONS)
    except DerRefused as exc:
        raise TimestampMalformed(f"expected a TimeStampToken: {exc}") from exc


def _parse(token: bytes, *, versions: tuple[int, ...] = (3,)) -> Token:
    outer = der.Cursor(token)
    content_info = outer.enter(der.SEQUENCE)
    outer.finish()
    _expect(content_info.take_whole(der.OID), CT_SIGNED_DATA, "signedData")
    explicit = content_info.enter(0xA0)
    content_info.finish()
    data = explicit.enter(der.SEQUENCE)
    explicit.finish()
    if data.take_integer() not in versions:
        raise DerRefused("expected a version of SignedData, got another")
    digests = data.take(der.SET)  # exactly one, as there is one signer
    content = data.enter(der.SEQUENCE)
    _expect(content.take_whole(der.OID), CT_TST_INFO, "TSTInfo")
    wrapped = content.enter(0xA0)
    content.finish()
    info = wrapped.take(der.OCTET_STRING)
    wrapped.finish()
    others = _OTHER_CERTIFICATES if versions is _FOREIGN_VERSIONS else ()
    certificates = (
        _parse_certificates(data.enter(0xA0), others=others) if data.next_tag() == 0xA0 else ()
    )
    has_crls = data.next_tag() == 0xA1
    if has_crls:
        data.take(0xA1)
    signers = data.enter(der.SET)
    data.finish()
    signer = signers.enter(der.SEQUENCE)
    signers.finish()  # exactly one SignerInfo (RFC 3161 §2.4.2)
    return _parse_signer(
        signer, digests=digests, info=info, certificates=certificates, has_crls=has_crls
    )


def _parse_certificates(cursor: der.Cursor, *, others: tuple[int, ...]) -> tuple[bytes, ...]:
    """Return the certificates; those with a tag of `others` are passed over."""
    found: list[bytes] = []
    while (tag := cursor.next_tag()) is not None:
        if tag in others:
            cursor.take(tag)
            continue
        found.append(cursor.take_whole(der.SEQUENCE))
        if len(found) > MAX_CERTIFICATES:
            raise DerRefused(f"expected at most {MAX_CERTIFICATES} certificates, got more")
    return tuple(found)


def _parse_signer(
    signer: der.Cursor,
    *,
    digests: bytes,
    info: bytes,
    certificates: tuple[bytes, ...],
    has_crls: bool,
) -> Token:
    if signer.take_integer() != 1:
        raise DerRefused("expected SignerInfo version 1, got another")
    identity = signer.enter(der.SEQUENCE)
    issuer, serial = identity.take_whole(der.SEQUENCE), identity.take_signed()
    identity.finish()
    digest = signer.take_whole(der.SEQUENCE)
    digest_name = DIGEST_BY_IDENTIFIER.get(digest)
    if DIGEST_BY_IDENTIFIER.get(digests) != digest_name:
        raise DerRefused("expected one digest algorithm throughout, got two")
    if digest_name is None:
        raise DerRefused("expected a listed digest algorithm, got another")
    attributes = b"\x31" + signer.take_whole(0xA0)[1:]
    values = _signed_attributes(attributes)
    algorithm = _signature_algorithm(signer.take_whole(der.SEQUENCE), digest_name)
    signature = signer.take(der.OCTET_STRING)
    has_unsigned = signer.next_tag() == 0xA1
    if has_unsigned:
        signer.take(0xA1)
    signer.finish()
    return _parse_info(
        info,
        attributes=attributes,
        values=values,
        digest_name=digest_name,
        algorithm=algorithm,
        signature=signature,
        issuer=issuer,
        certificate_serial=serial,
        certificates=certificates,
        has_freight=has_unsigned or has_crls,
    )


def _signature_algorithm(identifier: bytes, digest_name: str) -> SignatureAlgorithm:
    if identifier in SIGNATURE_BY_IDENTIFIER:
        algorithm = SIGNATURE_BY_IDENTIFIER[identifier]
    else:
        inner = der.Cursor(identifier).enter(der.SEQUENCE)
        _expect(inner.take_whole(der.OID), _RSA_ENCRYPTION, "a listed signature algorithm")
        if inner.take(der.NULL):
            raise DerRefused("expected an empty NULL, got content")
        inner.finish()
        algorithm = _RSA_BY_DIGEST[digest_name]
    if algorithm.hash_name != digest_name:
        raise DerRefused("expected the digest of the signature algorithm, got another")
    return algorithm


def _parse_info(
    info: bytes,
    *,
    attributes: bytes,
    values: Mapping[bytes, bytes],
    digest_name: str,
    algorithm: SignatureAlgorithm,
    signature: bytes,
    issuer: bytes,
    certificate_serial: int,
    certificates: tuple[bytes, ...],
    has_freight: bool,
) -> Token:
    outer = der.Cursor(info)
    body = outer.enter(der.SEQUENCE)
    outer.finish()
    if body.take_integer() != 1:
        raise DerRefused("expected TSTInfo version 1, got another")
    policy = body.take_whole(der.OID)
    message = body.enter(der.SEQUENCE)
    imprint_hash = DIGEST_BY_IDENTIFIER.get(message.take_whole(der.SEQUENCE))
    imprint = message.take(der.OCTET_STRING)
    message.finish()
    if imprint_hash is None or hashlib.new(imprint_hash).digest_size != len(imprint):
        raise DerRefused("expected a listed imprint algorithm and its size, got another")
    serial = body.take_signed()
    time = body.take_time()
    if body.next_tag() == der.SEQUENCE:
        body.take(der.SEQUENCE)  # accuracy: stated by the authority, signed, not used
    if body.next_tag() == der.BOOLEAN:
        body.take(der.BOOLEAN)  # ordering
    nonce = body.take_signed() if body.next_tag() == der.INTEGER else None
    for tag in (0xA0, 0xA1):  # the authority's name, extensions: signed, not used
        if body.next_tag() == tag:
            body.take(tag)
    body.finish()
    return Token(
        time=time,
        imprint_hash=imprint_hash,
        imprint=imprint,
        serial=serial,
        nonce=nonce,
        policy=policy,
        info=info,
        attributes=attributes,
        values=values,
        digest_name=digest_name,
        algorithm=algorithm,
        signature=signature,
        issuer=issuer,
        certificate_serial=certificate_serial,
        certificates=certificates,
        has_freight=has_freight,
    )


def _expect(found: bytes, wanted: bytes, what: str) -> None:
    if found != wanted:
        raise DerRefused(f"expected {what}, got another object identifier")


def stamped(timestamper: Timestamper, imprint_sha256: bytes) -> bytes:
    """Return a token over the digest; raise `TimestampUnavailable` when it is something else.

    So a broken authority never spoils a signature that was just made.
    """
    token = timestamper.stamp(imprint_sha256)
    try:
        found = parse_token(token)
    except TimestampMalformed as exc:
        raise TimestampUnavailable("expected a time-stamp token, got something else") from exc
    if (found.imprint_hash, found.imprint) != ("sha256", imprint_sha256):
        raise TimestampUnavailable("expected a token over the digest, got one over another")
    return token


def signer_of(token: Token, trust: Trust) -> Certificate | None:
    """Return the authority's certificate: named by the token, bound by its signed attribute."""
    digest = _certificate_digest(token)
    if digest is None:
        return None
    name, wanted = digest
    for candidate in (*token.certificates, *trust.certificates):
        try:
            certificate = trust.certificate(candidate)
        except CertificateRefused:
            continue
        known = certificate.fingerprint
        if name != "sha256":
            known = hashlib.new(name, candidate, usedforsecurity=False).digest()
        if known != wanted:
            continue
        named = (certificate.issuer_der, certificate.serial)
        if named == (token.issuer, token.certificate_serial):
            return certificate
    return None


def _signed_attributes(content: bytes) -> Mapping[bytes, bytes]:
    """Return attribute values by type; an attribute that comes twice is refused."""
    values: dict[bytes, bytes] = {}
    attributes = der.Cursor(content).enter(der.SET)
    while attributes.next_tag() is not None:
        attribute = attributes.enter(der.SEQUENCE)
        kind = attribute.take_whole(der.OID)
        if kind in values:
            raise DerRefused("expected each attribute once, got one twice")
        values[kind] = attribute.take(der.SET)
        attribute.finish()
    return values


def _certificate_digest(token: Token) -> tuple[str, bytes] | None:
    """Return hash name and digest of the first ESSCertIDv2 or ESSCertID, None without either.

    The older attribute knows SHA-1 only (RFC 2634 §5.4), and authorities still write it. Issuer
    and serial number are signed beside it, and finding a second certificate for a given digest is
    not what SHA-1 is broken for, so it is taken as the name that it is.
    """
    newer = token.values.get(AT_SIGNING_CERTIFICATE_V2)
    value = newer or token.values.get(AT_SIGNING_CERTIFICATE)
    if value is None:
        return None
    try:
        first = der.Cursor(value).enter(der.SEQUENCE).enter(der.SEQUENCE).enter(der.SEQUENCE)
        name: str | None = "sha256" if newer else "sha1"
        if newer and first.next_tag() == der.SEQUENCE:
            name = DIGEST_BY_IDENTIFIER.get(first.take_whole(der.SEQUENCE))
        digest = first.take(der.OCTET_STRING)
    except DerRefused:
        return None
    return None if name is None else (name, digest)


def check_token(token: Token, certificate: Certificate, *, imprint: Imprint) -> Verdict:
    """Judge imprint, authority's key usage and signature; the path and the time come later."""
    if imprint(token.imprint_hash) != token.imprint:
        return failed(SubIndication.HASH_FAILURE, "timestamp_imprint")
    if certificate.public_key is None:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            "weak_key",
            certificate=certificate.subject,
        )
    if not certificate.may_stamp:
        return indeterminate(SubIndication.CHAIN_CONSTRAINTS_FAILURE, "timestamp_purpose")
    if not _attributes_hold(token):
        return failed(SubIndication.HASH_FAILURE, "timestamp_attributes")
    try:
        verify(
            certificate.public_key,
            token.algorithm,
            signature=_raw_signature(token, certificate),
            message=token.attributes,
        )
    except InvalidSignature:
        return failed(SubIndication.SIG_CRYPTO_FAILURE, "timestamp_signature")
    return PASSED


def _attributes_hold(token: Token) -> bool:
    digest = digest_of(token.digest_name, token.info)
    return token.values.get(AT_CONTENT_TYPE) == CT_TST_INFO and token.values.get(
        AT_MESSAGE_DIGEST
    ) == der.tlv(der.OCTET_STRING, digest)


def _raw_signature(token: Token, certificate: Certificate) -> bytes:
    # CMS carries ECDSA values as DER; the table verifies raw r‖s.
    if isinstance(certificate.public_key, ec.EllipticCurvePublicKey):
        return der_to_raw(token.signature, certificate.public_key)
    return token.signature
