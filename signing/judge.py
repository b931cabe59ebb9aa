"""Judging one signature of our profile: digests, value, time-stamps, path, purpose.

The steps follow EN 319 102-1 §5: format, signing certificate, cryptography, time, path. None
stops the others, so the verdict names everything that is wrong.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature

from signing import algorithms
from signing.certificate import Certificate
from signing.certpath import PathVerdict, judge_path
from signing.errors import AlgorithmRefused, CertificateRefused
from signing.indication import SubIndication
from signing.judgement import (
    PASSED,
    SignatureVerdict,
    TimeProof,
    Verdict,
    failed,
    gravest,
    indeterminate,
    unknown_algorithm,
)
from signing.policy import WEAK_ALGORITHMS, Trust
from signing.proofs import SignedData, judge_extra, judge_purpose, judge_times
from signing.purpose import Purpose
from signing.strength import judge_method, judge_policy
from signing.xades import COMMITMENTS, OwnSignature

_DIGESTS: Final = ("sha256",)  # of our profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """Under what a signature is judged."""

    trust: Trust
    at: datetime  # the instant of judging, aware UTC
    purposes: frozenset[Purpose]  # what a signing certificate of our arc must be for
    foreign_allowed: bool = False  # signatures outside our profile may pass
    foreign_keys_allowed: bool = False  # so may those of our profile by other authorities' keys
    simple_allowed: bool = False  # ASiC-S may pass, which no message travels in


def unreadable(identity: str, verdict: Verdict) -> SignatureVerdict:
    """Return the verdict on a signature that could not be read."""
    return SignatureVerdict(
        id=identity,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        level=None,
        signer=None,
        certificate=None,
        purpose=None,
        role=None,
        claimed_time=None,
        best_time=None,
        proof=TimeProof.NONE,
        covers=(),
        reasons=verdict.reasons,
        algorithm=None,
    )


def judge_signature(
    identity: str,
    signature: OwnSignature,
    *,
    data: SignedData,
    circumstances: Circumstances,
) -> SignatureVerdict:
    """Judge one signature over `data`.

    Every check is made; the verdict is the gravest of them and carries all reasons.
    """
    trust = circumstances.trust
    if signature.unsigned.values is not None:
        trust = trust.extended(signature.unsigned.values)
    # 1. Signing certificate: the one that SignedProperties bind, and no other.
    certificate = _bound_certificate(signature, trust)
    # 2. Cryptography: data, properties, value.
    covers, references = _judge_references(signature, data)
    properties = _judge_properties(signature)
    value = (
        certificate
        if isinstance(certificate, Verdict)
        else judge_value(
            signature.algorithm,
            certificate,
            signature=signature.signature,
            message=signature.signed_info,
        )
    )
    # 3. Time: what is proved, and the instant up to which the file speaks for itself.
    times = judge_times(signature, data=data, trust=trust, at=circumstances.at)
    # 4. Path and purpose, at the proved time.
    path = PathVerdict(verdict=PASSED, chain=())
    purpose = method = PASSED
    if not isinstance(certificate, Verdict):
        time = times.best or circumstances.at
        path = judge_path(certificate, trust=trust, time=time, at=times.control)
        purpose = judge_use(certificate, circumstances)
        method = judge_method(signature.algorithm, digests=_DIGESTS, trust=trust, time=time)
    commitments = (COMMITMENTS[signature.role],)
    policy = judge_policy(trust.rules, level=times.level, commitments=commitments, chain=path.chain)
    extra = judge_extra(signature, chain=path.chain, times=times, trust=trust)
    # 5. All together. In our profile a time-stamp that cannot be verified spoils the signature:
    # nobody but the signer's software put it there, and no byte is free.
    verdict = gravest(
        value, references, properties, path.verdict, purpose, times.verdict, extra, method, policy
    )
    known = None if isinstance(certificate, Verdict) else certificate
    return SignatureVerdict(
        id=identity,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        level=times.level,
        signer=known.subject if known else None,
        certificate=signature.certificate,
        purpose=known.purpose if known else None,
        role=signature.role.value,
        claimed_time=signature.claimed_time,
        best_time=times.best,
        proof=times.proof,
        covers=covers,
        reasons=verdict.reasons,
        algorithm=signature.algorithm,
        chain=tuple(one.der for one in path.chain),
        timestamps=times.stamps,
        commitments=commitments,
        digests=_DIGESTS,
    )


def _bound_certificate(signature: OwnSignature, trust: Trust) -> Certificate | Verdict:
    try:
        certificate = trust.certificate(signature.certificate)
    except CertificateRefused:
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_unreadable")
    if certificate.fingerprint != signature.certificate_sha256:
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_not_bound")
    return certificate


def _judge_references(signature: OwnSignature, data: SignedData) -> tuple[tuple[str, ...], Verdict]:
    """Return the names whose digests hold, and the verdict on all references."""
    covers: list[str] = []
    verdicts: list[Verdict] = []
    for reference in signature.references:
        name = data.names.get(reference.uri)
        if name is None:
            verdicts.append(
                indeterminate(
                    SubIndication.SIGNED_DATA_NOT_FOUND, "file_missing", name=reference.uri
                )
            )
        elif data.digests[name] != reference.sha256:
            verdicts.append(failed(SubIndication.HASH_FAILURE, "file_changed", name=name))
        else:
            covers.append(name)
    return tuple(covers), gravest(*verdicts) if verdicts else PASSED


def _judge_properties(signature: OwnSignature) -> Verdict:
    if hashlib.sha256(signature.properties).digest() == signature.properties_sha256:
        return PASSED
    return failed(SubIndication.HASH_FAILURE, "properties_changed")


def judge_use(certificate: Certificate, circumstances: Circumstances) -> Verdict:
    """Judge what a certificate is for: by our arc's purpose, by key usage outside our arc."""
    allowed = circumstances.foreign_allowed or circumstances.foreign_keys_allowed
    if not (certificate.foreign_purpose and allowed):
        return judge_purpose(certificate, circumstances.purposes)
    if certificate.may_sign_documents:
        return PASSED
    return indeterminate(SubIndication.CHAIN_CONSTRAINTS_FAILURE, "usage_wrong")


def judge_value(
    uri: str,
    certificate: Certificate,
    *,
    signature: bytes,
    message: bytes,
    salt_bytes: int | None = None,
) -> Verdict:
    """Judge a signature value of the method `uri` by the certificate's key."""
    if uri in WEAK_ALGORITHMS:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, "weak_algorithm", algorithm=uri
        )
    try:
        algorithm = algorithms.algorithm_by_uri(uri)
    except AlgorithmRefused:
        return unknown_algorithm(uri)
    if certificate.old_key is None:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            "weak_key",
            certificate=certificate.subject,
        )
    try:
        algorithms.verify(
            certificate.old_key,
            algorithm,
            signature=signature,
            message=message,
            salt_bytes=salt_bytes,
        )
    except InvalidSignature:
        return failed(SubIndication.SIG_CRYPTO_FAILURE, "signature_wrong")
    return PASSED
