"""What CRLs and OCSP responses say of a certificate, and the verdict for a given time.

Revocation is always judged. Data that is missing, stale, unsigned or of another issuer is no
data, and no data is INDETERMINATE TRY_LATER.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtensionOID

from signing import der
from signing.algorithms import PublicKey
from signing.certificate import UNREADABLE, Certificate
from signing.errors import CertificateRefused, DerRefused, RevocationRefused
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, indeterminate
from signing.policy import Status, Trust

_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_ENUMERATED: Final = 0x0A
_EXPIRED_CERTS_ON_CRL: Final = "2.5.29.60"
# Reasons after which a time-stamp made before the revocation stays valid (RFC 3161 §4).
_KEEPING: Final = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)


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
    for status in statuses:
        if status.revoked_at is None or status.revoked_at > time:
            continue
        if since is not None and status.keeps_past and status.revoked_at > since:
            continue
        return indeterminate(
            SubIndication.REVOKED_NO_POE,
            "revoked",
            certificate=certificate.subject,
            time=status.revoked_at.isoformat(),
        )
    for status in statuses:
        if _is_usable(status, certificate, at=at, after=after):
            return PASSED
    if statuses:
        newest = max(status.next_update for status in statuses)
        return indeterminate(
            SubIndication.TRY_LATER,
            "revocation_stale",
            certificate=certificate.subject,
            time=newest.isoformat(),
        )
    return indeterminate(
        SubIndication.TRY_LATER, "revocation_missing", certificate=certificate.subject
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
        if _is_usable(one, certificate, at=at, after=since)
    ]
    return sorted(found, key=lambda one: one.this_update, reverse=True)


def _is_usable(status: Status, certificate: Certificate, *, at: datetime, after: datetime) -> bool:
    is_current = status.next_update >= at or status.this_update >= after
    # After expiry a CA may drop a certificate from its lists (RFC 5280 §3.3).
    return is_current and (status.covers_expired or status.this_update <= certificate.not_after)


def statuses_of(
    certificate: Certificate, issuer: Certificate, *, trust: Trust
) -> tuple[Status, ...]:
    """Return what the CRLs and OCSP responses of `trust` prove of `certificate`, remembered."""
    key = (certificate.fingerprint, issuer.fingerprint)
    known = trust.statuses.get(key)
    if known is not None:
        return known
    found = (*_from_crls(certificate, issuer, trust), *_from_ocsps(certificate, issuer, trust))
    return trust.statuses.put(key, found)


def _from_crls(certificate: Certificate, issuer: Certificate, trust: Trust) -> Iterator[Status]:
    if issuer.public_key is None or not _may_sign_crls(issuer):
        return
    for content in trust.crls:
        try:
            der.signed_parts(content).finish()
            crl = x509.load_der_x509_crl(content)
            if crl.issuer != issuer.x509.subject or not _crl_holds(crl, issuer.public_key):
                continue
            if not _crl_covers(crl, certificate):
                continue
            status = _crl_status(crl, certificate, content)
        except (DerRefused, *UNREADABLE):
            continue  # an unreadable CRL is no data
        yield status


def _may_sign_crls(issuer: Certificate) -> bool:
    try:
        return issuer.x509.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True  # RFC 5280 §4.2.1.3: without the extension every usage is allowed


def _crl_holds(crl: x509.CertificateRevocationList, key: PublicKey) -> bool:
    return isinstance(crl.signature_hash_algorithm, _STRONG) and crl.is_signature_valid(key)


def crl_end(content: bytes) -> datetime:
    """Return until when a CRL (DER) counts; raise `RevocationRefused` for anything else."""
    try:
        crl = x509.load_der_x509_crl(content)
        return crl.next_update_utc or crl.last_update_utc
    except ValueError as exc:
        raise RevocationRefused("expected a CRL in DER, got something else") from exc


def _crl_covers(crl: x509.CertificateRevocationList, certificate: Certificate) -> bool:
    """Return whether a complete CRL of this scope would list the certificate (RFC 5280 §5.2)."""
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            return False
        if extension.oid == ExtensionOID.ISSUING_DISTRIBUTION_POINT:
            if not _point_covers(extension.value, certificate):
                return False
        elif extension.critical:
            return False
    return True


def _point_covers(point: object, certificate: Certificate) -> bool:
    if not isinstance(point, x509.IssuingDistributionPoint):
        return False
    partial = point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs
    if partial or point.full_name or point.relative_name:
        return False
    is_authority = _is_authority(certificate)
    return not (
        (point.only_contains_user_certs and is_authority)
        or (point.only_contains_ca_certs and not is_authority)
    )


def _is_authority(certificate: Certificate) -> bool:
    try:
        constraints = certificate.x509.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _crl_status(
    crl: x509.CertificateRevocationList, certificate: Certificate, content: bytes
) -> Status:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial)
    reason: x509.ReasonFlags | None = None
    if entry is not None:
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        except x509.ExtensionNotFound:
            reason = x509.ReasonFlags.unspecified
    return Status(
        source="crl",
        content=content,
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc or crl.last_update_utc,
        revoked_at=None if entry is None else entry.revocation_date_utc,
        keeps_past=reason in _KEEPING,
        covers_expired=any(
            one.oid.dotted_string == _EXPIRED_CERTS_ON_CRL for one in crl.extensions
        ),
    )


def _from_ocsps(certificate: Certificate, issuer: Certificate, trust: Trust) -> Iterator[Status]:
    for content in trust.ocsps:
        try:
            _check_spelling(content)
            response = ocsp.load_der_ocsp_response(content)
            if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                continue
            key = _responder_key(response, issuer, trust)
            if key is None or not _response_holds(response, key):
                continue
            found = [
                _single_status(one, content)
                for one in response.responses
                if _is_about(one, certificate, issuer)
                and one.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN
            ]
        except (DerRefused, *UNREADABLE):
            continue  # an unreadable response is no data
        yield from found


def _check_spelling(content: bytes) -> None:
    """Raise `DerRefused` unless the response is strict down to its signature (RFC 6960 §4.2.1)."""
    outer = der.Cursor(content)
    response = outer.enter(der.SEQUENCE)
    outer.finish()
    response.take(_ENUMERATED)
    body = response.enter(0xA0).enter(der.SEQUENCE)
    response.finish()
    body.take(der.OID)
    basic = der.signed_parts(body.take(der.OCTET_STRING))
    body.finish()
    if basic.next_tag() == 0xA0:
        basic.enter(0xA0).enter(der.SEQUENCE)
    basic.finish()


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


def _single_status(single: ocsp.OCSPSingleResponse, content: bytes) -> Status:
    revoked = single.certificate_status is ocsp.OCSPCertStatus.REVOKED
    reason = (single.revocation_reason or x509.ReasonFlags.unspecified) if revoked else None
    return Status(
        source="ocsp",
        content=content,
        this_update=single.this_update_utc,
        next_update=single.next_update_utc or single.this_update_utc,
        revoked_at=single.revocation_time_utc if revoked else None,
        keeps_past=reason in _KEEPING,
        covers_expired=False,
    )


def _responder_key(
    response: ocsp.OCSPResponse, issuer: Certificate, trust: Trust
) -> PublicKey | None:
    """Return the key that may answer: the CA's, or that of a responder the CA appointed."""
    if _is_responder(response, issuer):
        return issuer.public_key
    for one in response.certificates:
        try:
            candidate = trust.certificate(one.public_bytes(Encoding.DER))
        except CertificateRefused:
            continue
        if _is_responder(response, candidate) and _is_appointed(candidate, issuer, response, trust):
            return candidate.public_key
    return None


