"""The allow-list of signature and digest algorithms, and the only calls that sign or verify.

Facts: signing.md §3.3, RFC 9231. HMAC, DSA, Ed25519 and MD5 are not in the table at all. SHA-1
and short keys are there to be verified; until when they count, `signing.suite` says.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final, assert_never

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from signing.errors import AlgorithmRefused

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

MIN_RSA_BITS: Final = 2048
OLD_RSA_BITS: Final = 1024

SHA256_URI: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
DIGEST_BY_URI: Final = {
    SHA256_URI: "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
}

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_MGF: Final = "http://www.w3.org/2007/05/xmldsig-more#"


class SignatureAlgorithm(Enum):
    """Signature methods by their XML-DSig URI; the PKCS#1 v1.5 ones verify only."""

    ECDSA_SHA256 = _MORE + "ecdsa-sha256"
    ECDSA_SHA384 = _MORE + "ecdsa-sha384"
    ECDSA_SHA512 = _MORE + "ecdsa-sha512"
    RSA_PSS_SHA256 = _MGF + "sha256-rsa-MGF1"
    RSA_PSS_SHA384 = _MGF + "sha384-rsa-MGF1"
    RSA_PSS_SHA512 = _MGF + "sha512-rsa-MGF1"
    RSA_PKCS1_SHA256 = _MORE + "rsa-sha256"
    RSA_PKCS1_SHA384 = _MORE + "rsa-sha384"
    RSA_PKCS1_SHA512 = _MORE + "rsa-sha512"
    ECDSA_SHA1 = _MORE + "ecdsa-sha1"
    RSA_PKCS1_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"

    @property
    def may_sign(self) -> bool:
        """Return whether we create signatures with it (Circular 15/2025 Annex I)."""
        return self not in _VERIFY_ONLY

    @property
    def scheme(self) -> str:
        """Return ECDSA, RSA-PSS or RSA-PKCS1."""
        return self.name.rpartition("_")[0].replace("_", "-")

    @property
    def hash_name(self) -> str:
        """Return the `hashlib` name of its digest."""
        return _HASH[self].name


_VERIFY_ONLY: Final = frozenset(
    {
        SignatureAlgorithm.RSA_PKCS1_SHA256,
        SignatureAlgorithm.RSA_PKCS1_SHA384,
        SignatureAlgorithm.RSA_PKCS1_SHA512,
        SignatureAlgorithm.RSA_PKCS1_SHA1,
        SignatureAlgorithm.ECDSA_SHA1,
    }
)
_HASH: Final[dict[SignatureAlgorithm, hashes.HashAlgorithm]] = {
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.ECDSA_SHA512: hashes.SHA512(),
    SignatureAlgorithm.RSA_PSS_SHA256: hashes.SHA256(),
    SignatureAlgorithm.RSA_PSS_SHA384: hashes.SHA384(),
    SignatureAlgorithm.RSA_PSS_SHA512: hashes.SHA512(),
    SignatureAlgorithm.RSA_PKCS1_SHA256: hashes.SHA256(),
    SignatureAlgorithm.RSA_PKCS1_SHA384: hashes.SHA384(),
    SignatureAlgorithm.RSA_PKCS1_SHA512: hashes.SHA512(),
    SignatureAlgorithm.RSA_PKCS1_SHA1: hashes.SHA1(),  # noqa: S303  # for old signatures
    SignatureAlgorithm.ECDSA_SHA1: hashes.SHA1(),  # noqa: S303  # for old signatures
}
_ECDSA: Final = {
    algorithm: ec.ECDSA(digest)
    for algorithm, digest in _HASH.items()
    if algorithm.name.startswith("ECDSA")
}
_RSA: Final[dict[SignatureAlgorithm, padding.AsymmetricPadding]] = {
    algorithm: padding.PKCS1v15()
    if algorithm in _VERIFY_ONLY
    else padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    for algorithm, digest in _HASH.items()
    if algorithm not in _ECDSA
}
# One coordinate of a raw r‖s value, by curve: exact lengths only (row 9 of the attack table).
_COORDINATE_BYTES: Final = {
    "secp256r1": 32,
    "secp384r1": 48,
    "secp521r1": 66,
    "secp224r1": 28,
    "secp192r1": 24,
}
_SIGN_BY_CURVE: Final = {
    "secp256r1": SignatureAlgorithm.ECDSA_SHA256,
    "secp384r1": SignatureAlgorithm.ECDSA_SHA384,
    "secp521r1": SignatureAlgorithm.ECDSA_SHA512,
}


