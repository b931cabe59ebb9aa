"""The one decision on a foreign signature, whatever its format: times, path, use, all together.

XAdES, CAdES and PAdES readers turn a signature into a `Claim`; from there on the steps of
EN 319 102-1 §5.2.6, §5.3 and §5.6 are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from signing.certificate import Certificate
from signing.certpath import PathVerdict, judge_path
from signing.judge import Circumstances, judge_use
from signing.judgement import PASSED, SignatureVerdict, Verdict, gravest, remark
from signing.policy import Trust
from signing.proofs import Stamp, judge_stamps
from signing.strength import judge_method, judge_policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A signature that was taken apart, and what its own octets decide."""

    certificate: Certificate | Verdict  # of the signer, or why it is not known
    value: Verdict  # of the signature value; passed when there is no certificate to judge it by
    data: Verdict  # of the digests of what is signed
    remarks: Verdict  # what else the format says against it
    stamps: Sequence[Stamp]  # signature time-stamps, oldest first
    archives: Sequence[Stamp]  # archive time-stamps, oldest first, each over all before it
    has_values: bool  # revocation data came along
    # An archive time-stamp alone makes the time known, as PDF document time-stamps do.
    archives_suffice: bool
    is_baseline: bool  # what the baseline level B-B demands is there
    algorithm: str  # URI of the signature method
    role: str | None
    claimed_time: datetime | None
    covers: tuple[str, ...]
    commitments: tuple[str, ...] = ()  # such as ProofOfApproval
    digests: tuple[str, ...] = ()  # `hashlib` names, of what is signed and of its properties


def decide(
    identity: str, claim: Claim, *, trust: Trust, circumstances: Circumstances
) -> SignatureVerdict:
    """Return the verdict on a claim; `trust` is extended by what the signature brought along."""
    # 3. Time. A time-stamp that does not hold proves nothing, and spoils nothing (row 20).
    times = judge_stamps(
        claim.stamps,
        claim.archives,
        trust=trust,
        at=circumstances.at,
        has_values=claim.has_values,
        strict=False,
        archives_suffice=claim.archives_suffice,
    )
    # 4. Path and purpose, at the proved time.
    certificate = claim.certificate if isinstance(claim.certificate, Certificate) else None
    path = PathVerdict(verdict=PASSED, chain=())
    purpose = method = PASSED
    if certificate is not None:
        time = times.best or circumstances.at
        path = judge_path(certificate, trust=trust, time=time, at=times.control)
        purpose = judge_use(certificate, circumstances)
        method = judge_method(
            claim.algorithm,
            digests=claim.digests,
            trust=trust,
            time=time,
        )
    level = times.level if claim.is_baseline else None
    policy = judge_policy(trust.rules, level=level, commitments=claim.commitments, chain=path.chain)
    # 5. All together.
    identified = claim.certificate if isinstance(claim.certificate, Verdict) else PASSED
    checks = (identified, claim.value, claim.data, path.verdict, purpose, claim.remarks)
    verdict = gravest(*checks, method, policy, _flag(claim.algorithm))
    return SignatureVerdict(
        id=identity,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        level=level,
        signer=certificate.subject if certificate else None,
        certificate=certificate.der if certificate else None,
        purpose=certificate.purpose if certificate else None,
        role=claim.role,
        claimed_time=claim.claimed_time,
        best_time=times.best,
        proof=times.proof,
        covers=claim.covers,
        reasons=(*verdict.reasons, *times.verdict.reasons),
        algorithm=claim.algorithm,
        chain=tuple(one.der for one in path.chain),
        timestamps=times.stamps,
        commitments=claim.commitments,
        digests=claim.digests,
    )


def _flag(algorithm: str) -> Verdict:
    if algorithm.rpartition("#")[2] in ("rsa-sha256", "rsa-sha384", "rsa-sha512"):
        return remark("pkcs1_signature")
    return PASSED
