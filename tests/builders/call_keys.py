"""Keys that sign calls in the tests, and a judge that knows their certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.x509.oid import NameOID

from connectors.wssecurity import Algorithm
from dossier.errors import Denied
from dossier.ids import AgencyCode


@dataclass(frozen=True, kw_only=True)
class CallKey:
    """A `TokenSigner` with a self-signed certificate."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: bytes

    @property
    def algorithm(self) -> Algorithm:
        """By the kind of key."""
        is_rsa = isinstance(self.key, rsa.RSAPrivateKey)
        return Algorithm.RSA_SHA256 if is_rsa else Algorithm.ECDSA_SHA256

    @property
    def private_pem(self) -> bytes:
        """For other programs."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def certificate_pem(self) -> bytes:
        """For other programs."""
        certificate = x509.load_der_x509_certificate(self.certificate)
        return certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, octets: bytes) -> bytes:
        """Sign as XML signatures want it."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(octets, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class KnownCertificates:
    """A `TokenJudge` that trusts the certificates it was given."""

    def __init__(self, bound: dict[bytes, AgencyCode]) -> None:
        self._bound = bound

    def verify(
        self, certificate: bytes, algorithm: Algorithm, octets: bytes, value: bytes
    ) -> AgencyCode:
        """Check the value with the certificate's key."""
        agency = self._bound.get(certificate)
        if agency is None:
            raise Denied("expected a certificate that is bound to an agency")
        key = x509.load_der_x509_certificate(certificate).public_key()
        try:
            if isinstance(key, rsa.RSAPublicKey) and algorithm is Algorithm.RSA_SHA256:
                key.verify(value, octets, padding.PKCS1v15(), hashes.SHA256())
                return agency
            if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is Algorithm.ECDSA_SHA256:
                half = len(value) // 2
                pair = (int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
                key.verify(encode_dss_signature(*pair), octets, ec.ECDSA(hashes.SHA256()))
                return agency
        except InvalidSignature as exc:
            raise Denied("expected a signature of the certificate's key") from exc
        raise Denied("expected the algorithm of the certificate's key")


@cache
def call_key(kind: Algorithm, name: str = "H28") -> CallKey:
    """Return a key, the same one for the same arguments."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind is Algorithm.RSA_SHA256:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return CallKey(key=key, certificate=certificate.public_bytes(serialization.Encoding.DER))