def _is_responder(response: ocsp.OCSPResponse, candidate: Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == candidate.x509.subject
    # RFC 6960 §4.2.1: KeyHash is SHA-1 by definition; it names, it does not protect.
    return (
        response.responder_key_hash
        == hashlib.sha1(candidate.key_bits, usedforsecurity=False).digest()
    )


def _is_appointed(
    candidate: Certificate, issuer: Certificate, response: ocsp.OCSPResponse, trust: Trust
) -> bool:
    if not candidate.may_answer_ocsp:
        return False
    if not candidate.not_before <= response.produced_at_utc <= candidate.not_after:
        return False
    try:
        candidate.x509.verify_directly_issued_by(issuer.x509)
        candidate.x509.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except x509.ExtensionNotFound:
        return _is_cleared(candidate, issuer, trust, at=response.produced_at_utc)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _is_cleared(candidate: Certificate, issuer: Certificate, trust: Trust, *, at: datetime) -> bool:
    """Return whether lists of the CA show a responder as good when it answered (§4.2.2.2.1).

    Lists only: an OCSP answer about a responder would want a responder again.
    """
    found = [
        one
        for one in _from_crls(candidate, issuer, trust)
        if _is_usable(one, candidate, at=at, after=at)
    ]
    return bool(found) and all(one.revoked_at is None for one in found)


def _response_holds(response: ocsp.OCSPResponse, key: PublicKey) -> bool:
    digest = response.signature_hash_algorithm
    if not isinstance(digest, _STRONG):
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
        else:
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True
