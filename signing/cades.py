"""Judging CAdES and plain CMS signatures (EN 319 122-1, RFC 5652), detached or attached.

What a signature is over is given as `Signed`: bytes, a file of a container, byte ranges of a PDF.
The steps are numbered as in `signing.judge`; from the third on they are `signing.decision`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from signing import der
from signing.algorithms import der_to_raw
from signing.archivestamp import AT_SIGNATURE_STAMP, archive_stamps, values_of
from signing.certificate import Certificate
from signing.cms import CmsSigner, SignedData, parse_signer, parse_time
from signing.cmsalgorithms import SHA1_URI, digest_name, digest_uri, method_uri, pss_salt
from signing.decision import Claim, decide
from signing.errors import CertificateRefused, DerRefused, SignatureMalformed
from signing.indication import SubIndication
from signing.judge import Circumstances, judge_value, unreadable
from signing.judgement import (
    PASSED,
    SignatureVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
    remark,
    unknown_algorithm,
)
from signing.policy import WEAK_ALGORITHMS, Trust
from signing.proofs import Stamp, digester
from signing.timestamp import Imprint
from signing.tsa import (
    AT_CONTENT_TYPE,
    AT_MESSAGE_DIGEST,
    AT_SIGNING_CERTIFICATE,
    AT_SIGNING_CERTIFICATE_V2,
    AT_SIGNING_TIME,
    DIGEST_BY_IDENTIFIER,
)
from signing.unsigned import Values

MAX_COUNTER_DEPTH: Final = 4
MAX_SIGNATURES: Final = 64  # of one file, counter signatures included
_NO_VALUES: Final = Values()
_AT_COUNTER_SIGNATURE: Final = der.oid("1.2.840.113549.1.9.6")
_AT_COMMITMENT: Final = der.oid("1.2.840.113549.1.9.16.2.16")
_COMMITMENTS: Final = {
    der.oid(f"1.2.840.113549.1.9.16.6.{arc}"): name
    for arc, name in enumerate(
        (
            "ProofOfOrigin",
            "ProofOfReceipt",
            "ProofOfDelivery",
            "ProofOfSender",
            "ProofOfApproval",
            "ProofOfCreation",
        ),
        start=1,
    )
}
_AT_PROTECTION: Final = der.oid("1.2.840.113549.1.9.52")  # RFC 6211
_BINDING: Final = frozenset({AT_SIGNING_CERTIFICATE, AT_SIGNING_CERTIFICATE_V2})
# Archive forms before v3, which only the standards before EN 319 122-1 knew.
_OLD_ARCHIVES: Final = frozenset(
    {der.oid("1.2.840.113549.1.9.16.2.27"), der.oid("1.2.840.113549.1.9.16.2.48")}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """What the signatures of a SignedData are over, and what the file around them knows."""

    covers: tuple[str, ...]  # names of the files that a digest that holds covers
    imprint: Imprint | None  # digest of the octets; None when they are missing
    name: str  # of the octets, for what is said about them
    verdict: Verdict = PASSED  # faults of what leads from the octets to the files
    values: Values = _NO_VALUES  # validation data beside the signature
    stamps: tuple[Stamp, ...] = ()  # over the whole signature, oldest first, without values
    archives: tuple[Stamp, ...] = ()  # over the whole signature and its values, oldest first
    stamps_suffice: bool = False  # such stamps stand for signature time-stamps too (PDF)
    claimed_time: datetime | None = None  # where the signature itself states none


def judge_cms(
    identity: str, data: SignedData, *, signed: Signed, circumstances: Circumstances
) -> list[SignatureVerdict]:
    """Judge every signature of a SignedData, counter signatures too; never raises for content."""
    if not data.signers:
        problem = failed(SubIndication.FORMAT_FAILURE, "no_signature")
        return [unreadable(identity, problem)]
    found: list[SignatureVerdict] = []
    for number, signer in enumerate(data.signers, start=1):
        if len(found) > MAX_SIGNATURES:
            break
        name = identity if len(data.signers) == 1 else f"{identity}#{number}"
        found.append(_judged(name, data, signer, signed, data.content_type, circumstances))
        counters = _counters(name, data, signer, circumstances, depth=1)
        found += islice(counters, MAX_SIGNATURES)
    if len(found) > MAX_SIGNATURES:
        many = SignatureMalformed(f"expected at most {MAX_SIGNATURES}", reason="signatures")
        return [unreadable(identity, unsupported(many))]
    return found


def _counters(
    identity: str,
    data: SignedData,
    signer: CmsSigner,
    circumstances: Circumstances,
    *,
    depth: int,
) -> Iterator[SignatureVerdict]:
    """Yield the verdicts on counter signatures: over the value of the one they stand in."""
    octets = [
        one
        for attribute in signer.unsigned
        if attribute.kind == _AT_COUNTER_SIGNATURE
        for one in attribute.values
    ]
    for number, content in enumerate(octets, start=1):
        name = f"{identity}/counter-{number}"
        try:
            if depth > MAX_COUNTER_DEPTH:
                raise SignatureMalformed("expected fewer counter signatures", reason="counter")
            counter = parse_signer(content)
        except SignatureMalformed as exc:
            yield unreadable(name, unsupported(exc))
            continue
        signed = Signed(covers=(identity,), imprint=digester(signer.signature), name=identity)
        yield _judged(name, data, counter, signed, None, circumstances)
        yield from _counters(name, data, counter, circumstances, depth=depth + 1)


def unsupported(problem: SignatureMalformed) -> Verdict:
    """Return the verdict on a signature that cannot be read."""
    return failed(
        SubIndication.FORMAT_FAILURE,
        "signature_unsupported",
        reason=str(problem.parameters.get("reason", "")),
        detail=problem.message[:200],
    )


def _judged(
    identity: str,
    data: SignedData,
    signer: CmsSigner,
    signed: Signed,
    content_type: bytes | None,
    circumstances: Circumstances,
) -> SignatureVerdict:
    try:
        return _judge(identity, data, signer, signed, content_type, circumstances)
    except SignatureMalformed as exc:
        return unreadable(identity, unsupported(exc))
    except DerRefused as exc:
        problem = SignatureMalformed(exc.message, reason="attributes")
        return unreadable(identity, unsupported(problem))


def _judge(
    identity: str,
    data: SignedData,
    signer: CmsSigner,
    signed: Signed,
    content_type: bytes | None,
    circumstances: Circumstances,
) -> SignatureVerdict:
    # 1. Signing certificate.
    values = values_of(data, signer, signed.values)
    trust = circumstances.trust.extended(values)
    certificate, binding = _signing_certificate(signer, values, trust)
    # 2. Cryptography: attributes, data, value.
    algorithm = method_uri(signer.algorithm, digest=signer.digest)
    value = PASSED
    if isinstance(certificate, Certificate) and signer.attributes:
        value = _judge_value(signer, algorithm, certificate)
    attributes = gravest(*_attribute_faults(signer, content_type))
    digest = _judge_digest(signer, signed)
    # 3. to 5. are those of every format.
    old = any(one.kind in _OLD_ARCHIVES for one in signer.unsigned)
    stamps = (*_signature_stamps(signer), *signed.stamps)
    claim = Claim(
        certificate=certificate,
        value=value,
        data=gravest(attributes, digest, signed.verdict),
        remarks=gravest(binding, remark("archive_unsupported") if old else PASSED),
        stamps=stamps,
        archives=(*archive_stamps(data, signer, signed.imprint), *signed.archives),
        has_values=bool(values.crls or values.ocsps),
        archives_suffice=signed.stamps_suffice,
        is_baseline=not signer.signed.keys().isdisjoint(_BINDING),
        algorithm=algorithm,
        role=None,
        claimed_time=_claimed_time(signer) or signed.claimed_time,
        covers=signed.covers if digest.is_passed else (),
        commitments=tuple(_commitments(signer)),
        digests=tuple(filter(None, [digest_name(signer.digest)])),
    )
    return decide(identity, claim, trust=trust, circumstances=circumstances)


def _commitments(signer: CmsSigner) -> Iterator[str]:
    """Yield what the signer commits to (EN 319 122-1 §5.2.3), an unknown type as its octets."""
    for value in signer.signed.get(_AT_COMMITMENT, ()):
        kind = der.Cursor(value).enter(der.SEQUENCE).take_whole(der.OID)
        yield _COMMITMENTS.get(kind, kind.hex()[:80])


def _attribute_faults(signer: CmsSigner, content_type: bytes | None) -> Iterator[Verdict]:
    yield PASSED
    if not signer.attributes:
        return
    # A counter signature has no content type (RFC 5652 §11.4), everything else the content's own.
    if signer.value(AT_CONTENT_TYPE) != content_type:
        yield failed(SubIndication.FORMAT_FAILURE, "content_type_wrong")
    protected = signer.value(_AT_PROTECTION)
    if protected is not None:
        inner = der.Cursor(protected).enter(der.SEQUENCE)
        digest = inner.take_whole(der.SEQUENCE)
        method = inner.take(0xA1) if inner.next_tag() == 0xA1 else b""
        if digest_uri(digest) != digest_uri(signer.digest) or (
            method and der.tlv(der.SEQUENCE, method) != signer.algorithm
        ):
            yield failed(SubIndication.SIG_CRYPTO_FAILURE, "algorithms_changed")


def _judge_digest(signer: CmsSigner, signed: Signed) -> Verdict:
    """Judge the message digest over the octets."""
    if not signer.attributes:
        # Without them the octets of another signature's attributes could pass as content.
        return indeterminate(SubIndication.SIG_CONSTRAINTS_FAILURE, "attributes_missing")
    if signed.imprint is None:
        return indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "file_missing", name=signed.name)
    uri = digest_uri(signer.digest)
    if uri in WEAK_ALGORITHMS:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, "weak_algorithm", algorithm=uri
        )
    name = digest_name(signer.digest)
    if name is None:
        return unknown_algorithm(uri)
    if signer.value(AT_MESSAGE_DIGEST) != der.tlv(der.OCTET_STRING, signed.imprint(name)):
        return failed(SubIndication.HASH_FAILURE, "file_changed", name=signed.name)
    return PASSED


def _judge_value(signer: CmsSigner, algorithm: str, certificate: Certificate) -> Verdict:
    signature = signer.signature
    if isinstance(certificate.old_key, ec.EllipticCurvePublicKey):
        # CMS carries ECDSA values as DER; the table verifies raw r‖s.
        try:
            signature = der_to_raw(signature, certificate.old_key)
        except InvalidSignature:
            signature = b""
    if "?salt=" in algorithm:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, "weak_algorithm", algorithm=algorithm
        )
    # What was signed is the DER of the set (RFC 5652 §5.4), however the attributes were stored.
    for message in dict.fromkeys((signer.attributes, _in_order(signer.attributes))):
        verdict = judge_value(
            algorithm,
            certificate,
            signature=signature,
            message=message,
            salt_bytes=pss_salt(signer.algorithm),
        )
        if verdict.is_passed:
            break
    return verdict


def _in_order(attributes: bytes) -> bytes:
    if not attributes:
        return b""
    cursor = der.Cursor(attributes).enter(der.SET)
    found: list[bytes] = []
    while cursor.next_tag() is not None:
        found.append(cursor.take_whole(der.SEQUENCE))
    return der.set_of(*found)


def _signing_certificate(
    signer: CmsSigner, values: Values, trust: Trust
) -> tuple[Certificate | Verdict, Verdict]:
    """Return the certificate that the signer names, and what is to be said of the binding.

    The signed attribute decides (row 6). Plain CMS has none: there the identity of the SignerInfo
    is all there is, and the signature is of no baseline level.
    """
    missing = indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_not_bound")
    candidates = (*values.certificates, *trust.certificates)
    digest = _certificate_digest(signer)
    if isinstance(digest, Verdict):
        return digest, PASSED
    binding = PASSED
    if digest is None:
        binding = remark("certificate_not_signed")
    elif digest[0] == "sha1":
        binding = remark("weak_certificate_digest", algorithm="SHA-1")
    for candidate in candidates:
        if digest and _digest_of(digest[0], candidate) != digest[1]:
            continue
        try:
            certificate = trust.certificate(candidate)
        except CertificateRefused:
            continue
        if _is_named(certificate, signer):
            return certificate, binding
    return missing, PASSED


def _digest_of(name: str, octets: bytes) -> bytes:
    return hashlib.new(name, octets, usedforsecurity=False).digest()


def _is_named(certificate: Certificate, signer: CmsSigner) -> bool:
    if signer.key_identifier is not None:
        return _key_identifier(certificate) == signer.key_identifier
    return (certificate.issuer_der, certificate.serial) == (signer.issuer, signer.serial)


def _key_identifier(certificate: Certificate) -> bytes | None:
    try:
        extension = certificate.x509.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return extension.value.digest


def _certificate_digest(signer: CmsSigner) -> tuple[str, bytes] | Verdict | None:
    """Return hash name and digest of the first ESSCertIDv2 or ESSCertID; None without either.

    The older attribute knows SHA-1 only (RFC 2634 §5.4). It names the certificate beside issuer
    and serial number, and a second certificate for a given digest is not what SHA-1 is broken for.
    """
    newer = signer.value(AT_SIGNING_CERTIFICATE_V2)
    value = newer or signer.value(AT_SIGNING_CERTIFICATE)
    if value is None:
        return None
    first = der.Cursor(value).enter(der.SEQUENCE).enter(der.SEQUENCE).enter(der.SEQUENCE)
    name: str | None = "sha256" if newer else "sha1"
    if newer and first.next_tag() == der.SEQUENCE:
        identifier = first.take_whole(der.SEQUENCE)
        name = DIGEST_BY_IDENTIFIER.get(identifier)
        if name is None and digest_uri(identifier) == SHA1_URI:
            name = "sha1"
        if name is None:
            return unknown_algorithm(digest_uri(identifier))
    return str(name), first.take(der.OCTET_STRING)


def _signature_stamps(signer: CmsSigner) -> Iterator[Stamp]:
    for attribute in signer.unsigned:
        if attribute.kind == AT_SIGNATURE_STAMP:
            for token in attribute.values:
                yield Stamp(token=token, imprint=digester(signer.signature))


def _claimed_time(signer: CmsSigner) -> datetime | None:
    value = signer.value(AT_SIGNING_TIME)
    return None if value is None else parse_time(value)
