"""The embedded certification authority as pure functions: keys, certificates and CRLs.

Nothing here reads a clock or remembers a serial number: the caller gives both. A certificate has
one purpose, expressed by a policy OID of our arc (`signing.purpose`) and key usages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.algorithms import PrivateKey, PublicKey, require_strong
from signing.errors import KeyUnusable
from signing.keys import load_private_key
from signing.purpose import TEST_OID, Purpose

_ANY_POLICY: Final = x509.ObjectIdentifier("2.5.29.32.0")
_DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
_EXTENDED: Final[dict[Purpose, tuple[x509.ObjectIdentifier, bool]]] = {
    Purpose.SEAL: (_DOCUMENT_SIGNING, False),
    Purpose.PERSON: (_DOCUMENT_SIGNING, False),
    Purpose.TSA: (ExtendedKeyUsageOID.TIME_STAMPING, True),  # critical: RFC 3161 §2.3
    Purpose.OCSP: (ExtendedKeyUsageOID.OCSP_SIGNING, False),
    Purpose.REQUEST: (ExtendedKeyUsageOID.CLIENT_AUTH, False),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A distinguished name; empty parts are left out."""

    common_name: str
    organization: str = ""
    unit: str = ""
    country: str = "VN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Validity:
    """From when to when, aware UTC; certificates hold whole seconds."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuer:
    """A CA that can sign: its certificate (DER) and its private key (PKCS#8 PEM)."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """One line of a CRL."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified


def new_key(*, pin: bytes | None = None) -> bytes:
    """Return a fresh P-256 key as PKCS#8 PEM, encrypted when `pin` is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if pin is not None:
        encryption = serialization.BestAvailableEncryption(pin)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def public_key_of(key: bytes, *, pin: bytes | None = None) -> bytes:
    """Return the public half of a PKCS#8 PEM key as SubjectPublicKeyInfo DER."""
    return (
        load_private_key(key, password=pin)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def issue_root(
    key: bytes, *, subject: Subject, validity: Validity, serial: int, for_tests: bool = False
) -> bytes:
    """Return a self-signed root certificate (DER) that allows one CA below it.

    `for_tests` marks it, so that a policy can refuse it as an anchor.
    """
    private = load_private_key(key)
    name = _name(subject)
    builder = _builder(private, name, validity, serial).subject_name(name)
    builder = _for_authority(builder, private.public_key(), path_length=1)
    if for_tests:
        mark = x509.PolicyInformation(x509.ObjectIdentifier(TEST_OID), None)
        builder = builder.add_extension(x509.CertificatePolicies([mark]), critical=False)
    return _signed(builder, private)


def issue_authority(
    issuer: Issuer, *, public_key: bytes, subject: Subject, validity: Validity, serial: int
) -> bytes:
    """Return the certificate (DER) of an issuing CA, which may not have a CA below it."""
    private, parent = _opened(issuer)
    builder = _builder(private, parent.subject, validity, serial).subject_name(_name(subject))
    builder = _for_authority(builder, _loaded(public_key), path_length=0).add_extension(
        x509.CertificatePolicies([x509.PolicyInformation(_ANY_POLICY, None)]), critical=False
    )
    return _signed(builder, private)


def issue_leaf(
    issuer: Issuer,
    *,
    public_key: bytes,
    purpose: Purpose,
    subject: Subject,
    validity: Validity,
    serial: int,
    ocsp_address: str | None = None,
) -> bytes:
    """Return an end-entity certificate (DER) of exactly one purpose."""
    private, parent = _opened(issuer)
    builder = _builder(private, parent.subject, validity, serial).subject_name(_name(subject))
    builder = (
        _for_key(builder, _loaded(public_key))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_leaf_usage(purpose), critical=True)
        .add_extension(
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier(purpose.oid), None)]
            ),
            critical=False,
        )
    )
    if purpose in _EXTENDED:
        oid, critical = _EXTENDED[purpose]
        builder = builder.add_extension(x509.ExtendedKeyUsage([oid]), critical=critical)
    if purpose is Purpose.OCSP:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    if ocsp_address is not None:
        access = x509.AccessDescription(
            x509.oid.AuthorityInformationAccessOID.OCSP,
            x509.UniformResourceIdentifier(ocsp_address),
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return _signed(builder, private)


def issue_crl(
    issuer: Issuer,
    *,
    number: int,
    at: datetime,
    next_update: datetime,
    revoked: Sequence[Revocation] = (),
) -> bytes:
    """Return a complete CRL (DER) of the issuer, valid from `at` to `next_update`."""
    private, parent = _opened(issuer)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(parent.subject)
        .last_update(_whole(at))
        .next_update(_whole(next_update))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(private.public_key()),
            critical=False,
        )
    )
    for one in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial)
            .revocation_date(_whole(one.at))
        )
        if one.reason is not x509.ReasonFlags.unspecified:
            entry = entry.add_extension(x509.CRLReason(one.reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    crl = builder.sign(private, hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.DER)


def signing_request(key: bytes, *, subject: Subject) -> bytes:
    """Return the request (PKCS#10, PEM) by which a certification authority certifies a key."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(subject))
    signed = request.sign(load_private_key(key), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def certificates_pem(*certificates: bytes) -> bytes:
    """Return DER certificates as one PEM file, in the order given."""
    return b"".join(
        x509.load_der_x509_certificate(one).public_bytes(serialization.Encoding.PEM)
        for one in certificates
    )


def _opened(issuer: Issuer) -> tuple[PrivateKey, x509.Certificate]:
    return load_private_key(issuer.key), x509.load_der_x509_certificate(issuer.certificate)


def _loaded(public_key: bytes) -> PublicKey:
    try:
        return require_strong(serialization.load_der_public_key(public_key))
    except ValueError as exc:
        raise KeyUnusable("expected a public key, got something else", reason="format") from exc


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _name(subject: Subject) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, subject.country),
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.unit),
        (NameOID.COMMON_NAME, subject.common_name),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


def _builder(
    issuer_key: PrivateKey, issuer: x509.Name, validity: Validity, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .not_valid_before(_whole(validity.start))
        .not_valid_after(_whole(validity.end))
        .serial_number(serial)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _for_key(builder: x509.CertificateBuilder, key: PublicKey) -> x509.CertificateBuilder:
    return builder.public_key(key).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key), critical=False
    )


def _for_authority(
    builder: x509.CertificateBuilder, key: PublicKey, *, path_length: int
) -> x509.CertificateBuilder:
    return (
        _for_key(builder, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
    )


def _leaf_usage(purpose: Purpose) -> x509.KeyUsage:
    # A seal or a person commits to content and does nothing else with the key.
    commits = purpose in (Purpose.SEAL, Purpose.PERSON)
    return _usage(commitment=commits, digital_signature=not commits)


def _usage(
    *, commitment: bool = False, digital_signature: bool = False, sign_certificates: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, issuer_key: PrivateKey) -> bytes:
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER)
