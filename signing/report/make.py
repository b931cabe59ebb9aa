"""Turn a judgement into a report: the same findings, as types that pages and commands know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from dossier.report import (
    Answer,
    Integrity,
    Report,
    ReportEvent,
    ReportFile,
    ReportMessage,
    ReportReason,
    ReportSignature,
    ReportTimestamp,
)
from signing.algorithms import key_kind
from signing.certificate import Certificate
from signing.errors import CertificateRefused
from signing.evidence import BundleJudgement, MessageVerdict, SignatureFinding, TrustGiven
from signing.evidence.history import EventVerdict
from signing.evidence.trust import trust_of
from signing.indication import Indication, SubIndication
from signing.judgement import FileVerdict, Reason, SignatureVerdict, TimeProof, TimestampVerdict
from signing.policy import fingerprint

_ANSWERS: Final = {
    Indication.TOTAL_PASSED: Answer.PASSED,
    Indication.INDETERMINATE: Answer.INDETERMINATE,
    Indication.TOTAL_FAILED: Answer.FAILED,
}
_BROKEN: Final = frozenset(
    {
        SubIndication.FORMAT_FAILURE,
        SubIndication.HASH_FAILURE,
        SubIndication.SIG_CRYPTO_FAILURE,
        SubIndication.SIGNED_DATA_NOT_FOUND,
    }
)
# What speaks against the certificate itself at the time of signing.
_AGAINST: Final = frozenset(
    {SubIndication.REVOKED, SubIndication.EXPIRED, SubIndication.NOT_YET_VALID}
)


# Gives the certificate of DER octets; remembers, as a bulk run meets the same ones again and again.
_Read = Callable[[bytes], Certificate]


def report_of(judgement: BundleJudgement, *, name: str, given: TrustGiven, at: datetime) -> Report:
    """Return the report on a judgement made at `at` with the trust `given`."""
    index = judgement.index
    read = trust_of(given, {}).certificate
    return Report(
        subject=judgement.subject,
        name=name,
        sha256=judgement.sha256,
        judged_at=at,
        indication=_ANSWERS[judgement.indication],
        sub_indication=_sub(judgement.sub_indication),
        anchors=tuple(sorted({*given.fingerprints, *(fingerprint(one) for one in given.anchors)})),
        policy=given.rules.label,
        policy_sha256=given.rules.sha256,
        suite=f"{given.rules.suite.name}/{given.rules.suite.version}",
        dossier=index.dossier if index else "",
        exporter=index.agency if index else "",
        directory_number=judgement.directory_number,
        is_witnessed=judgement.is_witnessed,
        reasons=_reasons(judgement.verdict.reasons),
        notices=_reasons((*judgement.notices, *given.notices)),
        messages=tuple(_message(one) for one in judgement.messages),
        events=tuple(_event(one) for one in judgement.events),
        files=tuple(_file(one) for one in judgement.files),
        signatures=tuple(_signature(one, read) for one in judgement.signatures),
    )


def _signature(finding: SignatureFinding, read: _Read) -> ReportSignature:
    verdict = finding.verdict
    certificate = _certificate(verdict.certificate, read)
    name = certificate.x509.subject if certificate else None
    integrity = _integrity(verdict)
    return ReportSignature(
        id=verdict.id,
        indication=_ANSWERS[verdict.indication],
        sub_indication=_sub(verdict.sub_indication),
        level=verdict.level.value if verdict.level else "",
        purpose=verdict.purpose.name.lower() if verdict.purpose else "",
        signer=_part(name, NameOID.COMMON_NAME) or verdict.signer or "",
        unit=", ".join(
            one
            for one in (
                _part(name, NameOID.ORGANIZATIONAL_UNIT_NAME),
                _part(name, NameOID.ORGANIZATION_NAME),
            )
            if one
        ),
        agency=finding.agency,
        issuer=_part(certificate.x509.issuer, NameOID.COMMON_NAME) or certificate.issuer
        if certificate
        else "",
        role=verdict.role or "",
        claimed_time=verdict.claimed_time,
        best_time=verdict.best_time,
        time_basis=finding.basis,
        independent_time=finding.received,
        timestamps=tuple(_timestamp(one, read) for one in verdict.timestamps),
        integrity=integrity,
        certificate_answer=_certificate_answer(verdict, integrity),
        certificate_from=certificate.not_before if certificate else None,
        certificate_until=certificate.not_after if certificate else None,
        certificate_sha256=certificate.fingerprint.hex() if certificate else "",
        chain=_subjects(verdict.chain, read),
        algorithm=verdict.algorithm or "",
        digests=verdict.digests,
        key=_key(certificate),
        commitments=verdict.commitments,
        covers=verdict.covers,
        reasons=_reasons(verdict.reasons),
    )


def _key(certificate: Certificate | None) -> str:
    if certificate is None or certificate.old_key is None:
        return ""
    kind, bits = key_kind(certificate.old_key)
    return f"{kind}-{bits}"


def _integrity(verdict: SignatureVerdict) -> Integrity:
    """Return whether the signed bytes are intact; nothing else about the signature."""
    if verdict.algorithm is None and not verdict.timestamps:
        return Integrity.NOT_CHECKED
    broken = verdict.sub_indication in _BROKEN or not verdict.covers
    return Integrity.BROKEN if broken else Integrity.INTACT


def _certificate_answer(verdict: SignatureVerdict, integrity: Integrity) -> Answer | None:
    """Return the validity of the certificate at signing time, None where it was not reached."""
    if verdict.indication is Indication.TOTAL_PASSED:
        return Answer.PASSED
    if integrity is not Integrity.INTACT:
        return None
    return Answer.FAILED if verdict.sub_indication in _AGAINST else Answer.INDETERMINATE


def _timestamp(verdict: TimestampVerdict, read: _Read) -> ReportTimestamp:
    certificate = _certificate(verdict.certificate, read)
    name = certificate.x509.subject if certificate else None
    return ReportTimestamp(
        indication=_ANSWERS[verdict.indication],
        sub_indication=_sub(verdict.sub_indication),
        time=verdict.time,
        authority=_part(name, NameOID.COMMON_NAME) or verdict.authority or "",
        is_archive=verdict.kind is TimeProof.ARCHIVE_TIMESTAMP,
        reasons=_reasons(verdict.reasons),
    )


def _message(verdict: MessageVerdict) -> ReportMessage:
    envelope, receipt = verdict.envelope, verdict.receipt
    # A receipt judged alone states the message's own id and ends.
    stated = envelope or receipt
    return ReportMessage(
        name=verdict.name,
        indication=_ANSWERS[verdict.verdict.indication],
        sub_indication=_sub(verdict.verdict.sub_indication),
        message_id=stated.message_id if stated else "",
        sender=stated.from_agency if stated else "",
        receiver=stated.to_agency if stated else "",
        message_type=envelope.message_type if envelope else "",
        subject=envelope.subject if envelope else "",
        issued=envelope.issued if envelope else None,
        assurance=verdict.assurance.value if envelope else "",
        receipt=verdict.receipt_name,
        receipt_outcome=receipt.outcome.value if receipt else "",
        receipt_code=receipt.code if receipt else "",
        received=receipt.received if receipt else None,
        time_basis=verdict.basis,
        reasons=_reasons(verdict.verdict.reasons),
    )


def _event(verdict: EventVerdict) -> ReportEvent:
    opening = verdict.opening
    return ReportEvent(
        name=verdict.name,
        indication=_ANSWERS[verdict.verdict.indication],
        sub_indication=_sub(verdict.verdict.sub_indication),
        sequence=opening.place.sequence if opening and opening.place else 0,
        at=opening.at if opening else None,
        kind=opening.kind.value if opening else "",
        is_logged=verdict.log_index is not None,
        log_index=verdict.log_index,
        reasons=_reasons(verdict.verdict.reasons),
    )


def _file(verdict: FileVerdict) -> ReportFile:
    return ReportFile(
        name=verdict.name,
        size_bytes=verdict.size,
        sha256=verdict.sha256,
        covered_by=verdict.covered_by,
    )


def _reasons(reasons: Sequence[Reason]) -> tuple[ReportReason, ...]:
    return tuple(ReportReason(code=one.code, parameters=dict(one.parameters)) for one in reasons)


def _sub(sub: SubIndication | None) -> str:
    return sub.value if sub else ""


def _certificate(der: bytes | None, read: _Read) -> Certificate | None:
    try:
        return read(der) if der else None
    except CertificateRefused:
        return None


def _subjects(chain: Sequence[bytes], read: _Read) -> tuple[str, ...]:
    found = [_certificate(one, read) for one in chain]
    return tuple(one.subject for one in found if one)


def _part(name: x509.Name | None, oid: x509.ObjectIdentifier) -> str:
    values = name.get_attributes_for_oid(oid) if name else []
    return str(values[0].value) if values else ""