_DIGESTS: Final = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}


def digest_of(name: str, octets: bytes | memoryview) -> bytes:
    """Return a digest by its `hashlib` name."""
    make = _DIGESTS.get(name)
    return make(octets).digest() if make else hashlib.new(name, octets).digest()


def algorithm_by_uri(uri: str) -> SignatureAlgorithm:
    """Return the algorithm of a SignatureMethod URI; raise `AlgorithmRefused` if not listed."""
    try:
        return SignatureAlgorithm(uri)
    except ValueError as exc:
        raise AlgorithmRefused(
            f"expected a listed signature method, got {uri[:120]}", algorithm=uri[:120]
        ) from exc


def signing_algorithm(key: PublicKey) -> SignatureAlgorithm:
    """Return the algorithm we sign with for `key`; raise `AlgorithmRefused` for a weak key."""
    require_strong(key)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _SIGN_BY_CURVE[key.curve.name]
    return SignatureAlgorithm.RSA_PSS_SHA256


def require_strong(key: object) -> PublicKey:
    """Return `key` if its kind and size are allowed, else raise `AlgorithmRefused`."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in _SIGN_BY_CURVE:
            return key
        raise AlgorithmRefused(
            f"expected P-256, P-384 or P-521, got {key.curve.name}", algorithm=key.curve.name
        )
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size >= MIN_RSA_BITS:
            return key
        name = f"RSA-{key.key_size}"
        raise AlgorithmRefused(f"expected RSA of {MIN_RSA_BITS} bits, got {name}", algorithm=name)
    name = type(key).__name__
    raise AlgorithmRefused(f"expected an EC or RSA key, got {name}", algorithm=name)


def require_known(key: object) -> PublicKey:
    """Return a key that may once have been allowed; raise `AlgorithmRefused` for any other."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _COORDINATE_BYTES:
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= OLD_RSA_BITS:
        return key
    return require_strong(key)


def key_kind(key: PublicKey) -> tuple[str, int]:
    """Return the kind of a key, `RSA` or `EC`, and its size in bits."""
    return ("EC" if isinstance(key, ec.EllipticCurvePublicKey) else "RSA"), key.key_size


def sign(key: PrivateKey, algorithm: SignatureAlgorithm, message: bytes) -> bytes:
    """Return the signature in XML-DSig form: raw r‖s, or the PSS octets."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, _ECDSA[algorithm]))
        size = _COORDINATE_BYTES[key.curve.name]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, _RSA[algorithm], _HASH[algorithm])
    assert_never(key)


def verify(
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    *,
    signature: bytes,
    message: bytes,
    salt_bytes: int | None = None,
) -> None:
    """Raise `InvalidSignature` unless `signature` (XML-DSig form) over `message` is by `key`.

    `salt_bytes` is the length of an RSASSA-PSS salt where the signature states it, as CMS does.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        verifier = _ECDSA.get(algorithm)
        size = _COORDINATE_BYTES[key.curve.name]
        if verifier is None or len(signature) != 2 * size:
            raise InvalidSignature
        value = raw_to_der(signature)
        key.verify(value, message, verifier)
        return
    scheme = _RSA.get(algorithm)
    if scheme is None:
        raise InvalidSignature
    if salt_bytes is not None:
        scheme = padding.PSS(mgf=padding.MGF1(_HASH[algorithm]), salt_length=salt_bytes)
    key.verify(signature, message, scheme, _HASH[algorithm])


def raw_to_der(signature: bytes) -> bytes:
    """Return the DER form of raw r‖s; raise `InvalidSignature` when r or s is 0."""
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    if not r or not s:
        raise InvalidSignature
    return encode_dss_signature(r, s)


def der_to_raw(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """Return raw r‖s of a DER ECDSA value; raise `InvalidSignature` unless it is canonical."""
    try:
        r, s = decode_dss_signature(signature)
        size = _COORDINATE_BYTES[key.curve.name]
        if encode_dss_signature(r, s) != signature:
            raise InvalidSignature
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError) as exc:
        raise InvalidSignature from exc
