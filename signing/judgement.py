"""The verdict types that verification returns: per signature, per time-stamp, per file, overall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from signing.indication import Indication, SubIndication
from signing.purpose import Purpose

Parameters = tuple[tuple[str, str | int], ...]


class Level(Enum):
    """The baseline level that was *proved*, not the one the file pretends to (EN 319 132-1)."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


class TimeProof(Enum):
    """What the best signing time rests on."""

    NONE = "none"  # only the instant of judging: the signature exists now
    SIGNATURE_TIMESTAMP = "signature_timestamp"
    ARCHIVE_TIMESTAMP = "archive_timestamp"
    EVIDENCE_RECORD = "evidence_record"
    GIVEN = "given"  # the caller proved it by other means, such as a receipt or a checkpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One cause of a verdict: a code of `[reason]` in dossier/texts and what fills its sentence."""

    code: str
    parameters: Parameters = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """An indication with its sub-indication (None when passed) and the causes."""

    indication: Indication
    sub_indication: SubIndication | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Return whether the indication is TOTAL_PASSED."""
        return self.indication is Indication.TOTAL_PASSED


PASSED = Verdict(indication=Indication.TOTAL_PASSED)


def failed(sub: SubIndication, code: str, **parameters: str | int) -> Verdict:
    """Return a TOTAL_FAILED verdict with one reason."""
    return Verdict(
        indication=Indication.TOTAL_FAILED,
        sub_indication=sub,
        reasons=(Reason(code=code, parameters=tuple(parameters.items())),),
    )


def indeterminate(sub: SubIndication, code: str, **parameters: str | int) -> Verdict:
    """Return an INDETERMINATE verdict with one reason."""
    return Verdict(
        indication=Indication.INDETERMINATE,
        sub_indication=sub,
        reasons=(Reason(code=code, parameters=tuple(parameters.items())),),
    )


def unknown_algorithm(uri: str) -> Verdict:
    """Return the verdict on an algorithm that is not listed: it cannot be told, but for HMAC."""
    if "hmac" in uri.lower():  # row 8: no signature at all
        return failed(SubIndication.SIG_CRYPTO_FAILURE, "algorithm_unknown", algorithm=uri[:120])
    return indeterminate(SubIndication.GENERIC, "algorithm_unknown", algorithm=uri[:120])


def remark(code: str, **parameters: str | int) -> Verdict:
    """Return a passed verdict that still tells something."""
    return Verdict(
        indication=Indication.TOTAL_PASSED,
        reasons=(Reason(code=code, parameters=tuple(parameters.items())),),
    )


def gravest(*verdicts: Verdict) -> Verdict:
    """Return the gravest verdict (the first of equals) carrying the reasons of all of them."""
    for one in verdicts:
        if one is not PASSED:
            break
    else:
        return PASSED
    leading = max(verdicts, key=lambda one: one.indication.gravity)
    reasons = leading.reasons + tuple(
        reason for one in verdicts if one is not leading for reason in one.reasons
    )
    if reasons == leading.reasons:
        return leading
    return Verdict(
        indication=leading.indication, sub_indication=leading.sub_indication, reasons=reasons
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TimestampVerdict:
    """The judgement of one time-stamp token."""

    kind: TimeProof
    indication: Indication
    sub_indication: SubIndication | None
    time: datetime | None  # genTime, None when the token could not be read
    authority: str | None  # subject of the TSA certificate
    certificate: bytes | None  # DER of the TSA certificate
    reasons: tuple[Reason, ...]
    chain: tuple[bytes, ...] = ()  # the authority's path that was judged, DER, anchor last


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureVerdict:
    """The judgement of one signature."""

    id: str  # where it stands, such as META-INF/signatures002.xml
    indication: Indication
    sub_indication: SubIndication | None
    level: Level | None  # None when the signature could not be read
    signer: str | None  # subject of the certificate, RFC 4514
    certificate: bytes | None  # DER
    purpose: Purpose | None  # None for a certificate outside our arc
    role: str | None  # the claimed role, as signed
    claimed_time: datetime | None  # SigningTime; proves nothing
    best_time: datetime | None  # the earliest proved time of existence; None when none is proved
    proof: TimeProof  # how best_time was proved
    covers: tuple[str, ...]  # names of the data files whose digest it signs, in order
    reasons: tuple[Reason, ...]
    algorithm: str | None  # URI of the signature method
    chain: tuple[bytes, ...] = ()  # the path that was judged, DER, leaf first, anchor last
    timestamps: tuple[TimestampVerdict, ...] = ()
    commitments: tuple[str, ...] = ()  # such as ProofOfApproval
    digests: tuple[str, ...] = ()  # `hashlib` names, of what is signed


@dataclass(frozen=True, kw_only=True, slots=True)
class FileVerdict:
    """One data file of the container."""

    name: str
    sha256: str  # lower-case hexadecimal
    size: int  # bytes
    covered_by: tuple[str, ...]  # ids of the signatures whose reference to it holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The whole answer: the worst of its signatures and of the container's own faults."""

    indication: Indication
    sub_indication: SubIndication | None
    signatures: tuple[SignatureVerdict, ...] = ()
    files: tuple[FileVerdict, ...] = ()
    reasons: tuple[Reason, ...] = field(default=())  # faults of the container as a whole

    @property
    def is_passed(self) -> bool:
        """Return whether everything passed."""
        return self.indication is Indication.TOTAL_PASSED


def whole(
    own: Verdict, signatures: Sequence[SignatureVerdict], files: Sequence[FileVerdict]
) -> Judgement:
    """Return the judgement whose indication is the worst of all parts; `own` are its faults."""
    leading = gravest(
        own,
        *(
            Verdict(indication=one.indication, sub_indication=one.sub_indication)
            for one in signatures
        ),
    )
    return Judgement(
        indication=leading.indication,
        sub_indication=leading.sub_indication,
        signatures=tuple(signatures),
        files=tuple(files),
        reasons=own.reasons,
    )
