"""What judging a bundle, a container or a receipt finds: every part by its path, and the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dossier.envelope import Assurance, Envelope
from dossier.receipt import Receipt
from dossier.report import Subject, TimeBasis
from signing.evidence.history import EventVerdict
from signing.evidence.layout import NESTED, Index
from signing.indication import Indication, SubIndication
from signing.judgement import (
    FileVerdict,
    Judgement,
    Reason,
    SignatureVerdict,
    Verdict,
)
from signing.log import VerifierKey
from signing.policy import Memory, Service, Trust
from signing.rules import Rules, standard


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustGiven:
    """What the auditor brings along: nothing inside a file is trusted without it."""

    # Certificates of trust anchors, DER.
    anchors: Sequence[bytes] = ()
    # SHA-256 of anchors, lower-case hexadecimal, whose certificates the file itself may carry.
    fingerprints: frozenset[str] = frozenset()
    # More certificates, CRLs and OCSP responses, DER; they prove themselves or count for nothing.
    certificates: Sequence[bytes] = ()
    crls: Sequence[bytes] = ()
    ocsps: Sequence[bytes] = ()
    # Services of trust lists that were verified: believed while they were granted.
    services: Sequence[Service] = ()
    # Log keys known from elsewhere; when given, those inside a bundle do not count.
    log_keys: Sequence[VerifierKey] = ()
    # A signed directory, for files that carry none, such as a single message.
    directory: bytes | None = None
    # What is asked beyond the standards, from a policy file.
    rules: Rules = field(default_factory=standard)
    # What a reader must know about the above.
    notices: tuple[Reason, ...] = ()
    # The trust made of the above, so that many files are judged by one; no part of the value.
    remembered: Memory[None, Trust] = field(
        default_factory=lambda: Memory(1), init=False, repr=False, compare=False
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureFinding:
    """One signature, and what the rest of the bundle says about it."""

    # Its id and what it covers are paths from the file that was judged.
    verdict: SignatureVerdict
    # Code of the agency that the verified directory binds the seal to; empty when none.
    agency: str = ""
    basis: TimeBasis = TimeBasis.NONE
    # Until when at the latest it was made, by the word of another operator's agency.
    received: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageVerdict:
    """One message: its container, its envelope, its receipt, held against each other."""

    # messages/1.asice
    name: str
    verdict: Verdict
    # None when it cannot be read.
    envelope: Envelope | None
    assurance: Assurance
    # Path of the receipt, empty when there is none; the receipt is None when it does not hold.
    receipt_name: str
    receipt: Receipt | None
    # What the receipt's time rests on.
    basis: TimeBasis


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleJudgement:
    """Everything found; the indication is that of the worst part."""

    subject: Subject
    # Of the whole: faults that belong to no single part come with it.
    verdict: Verdict
    # What a reader must know although it changes nothing.
    notices: tuple[Reason, ...] = ()
    signatures: tuple[SignatureFinding, ...] = ()
    files: tuple[FileVerdict, ...] = ()
    messages: tuple[MessageVerdict, ...] = ()
    events: tuple[EventVerdict, ...] = ()
    index: Index | None = None
    directory_number: int | None = None
    # SHA-256 of the bytes judged.
    sha256: str = ""
    is_witnessed: bool = field(default=False)

    @property
    def indication(self) -> Indication:
        """Return the indication of the whole."""
        return self.verdict.indication

    @property
    def sub_indication(self) -> SubIndication | None:
        """Return why it is not passed; None when it is."""
        return self.verdict.sub_indication


def verdict_of(judgement: Judgement | SignatureVerdict) -> Verdict:
    """Return the verdict of a judgement with the reasons of the whole only."""
    return Verdict(
        indication=judgement.indication,
        sub_indication=judgement.sub_indication,
        reasons=judgement.reasons,
    )


def bare(verdict: Verdict) -> Verdict:
    """Return the answer without its reasons, which stand at the part itself."""
    return replace(verdict, reasons=())


def nested(judgement: Judgement, path: str) -> Judgement:
    """Return the judgement of what stands at `path`, its ids and names as paths from the top.

    An empty path is the top itself.
    """
    if not path:
        return judgement
    return replace(
        judgement,
        signatures=tuple(
            replace(
                one,
                id=f"{path}{NESTED}{one.id}",
                covers=tuple(f"{path}{NESTED}{name}" for name in one.covers),
            )
            for one in judgement.signatures
        ),
        files=tuple(
            replace(
                one,
                name=f"{path}{NESTED}{one.name}",
                covered_by=tuple(f"{path}{NESTED}{name}" for name in one.covered_by),
            )
            for one in judgement.files
        ),
    )


def enveloped(judgement: Judgement, name: str) -> tuple[SignatureVerdict, ...]:
    """Return the signatures of an XML file under the path of the file, which is what they cover."""
    return tuple(
        replace(one, id=name, covers=(name,) if one.covers else ()) for one in judgement.signatures
    )
