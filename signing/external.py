"""Signing in two steps, for keys that are elsewhere: a browser's agent, a remote service, a phone.

Step one gives the octets to sign; step two takes the value, checks it, and makes the document.
Between the two the caller keeps `Prepared`, which holds no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from dossier import canonical
from dossier.errors import CanonicalRefused
from signing import algorithms
from signing.algorithms import SignatureAlgorithm
from signing.asic import DOCUMENT_CLOSE, DOCUMENT_OPEN, DataFile, references_of
from signing.certificate import Certificate, parse_certificate
from signing.errors import ExternalSignatureRefused, KeyUnusable
from signing.tsa import Timestamper
from signing.xades import Prepared, SignatureRole, finish_signature, prepare_signature

_VERSION = 1


def prepare_files(
    files: Sequence[DataFile], *, certificate: bytes, at: datetime, role: SignatureRole
) -> Prepared:
    """Return what the holder of `certificate` (DER) is to sign over `files`.

    Raises `CertificateRefused`, `KeyUnusable`, and what `sign_files` raises for the files.
    """
    parsed = parse_certificate(certificate)
    if parsed.public_key is None or not parsed.may_sign_documents:
        raise KeyUnusable(
            "expected a certificate for signing documents, got another", reason="purpose"
        )
    return prepare_signature(
        references_of(files),
        certificate=certificate,
        algorithm=algorithms.signing_algorithm(parsed.public_key),
        at=at,
        role=role,
    )


def digest_of(prepared: Prepared) -> bytes:
    """Return the digest to sign, for services that take digests; the algorithm names its hash."""
    return hashlib.new(prepared.algorithm.hash_name, prepared.signed_info).digest()


def complete_files(
    prepared: Prepared, signature: bytes, *, timestamper: Timestamper | None
) -> bytes:
    """Return the signature document, as `sign_files` does.

    `signature` is raw r‖s, or DER for an EC key, or the PSS octets. Raises
    `ExternalSignatureRefused` unless it fits, and what the time-stamper raises.
    """
    value = _checked(prepared, signature, parse_certificate(prepared.certificate))
    return (
        DOCUMENT_OPEN
        + finish_signature(prepared, value, timestamper=timestamper)
        + (DOCUMENT_CLOSE)
    )


def _checked(prepared: Prepared, signature: bytes, certificate: Certificate) -> bytes:
    """Return the value in XML-DSig form."""
    key = certificate.public_key
    if key is None:
        raise KeyUnusable("expected a listed key, got a weak one", reason="weak")
    try:
        value = signature
        # A raw value has exactly two coordinates; a DER value begins with SEQUENCE and is longer.
        if isinstance(key, ec.EllipticCurvePublicKey) and len(signature) != 2 * (
            (key.curve.key_size + 7) // 8
        ):
            value = algorithms.der_to_raw(signature, key)
        algorithms.verify(key, prepared.algorithm, signature=value, message=prepared.signed_info)
    except InvalidSignature as exc:
        raise ExternalSignatureRefused(
            "expected a signature over the prepared octets, got another"
        ) from exc
    return value


def dump_prepared(prepared: Prepared) -> bytes:
    """Return `prepared` as canonical JSON, to be kept between the two steps."""
    return canonical.dump(
        {
            "v": _VERSION,
            "certificate": base64.b64encode(prepared.certificate).decode(),
            "algorithm": prepared.algorithm.value,
            "signed_info": prepared.signed_info.decode(),
            "properties": prepared.properties.decode(),
        }
    )


def parse_prepared(content: bytes) -> Prepared:
    """Return what `dump_prepared` kept; raise `ExternalSignatureRefused` for anything else."""
    try:
        fields = canonical.parse(content)
        if not isinstance(fields, dict) or fields.get("v") != _VERSION:
            raise ExternalSignatureRefused("expected a prepared signature of version 1")
        return Prepared(
            certificate=base64.b64decode(str(fields["certificate"]), validate=True),
            algorithm=SignatureAlgorithm(fields["algorithm"]),
            signed_info=str(fields["signed_info"]).encode(),
            properties=str(fields["properties"]).encode(),
        )
    except (CanonicalRefused, KeyError, ValueError, binascii.Error) as exc:
        raise ExternalSignatureRefused("expected a prepared signature, got another") from exc
