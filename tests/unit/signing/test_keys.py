"""Keys: what opens, what is refused, and what a signature looks like."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from signing import algorithms
from signing.algorithms import SignatureAlgorithm
from signing.certificate import parse_certificate
from signing.errors import (
    AlgorithmRefused,
    CertificateRefused,
    KeyUnusable,
    PinRefused,
)
from signing.keys import (
    is_encrypted,
    is_pkcs12_locked,
    load_pkcs12,
    load_private_key,
    load_signer,
    read_certificates,
)
from signing.pki import Subject, certificates_pem, issue_leaf, new_key, public_key_of
from signing.purpose import Purpose
from tests.builders.signing import NOW, SHORT, pki

PIN = b"123456"


def certificate_for(key: bytes, *, pin: bytes | None = None) -> bytes:
    from_key = public_key_of(key, pin=pin)
    return issue_leaf(
        pki().issuing,
        public_key=from_key,
        purpose=Purpose.PERSON,
        subject=Subject(common_name="Lãnh đạo"),
        validity=SHORT,
        serial=77,
    )


def rsa_pem(bits: int) -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_right_pin_opens_the_key_and_signs() -> None:
    key = new_key(pin=PIN)
    signer = load_signer(
        key, certificates=certificates_pem(certificate_for(key, pin=PIN)), password=PIN
    )

    signature = signer.sign(b"message")

    public = parse_certificate(signer.certificate).public_key
    assert public is not None
    assert len(signature) == 64
    algorithms.verify(public, signer.algorithm, signature=signature, message=b"message")


@pytest.mark.parametrize("password", [b"000000", b"", None])
def test_wrong_or_missing_pin_is_refused(password: bytes | None) -> None:
    key = new_key(pin=PIN)
    certificates = certificates_pem(certificate_for(key, pin=PIN))

    with pytest.raises(PinRefused):
        load_signer(key, certificates=certificates, password=password)


def test_key_of_another_certificate_is_refused() -> None:
    certificates = certificates_pem(certificate_for(new_key()))

    with pytest.raises(KeyUnusable) as caught:
        load_signer(new_key(), certificates=certificates)

    assert caught.value.parameters["reason"] == "mismatch"


def test_garbage_and_other_kinds_of_keys_are_refused() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for content in (b"", b"-----BEGIN PRIVATE KEY-----\n", edwards):
        with pytest.raises(KeyUnusable):
            load_private_key(content)


def test_rsa_signs_with_pss_and_nothing_else() -> None:
    key = rsa_pem(2048)
    signer = load_signer(key, certificates=certificates_pem(certificate_for(key)))

    assert signer.algorithm is SignatureAlgorithm.RSA_PSS_SHA256
    public = parse_certificate(signer.certificate).public_key
    assert public is not None
    signature = signer.sign(b"m")
    algorithms.verify(public, signer.algorithm, signature=signature, message=b"m")
    for algorithm in (SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.ECDSA_SHA256):
        with pytest.raises(InvalidSignature):
            algorithms.verify(public, algorithm, signature=signature, message=b"m")


def test_short_rsa_key_is_too_weak() -> None:
    with pytest.raises(AlgorithmRefused):
        algorithms.require_strong(load_private_key(rsa_pem(1024)).public_key())


def test_unlisted_curve_is_too_weak() -> None:
    with pytest.raises(AlgorithmRefused):
        algorithms.require_strong(ec.generate_private_key(ec.SECP256K1()).public_key())


def test_pkcs12_gives_key_and_chain() -> None:
    pem = new_key()
    leaf = x509.load_der_x509_certificate(certificate_for(pem))
    issuing = x509.load_der_x509_certificate(pki().issuing.certificate)
    key = load_private_key(pem)
    content = pkcs12.serialize_key_and_certificates(
        b"key", key, leaf, [issuing], serialization.BestAvailableEncryption(PIN)
    )

    signer = load_pkcs12(content, password=PIN)

    assert signer.chain == (pki().issuing.certificate,)
    with pytest.raises(PinRefused):
        load_pkcs12(content, password=b"x")
    with pytest.raises(KeyUnusable):
        load_pkcs12(b"junk", password=PIN)


@pytest.mark.parametrize("password", [None, PIN])
def test_key_in_der_signs_and_tells_whether_it_needs_a_password(password: bytes | None) -> None:
    pem = new_key()
    content = load_private_key(pem).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )

    signer = load_signer(
        content, certificates=certificates_pem(certificate_for(pem)), password=password
    )

    assert signer.algorithm is SignatureAlgorithm.ECDSA_SHA256
    assert is_encrypted(content) is (password is not None)
    assert not is_encrypted(b"junk")


def test_pkcs12_without_a_password_asks_for_none() -> None:
    pem = new_key()
    certificate = certificate_for(pem)
    leaf = x509.load_der_x509_certificate(certificate)
    open_one, locked = (
        pkcs12.serialize_key_and_certificates(b"key", load_private_key(pem), leaf, None, encryption)
        for encryption in (serialization.NoEncryption(), serialization.BestAvailableEncryption(PIN))
    )

    assert not is_pkcs12_locked(open_one)
    assert load_pkcs12(open_one, password=None).certificate == certificate
    assert is_pkcs12_locked(locked)
    assert not is_pkcs12_locked(b"junk")


def test_certificates_are_read_from_pem_and_der() -> None:
    leaf, issuing = pki().signers[Purpose.SEAL].certificate, pki().issuing.certificate

    assert read_certificates(certificates_pem(leaf, issuing)) == (leaf, issuing)
    assert read_certificates(leaf) == (leaf,)
    for junk in (b"", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"):
        with pytest.raises(CertificateRefused):
            read_certificates(junk)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_certificate_has_exactly_its_purpose(purpose: Purpose) -> None:
    certificate = parse_certificate(pki().signers[purpose].certificate)

    assert certificate.purpose is purpose
    assert certificate.may_stamp is (purpose is Purpose.TSA)
    assert certificate.may_answer_ocsp is (purpose is Purpose.OCSP)
    usage = certificate.x509.extensions.get_extension_for_class(x509.KeyUsage)
    commits = purpose in (Purpose.SEAL, Purpose.PERSON)
    assert usage.critical
    assert usage.value.content_commitment is commits
    assert usage.value.digital_signature is not commits


def test_certificate_with_two_purposes_has_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    policies = [
        x509.PolicyInformation(x509.ObjectIdentifier(one.oid), None)
        for one in (Purpose.SEAL, Purpose.TSA)
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .serial_number(5)
        .public_key(key.public_key())
        .add_extension(x509.CertificatePolicies(policies), critical=False)
        .sign(key, hashes.SHA256())
    )

    parsed = parse_certificate(certificate.public_bytes(serialization.Encoding.DER))

    assert parsed.purpose is None
    assert not parsed.foreign_purpose
