"""Judge the signature of one call: trusted for calls now, and made by this very certificate."""

from __future__ import annotations

from datetime import datetime

from cryptography.exceptions import InvalidSignature

from signing import algorithms
from signing.certificate import parse_certificate
from signing.certpath import judge_path
from signing.errors import CertificateRefused
from signing.policy import Trust
from signing.purpose import Purpose


def verify_call(
    certificate: bytes,
    *,
    algorithm: str,
    octets: bytes,
    value: bytes,
    trust: Trust,
    at: datetime,
) -> None:
    """Return when `value` is the signature of `octets` by a certificate that is trusted for calls.

    `algorithm` is the URI of the signature method. Raises `AlgorithmRefused` or
    `CertificateRefused`.
    """
    leaf = parse_certificate(certificate)
    key = algorithms.require_strong(leaf.x509.public_key())
    method = algorithms.algorithm_by_uri(algorithm)
    try:
        algorithms.verify(key, method, signature=value, message=octets)
    except InvalidSignature as exc:
        raise CertificateRefused("expected the signature of the certificate's key") from exc
    path = judge_path(leaf, trust=trust, time=at, at=at)
    if leaf.purpose is not Purpose.REQUEST or not path.verdict.is_passed:
        raise CertificateRefused("expected a certificate that is trusted for calls")
