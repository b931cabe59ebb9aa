"""What every part is judged on, and whether a seal is bound to the agency that it must be of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from dossier.directory import Directory, DirectoryAgency
from dossier.report import TimeBasis
from signing.certpath import judge_path
from signing.errors import CertificateRefused
from signing.evidence.judgement import SignatureFinding, verdict_of
from signing.indication import Indication, SubIndication
from signing.judgement import PASSED, SignatureVerdict, TimeProof, Verdict, failed, indeterminate
from signing.policy import Trust
from signing.purpose import Purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """Trust, the instant, and the directory if it could be verified."""

    trust: Trust
    at: datetime
    # None unless its own signature passed: nothing may be concluded from it otherwise.
    directory: Directory | None
    # Why there is none; passed when there is one; None when a single file is judged alone, where
    # nobody can say whose a seal is.
    directory_verdict: Verdict | None


def judge_binding(
    seal: SignatureVerdict, agency: str, grounds: Grounds, *, at: datetime | None = None
) -> Verdict:
    """Return whether the directory binds `seal` to `agency` at the proved instant of sealing.

    `at` is that instant when something else than the seal's own time-stamp proves it.
    """
    if seal.certificate is None:
        return PASSED  # unreadable: the signature's own verdict says so
    if seal.purpose is not Purpose.SEAL:
        return failed(SubIndication.SIG_CONSTRAINTS_FAILURE, "not_a_seal", id=seal.id)
    if grounds.directory_verdict is None:
        return PASSED
    if grounds.directory is None:
        sub = grounds.directory_verdict.sub_indication
        return indeterminate(
            sub or SubIndication.NO_CERTIFICATE_CHAIN_FOUND, "directory_not_proved", id=seal.id
        )
    owner = owner_of(seal, grounds, at=at)
    if owner is None:
        return indeterminate(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "seal_not_in_directory",
            id=seal.id,
            number=grounds.directory.number,
        )
    if not owner.is_named(agency):
        return failed(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "seal_of_another_agency",
            id=seal.id,
            agency=owner.code,
            expected=agency,
        )
    return PASSED


def owner_of(
    seal: SignatureVerdict, grounds: Grounds, *, at: datetime | None = None
) -> DirectoryAgency | None:
    """Return the agency of a seal at its proved instant, from the verified directory."""
    if grounds.directory is None or seal.certificate is None or seal.purpose is not Purpose.SEAL:
        return None
    moment = at or seal.best_time or grounds.at
    return grounds.directory.seal_owner(seal.certificate, at=moment)


def find(
    signature: SignatureVerdict, grounds: Grounds, *, received: datetime | None = None
) -> SignatureFinding:
    """Return the signature with its agency and with what its time rests on.

    `received` is when another operator's agency proved to have had it. A time-stamp cannot show
    here that its authority is not run by the signer's operator, so it counts as that operator's
    word, and a revocation known today cannot be outlived by it (protocol §8).
    """
    owner = owner_of(signature, grounds, at=received)
    if received is not None:
        basis = TimeBasis.INDEPENDENT
    elif signature.proof is TimeProof.NONE:
        basis = TimeBasis.NONE
    else:
        basis = TimeBasis.SELF_ASSERTED
    verdict = verdict_of(signature)
    if verdict.is_passed:
        verdict = _judge_revocation_today(signature, grounds, received=received)
    if not verdict.is_passed:
        signature = replace(
            signature,
            indication=verdict.indication,
            sub_indication=verdict.sub_indication,
            reasons=verdict.reasons,
        )
    return SignatureFinding(
        verdict=signature,
        agency=owner.code if owner else "",
        basis=basis,
        received=received,
    )


def _judge_revocation_today(
    signature: SignatureVerdict, grounds: Grounds, *, received: datetime | None
) -> Verdict:
    try:
        certificate = grounds.trust.certificate(signature.certificate or b"")
    except CertificateRefused:
        return verdict_of(signature)
    if certificate.foreign_purpose and _is_stamped_by_stranger(signature, grounds):
        return verdict_of(signature)
    path = judge_path(certificate, trust=grounds.trust, time=received or grounds.at, at=grounds.at)
    sub = path.verdict.sub_indication
    if sub not in (SubIndication.REVOKED_NO_POE, SubIndication.REVOKED_CA_NO_POE):
        return verdict_of(signature)
    return indeterminate(sub, "revoked_and_time_self_asserted", id=signature.id)


def _is_stamped_by_stranger(signature: SignatureVerdict, grounds: Grounds) -> bool:
    """Tell whether authorities outside this system prove its time: no operator here runs them."""
    proved = [
        grounds.trust.certificate(one.certificate)
        for one in signature.timestamps
        if one.indication is Indication.TOTAL_PASSED and one.certificate is not None
    ]
    return bool(proved) and all(one.foreign_purpose for one in proved)


def is_independent(one: str, other: str, directory: Directory | None) -> bool:
    """Tell whether two agencies have different operators: different agencies on different nodes."""
    if directory is None:
        return False
    first, second = directory.find(one), directory.find(other)
    if first is None or second is None or first.code == second.code:
        return False
    return first.endpoint != second.endpoint and bool(first.endpoint and second.endpoint)
