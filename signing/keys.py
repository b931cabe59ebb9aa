"""Private keys: what a signer offers, and signers from PKCS#8 and PKCS#12 files."""

from __future__ import annotations

from typing import Final, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from signing import algorithms
from signing.algorithms import PrivateKey, SignatureAlgorithm
from signing.certificate import UNREADABLE, parse_certificate
from signing.errors import (
    AlgorithmRefused,
    CertificateRefused,
    KeyUnusable,
    PinRefused,
)

_PEM_MARK: Final = b"-----BEGIN "


class Signer(Protocol):
    """Anything that signs: a file, a token, a remote service."""

    @property
    def certificate(self) -> bytes:
        """The signer's certificate, DER."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The issuing CAs, DER, the leaf excluded; may be empty."""

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """The algorithm of `sign`."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message` in XML-DSig form: raw r‖s, or the PSS octets."""


class FileSigner:
    """A signer whose key is in the memory of this process."""

    __slots__ = ("_key", "algorithm", "certificate", "chain")

    def __init__(self, key: PrivateKey, *, certificate: bytes, chain: tuple[bytes, ...]) -> None:
        """Take a key and its certificate; raise `KeyUnusable` when they do not fit."""
        try:
            algorithm = algorithms.signing_algorithm(key.public_key())
        except AlgorithmRefused as exc:
            raise KeyUnusable(exc.message, reason="weak") from exc
        if parse_certificate(certificate).x509.public_key() != key.public_key():
            raise KeyUnusable(
                "expected the key of the first certificate, got another one", reason="mismatch"
            )
        self._key = key
        self.certificate = certificate
        self.chain = chain
        self.algorithm = algorithm

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message` in XML-DSig form."""
        return algorithms.sign(self._key, self.algorithm, message)


def load_signer(key: bytes, *, certificates: bytes, password: bytes | None = None) -> FileSigner:
    """Return a signer for a PKCS#8 key (PEM or DER) and its certificates (PEM, leaf first).

    Raises `PinRefused` for a wrong or missing password, `KeyUnusable` for anything else.
    """
    return FileSigner(
        load_private_key(key, password=password),
        certificate=_leaf(certificates),
        chain=read_certificates(certificates)[1:],
    )


def load_pkcs12(content: bytes, *, password: bytes | None) -> FileSigner:
    """Return a signer for a PKCS#12 file; errors as for `load_signer`."""
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(content, password)
    except ValueError as exc:
        if "password" in str(exc).lower():
            raise PinRefused("expected the password of the key, got another one") from exc
        raise KeyUnusable("expected a PKCS#12 file, got something else", reason="format") from exc
    if leaf is None or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyUnusable("expected an EC or RSA key and its certificate", reason="kind")
    chain = tuple(one.public_bytes(Encoding.DER) for one in others)
    return FileSigner(key, certificate=leaf.public_bytes(Encoding.DER), chain=chain)


def load_private_key(key: bytes, *, password: bytes | None = None) -> PrivateKey:
    """Return the EC or RSA key of a PEM or DER file; errors as for `load_signer`."""
    encrypted = is_encrypted(key)
    if encrypted and not password:
        raise PinRefused("expected a password for an encrypted key, got none")
    load = load_pem_private_key if _PEM_MARK in key else load_der_private_key
    try:
        loaded = load(key, password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        if encrypted:
            raise PinRefused("expected the password of the key, got another one") from exc
        raise KeyUnusable("expected a PKCS#8 key, got something else", reason="format") from exc
    if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyUnusable("expected an EC or RSA key, got another kind", reason="kind")
    return loaded


def is_encrypted(key: bytes) -> bool:
    """Tell whether a private key, PEM or DER, needs a password; no other bytes do."""
    if _PEM_MARK in key:
        return b"ENCRYPTED" in key
    try:
        load_der_private_key(key, None)
    except TypeError:
        return True  # how the library tells a missing password
    except (ValueError, UnsupportedAlgorithm):
        return False
    return False


def is_pkcs12_locked(content: bytes) -> bool:
    """Tell whether a PKCS#12 file needs a password other than the empty one."""
    try:
        load_pkcs12(content, password=None)
    except PinRefused:
        return True
    except (CertificateRefused, KeyUnusable):
        return False  # loading tells more
    return False


def read_certificates(content: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file (in order) or of one DER file, as DER."""
    try:
        if _PEM_MARK not in content:
            return (parse_certificate(content).der,)
        loaded = x509.load_pem_x509_certificates(content)
    except UNREADABLE as exc:
        raise CertificateRefused("expected PEM certificates, got something else") from exc
    return tuple(one.public_bytes(Encoding.DER) for one in loaded)


def _leaf(certificates: bytes) -> bytes:
    return read_certificates(certificates)[0]
