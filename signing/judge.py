"""Judging one signature of our profile: digests, value, time-stamps, path, purpose.

The steps follow EN 319 102-1 §5: format, signing certificate, cryptography, time, path. None
stops the others, so the verdict names everything that is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature

from signing import algorithms
from signing.certificate import Certificate
from signing.certpath import PathVerdict, judge_path
from signing.errors import AlgorithmRefused, CertificateRefused, TimestampMalformed
from signing.indication import Indication, SubIndication
from signing.judgement import (
    PASSED,
    Level,
    SignatureVerdict,
    TimeProof,
    TimestampVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
)
from signing.policy import CLOCK_TOLERANCE, WEAK_ALGORITHMS, Trust
from signing.purpose import Purpose
from signing.timestamp import Token, check_token, parse_token, signer_of
from signing.xades import OwnSignature


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """Under what a signature is judged."""

    trust: Trust
    at: datetime  # the instant of judging, aware UTC
    purposes: frozenset[Purpose]  # what a signing certificate of our arc must be for


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
    names: Mapping[str, str],
    digests: Mapping[str, bytes],
    circumstances: Circumstances,
) -> SignatureVerdict:
    """Judge one signature. `names` maps reference URIs to file names, `digests` those to SHA-256.

    Every check is made; the verdict is the gravest of them and carries all reasons.
    """
    # 1. Signing certificate: the one that SignedProperties bind, and no other.
    certificate = _bound_certificate(signature, circumstances.trust)
    # 2. Cryptography: data, properties, value.
    covers, data = _judge_references(signature, names, digests)
    properties = _judge_properties(signature)
    value = (
        certificate if isinstance(certificate, Verdict) else _judge_value(signature, certificate)
    )
    # 3. Time.
    stamps = [
        _judge_timestamp(token, signature.value_element, circumstances)
        for token in signature.timestamps
    ]
    proved = [one.time for one in stamps if one.time and _passed(one)]
    best_time = min(proved, default=None)
    # 4. Path and purpose, at the proved time.
    path = PathVerdict(verdict=PASSED, chain=())
    purpose = PASSED
    if not isinstance(certificate, Verdict):
        path = judge_path(
            certificate,
            trust=circumstances.trust,
            time=best_time or circumstances.at,
            at=circumstances.at,
        )
        purpose = _judge_purpose(certificate, circumstances.purposes)
    # 5. All together. In our profile a time-stamp that cannot be verified spoils the signature:
    # nobody but the signer's software put it there, and no byte is free.
    verdict = gravest(value, data, properties, path.verdict, purpose, *map(_verdict_of, stamps))
    known = None if isinstance(certificate, Verdict) else certificate
    return SignatureVerdict(
        id=identity,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        level=Level.B_T if best_time else Level.B_B,
        signer=known.subject if known else None,
        certificate=signature.certificate,
        purpose=known.purpose if known else None,
        role=signature.role.value,
        claimed_time=signature.claimed_time,
        best_time=best_time,
        proof=TimeProof.SIGNATURE_TIMESTAMP if best_time else TimeProof.NONE,
        covers=covers,
        reasons=verdict.reasons,
        algorithm=signature.algorithm,
        chain=tuple(one.der for one in path.chain),
        timestamps=tuple(stamps),
    )


def _passed(stamp: TimestampVerdict) -> bool:
    return stamp.indication is Indication.TOTAL_PASSED


def _verdict_of(stamp: TimestampVerdict) -> Verdict:
    return Verdict(
        indication=stamp.indication, sub_indication=stamp.sub_indication, reasons=stamp.reasons
    )


def _bound_certificate(signature: OwnSignature, trust: Trust) -> Certificate | Verdict:
    digest = hashlib.sha256(signature.certificate).digest()
    if not hmac.compare_digest(digest, signature.certificate_sha256):
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_not_bound")
    try:
        return trust.certificate(signature.certificate)
    except CertificateRefused:
        return indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "certificate_unreadable")


def _judge_references(
    signature: OwnSignature, names: Mapping[str, str], digests: Mapping[str, bytes]
) -> tuple[tuple[str, ...], Verdict]:
    """Return the names whose digests hold, and the verdict on all references."""
    covers: list[str] = []
    verdicts: list[Verdict] = []
    for reference in signature.references:
        name = names.get(reference.uri)
        if name is None:
            verdicts.append(
                indeterminate(
                    SubIndication.SIGNED_DATA_NOT_FOUND, "file_missing", name=reference.uri
                )
            )
        elif digests[name] != reference.sha256:
            verdicts.append(failed(SubIndication.HASH_FAILURE, "file_changed", name=name))
        else:
            covers.append(name)
    return tuple(covers), gravest(*verdicts) if verdicts else PASSED


def _judge_properties(signature: OwnSignature) -> Verdict:
    if hashlib.sha256(signature.properties).digest() == signature.properties_sha256:
        return PASSED
    return failed(SubIndication.HASH_FAILURE, "properties_changed")


def _judge_value(signature: OwnSignature, certificate: Certificate) -> Verdict:
    if signature.algorithm in WEAK_ALGORITHMS:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            "weak_algorithm",
            algorithm=signature.algorithm,
        )
    try:
        algorithm = algorithms.algorithm_by_uri(signature.algorithm)
    except AlgorithmRefused:
        return failed(
            SubIndication.SIG_CRYPTO_FAILURE,
            "algorithm_unknown",
            algorithm=signature.algorithm[:120],
        )
    if certificate.public_key is None:
        return indeterminate(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            "weak_key",
            certificate=certificate.subject,
        )
    try:
        algorithms.verify(
            certificate.public_key,
            algorithm,
            signature=signature.signature,
            message=signature.signed_info,
        )
    except InvalidSignature:
        return failed(SubIndication.SIG_CRYPTO_FAILURE, "signature_wrong")
    return PASSED


def _judge_purpose(certificate: Certificate, purposes: frozenset[Purpose]) -> Verdict:
    if certificate.purpose in purposes:
        return PASSED
    wanted = "/".join(sorted(one.name.lower() for one in purposes))
    if certificate.foreign_purpose or certificate.purpose is None:
        return indeterminate(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE, "purpose_missing", wanted=wanted
        )
    return indeterminate(
        SubIndication.CHAIN_CONSTRAINTS_FAILURE,
        "purpose_wrong",
        wanted=wanted,
        purpose=certificate.purpose.name.lower(),
    )


def _judge_timestamp(
    content: bytes, imprinted: bytes, circumstances: Circumstances
) -> TimestampVerdict:
    try:
        token = parse_token(content)
    except TimestampMalformed as exc:
        verdict = failed(
            SubIndication.FORMAT_FAILURE, "timestamp_malformed", detail=exc.message[:200]
        )
        return _stamp_verdict(verdict, token=None, certificate=None)
    certificate = signer_of(token, circumstances.trust)
    if certificate is None:
        verdict = indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "timestamp_certificate")
        return _stamp_verdict(verdict, token=token, certificate=None)
    verdict = gravest(
        check_token(token, certificate, data=imprinted),
        _judge_authority(token, certificate, circumstances),
    )
    return _stamp_verdict(verdict, token=token, certificate=certificate)


def _judge_authority(
    token: Token, certificate: Certificate, circumstances: Circumstances
) -> Verdict:
    """Judge who stamped, when, and that the token carries nothing but what was needed."""
    at = circumstances.at
    if token.time > at + CLOCK_TOLERANCE:
        return indeterminate(
            SubIndication.NO_POE, "timestamp_in_future", time=token.time.isoformat()
        )
    path = judge_path(
        certificate,
        trust=circumstances.trust,
        time=at,
        at=at,
        since=token.time,
        extra=token.certificates,
    )
    verdicts = [path.verdict, _judge_purpose(certificate, frozenset({Purpose.TSA}))]
    if token.time < certificate.not_before:
        verdicts.append(
            failed(
                SubIndication.NOT_YET_VALID,
                "not_yet_valid",
                certificate=certificate.subject,
                time=certificate.not_before.isoformat(),
            )
        )
    used = {one.der for one in (certificate, *path.chain)}
    if token.has_unsigned_attributes or not used.issuperset(token.certificates):
        verdicts.append(failed(SubIndication.FORMAT_FAILURE, "timestamp_extra"))
    return gravest(*verdicts)


def _stamp_verdict(
    verdict: Verdict, *, token: Token | None, certificate: Certificate | None
) -> TimestampVerdict:
    return TimestampVerdict(
        kind=TimeProof.SIGNATURE_TIMESTAMP,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        time=token.time if token else None,
        authority=certificate.subject if certificate else None,
        certificate=certificate.der if certificate else None,
        reasons=verdict.reasons,
    )
