"""What OCSP responses and CRLs say of a certificate, and the verdict for a given time.

Revocation is always judged. Data that is missing, stale, unsigned or of another issuer is no
data, and no data is INDETERMINATE TRY_LATER.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from signing import der
from signing.algorithms import PublicKey, SignatureAlgorithm, der_to_raw, verify
from signing.certificate import UNREADABLE, Certificate
from signing.crl import KEEPING, clearing, crl_statuses, sufficient
from signing.crllist import ALL_REASONS
from signing.errors import CertificateRefused, DerRefused
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, indeterminate
from signing.policy import Status, Trust
from signing.timestamp import SIGNATURE_BY_IDENTIFIER

_ENUMERATED: Final = 0x0A


def judge_revocation(
    certificate: Certificate,
    issuer: Certificate,
    *,
    trust: Trust,
    time: datetime,
    at: datetime,
    since: datetime | None = None,
) -> Verdict:
    """Judge whether `certificate` was revoked at `time`, as known at `at`.

    Usable is what is still current at `at`, or was issued after `since` (default `time`). With
    `since` given, a revocation for a harmless reason after `since` is forgiven: the rule for
    time-stamping certificates of RFC 3161 §4.
    """
    statuses = statuses_of(certificate, issuer, trust=trust)
    after = time if since is None else since
    against = _against(certificate, statuses, time=time, since=since)
    if against is not None:
        return against
    max_age = trust.rules.max_age
    usable = [
        one for one in statuses if one.is_usable(certificate, at=at, after=after, max_age=max_age)
    ]
    if sufficient(usable):
        return PASSED
    if usable:
        return indeterminate(
            SubIndication.TRY_LATER, "revocation_partial", certificate=certificate.subject
        )
    if statuses:
        newest = max(
            min(one.next_update, one.this_update + max_age) if max_age else one.next_update
            for one in statuses
        )
        return indeterminate(
            SubIndication.TRY_LATER,
            "revocation_stale",
            certificate=certificate.subject,
            time=newest.isoformat(),
        )
    return indeterminate(
        SubIndication.TRY_LATER, "revocation_missing", certificate=certificate.subject
    )


def _against(
    certificate: Certificate,
    statuses: Sequence[Status],
    *,
    time: datetime,
    since: datetime | None,
) -> Verdict | None:
    """Return the verdict on a certificate that was revoked or suspended at `time`."""
    suspended: Verdict | None = None
    for status in statuses:
        if status.revoked_at is None or status.revoked_at > time:
            continue
        if since is not None and status.keeps_past and status.revoked_at > since:
            continue
        if not status.on_hold:
            return indeterminate(
                SubIndication.REVOKED_NO_POE,
                "revoked",
                certificate=certificate.subject,
                time=status.revoked_at.isoformat(),
            )
        if not any(_releases(one, status) for one in statuses):
            # EN 319 102-1 §5.2.6: on hold is an answer for now, not for good.
            suspended = indeterminate(
                SubIndication.TRY_LATER,
                "certificate_suspended",
                certificate=certificate.subject,
                time=status.revoked_at.isoformat(),
            )
    return suspended


def _releases(one: Status, held: Status) -> bool:
    return (
        one.revoked_at is None
        and one.this_update > held.this_update
        and x509.ReasonFlags.certificate_hold in one.reasons
    )


def usable_statuses(
    certificate: Certificate,
    issuer: Certificate,
    *,
    trust: Trust,
    at: datetime,
    since: datetime,
) -> list[Status]:
    """Return what may be used for a certificate that was in use at `since`, newest first."""
    found = [
        one
        for one in statuses_of(certificate, issuer, trust=trust)
        if one.is_usable(certificate, at=at, after=since)
    ]
    return sorted(found, key=lambda one: one.this_update, reverse=True)


def statuses_of(
    certificate: Certificate, issuer: Certificate, *, trust: Trust
) -> tuple[Status, ...]:
    """Return what the CRLs and OCSP responses of `trust` prove of `certificate`, remembered."""
    key = (certificate.fingerprint, issuer.fingerprint)
    known = trust.statuses.get(key)
    if known is not None:
        return known
    found = (*crl_statuses(certificate, issuer, trust), *_from_ocsps(certificate, issuer, trust))
    return trust.statuses.put(key, found)


def _from_ocsps(certificate: Certificate, issuer: Certificate, trust: Trust) -> Iterator[Status]:
    for content in trust.ocsps:
        try:
            algorithm = SIGNATURE_BY_IDENTIFIER.get(_identifier(content))
            response = ocsp.load_der_ocsp_response(content)
            if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                continue
            responder = _responder(response, issuer, trust)
            if responder is None or algorithm is None:
                continue
            if not _response_holds(response, responder.key, algorithm):
                continue
            found = [
                _single_status(one, content, responder.support)
                for one in response.responses
                if _is_about(one, certificate, issuer)
                and one.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN
            ]
        except (DerRefused, *UNREADABLE):
            continue  # an unreadable response is no data
        yield from found


def _identifier(content: bytes) -> bytes:
    """Return the signature's AlgorithmIdentifier (RFC 6960 §4.2.1).

    Raises `DerRefused` unless the response is strict down to its signature.
    """
    outer = der.Cursor(content)
    response = outer.enter(der.SEQUENCE)
    outer.finish()
    response.take(_ENUMERATED)
    body = response.enter(0xA0).enter(der.SEQUENCE)
    response.finish()
    body.take(der.OID)
    octets = body.take(der.OCTET_STRING)
    body.finish()
    basic = der.signed_parts(octets)
    if basic.next_tag() == 0xA0:
        basic.enter(0xA0).enter(der.SEQUENCE)
    basic.finish()
    parts = der.Cursor(octets).enter(der.SEQUENCE)
    parts.take(der.SEQUENCE)
    return parts.take_whole(der.SEQUENCE)


def _is_about(
    single: ocsp.OCSPSingleResponse, certificate: Certificate, issuer: Certificate
) -> bool:
    digest = hashes.Hash(single.hash_algorithm)  # SHA-1 is usual here: it only names the issuer
    digest.update(issuer.subject_der)
    key_digest = hashes.Hash(single.hash_algorithm)
    key_digest.update(issuer.key_bits)
    return (
        single.serial_number == certificate.serial
        and single.issuer_name_hash == digest.finalize()
        and single.issuer_key_hash == key_digest.finalize()
    )


def _single_status(
    single: ocsp.OCSPSingleResponse, content: bytes, support: tuple[bytes, ...]
) -> Status:
    revoked = single.certificate_status is ocsp.OCSPCertStatus.REVOKED
    reason = (single.revocation_reason or x509.ReasonFlags.unspecified) if revoked else None
    return Status(
        source="ocsp",
        contents=(content,),
        certificates=(),
        support=support,
        this_update=single.this_update_utc,
        next_update=single.next_update_utc or single.this_update_utc,
        revoked_at=single.revocation_time_utc if revoked else None,
        on_hold=reason is x509.ReasonFlags.certificate_hold,
        keeps_past=reason in KEEPING,
        covers_expired=False,
        reasons=ALL_REASONS,
    )


class _Responder(NamedTuple):
    """Whose key may have signed a response, and the CRLs that show that certificate as good."""

    key: PublicKey
    support: tuple[bytes, ...]


def _responder(response: ocsp.OCSPResponse, issuer: Certificate, trust: Trust) -> _Responder | None:
    """Return who may answer: the CA, or a responder the CA appointed."""
    if _is_responder(response, issuer):
        return _Responder(key=issuer.public_key, support=()) if issuer.public_key else None
    for one in response.certificates:
        try:
            candidate = trust.certificate(one.public_bytes(Encoding.DER))
        except CertificateRefused:
            continue
        if candidate.public_key is None or not _is_responder(response, candidate):
            continue
        support = _appointment(candidate, issuer, response, trust)
        if support is not None:
            return _Responder(key=candidate.public_key, support=support)
    return None


def _is_responder(response: ocsp.OCSPResponse, candidate: Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == candidate.x509.subject
    # RFC 6960 §4.2.1: KeyHash is SHA-1 by definition; it names, it does not protect.
    return (
        response.responder_key_hash
        == hashlib.sha1(candidate.key_bits, usedforsecurity=False).digest()
    )


def _appointment(
    candidate: Certificate, issuer: Certificate, response: ocsp.OCSPResponse, trust: Trust
) -> tuple[bytes, ...] | None:
    """Return what shows a responder as good when it answered; None when it is not the CA's.

    Nothing is needed with `ocsp-nocheck`, else lists of the CA (RFC 6960 §4.2.2.2.1): an OCSP
    answer about a responder would want a responder again.
    """
    produced = response.produced_at_utc
    if not candidate.may_answer_ocsp:
        return None
    if not candidate.not_before <= produced <= candidate.not_after:
        return None
    try:
        candidate.x509.verify_directly_issued_by(issuer.x509)
        candidate.x509.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except x509.ExtensionNotFound:
        return clearing((candidate, issuer), trust, at=produced)
    except (InvalidSignature, *UNREADABLE):
        return None
    return ()


def _response_holds(
    response: ocsp.OCSPResponse, key: PublicKey, algorithm: SignatureAlgorithm
) -> bool:
    value = response.signature
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            value = der_to_raw(value, key)
        verify(key, algorithm, signature=value, message=response.tbs_response_bytes)
    except InvalidSignature:
        return False
    return True
