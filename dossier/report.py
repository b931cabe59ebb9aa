"""What a verification found, as frozen types that pages, the command and REST can show.

`signing.report` fills them. `Report` holds findings as codes and instants; `ReportPage` holds the
same in the words of one language, ready to be set as a page or as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Answer(Enum):
    """The three answers of ETSI EN 319 102-1; "cannot tell" is never acceptance."""

    PASSED = "TOTAL-PASSED"
    INDETERMINATE = "INDETERMINATE"
    FAILED = "TOTAL-FAILED"


class Subject(Enum):
    """What was judged."""

    BUNDLE = "bundle"  # an evidence bundle of a dossier
    CONTAINER = "container"  # one ASiC-E file, such as a message
    RECEIPT = "receipt"
    DIRECTORY = "directory"
    XML = "xml"  # any other signed XML
    TIMESTAMP = "timestamp"  # a time-stamp token alone
    CMS = "cms"  # a CMS signature alone, over its content or a file beside it
    PDF = "pdf"
    UNKNOWN = "unknown"  # nothing that can be judged


class Integrity(Enum):
    """Whether the signed bytes are the bytes at hand."""

    INTACT = "intact"
    BROKEN = "broken"
    NOT_CHECKED = "not_checked"


class TimeBasis(Enum):
    """What a signing time rests on (protocol §8)."""

    NONE = "none"  # only the signer says so
    SELF_ASSERTED = "self_asserted"  # a time-stamp that the signer's own operator may have made
    INDEPENDENT = "independent"  # the receipt of another operator's agency


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportReason:
    """Why an answer is what it is: a code of `[reason]` or `[notice]` and what fills its text."""

    code: str
    parameters: Mapping[str, str | int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportTimestamp:
    """One time-stamp of a signature."""

    indication: Answer
    sub_indication: str  # empty when passed
    time: datetime | None
    authority: str  # who issued it; empty when unreadable
    is_archive: bool  # covers the validation data too, to outlive it
    reasons: tuple[ReportReason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportSignature:
    """One signature or seal, with the fields that Circular 15/2025/TT-BKHCN asks to show."""

    id: str  # a path, such as messages/1.asice!META-INF/signatures0.xml
    indication: Answer
    sub_indication: str  # empty when passed
    level: str  # B-B, B-T, B-LT, B-LTA; empty when unreadable
    purpose: str  # seal, person, directory, …; empty for a certificate of another authority's arc
    signer: str
    unit: str  # the organisation that the certificate names
    agency: str  # code of the agency the directory binds the seal to; empty when none
    issuer: str  # who issued the certificate
    role: str  # as signed, such as approved; empty when none
    claimed_time: datetime | None
    best_time: datetime | None  # earliest proved time of existence
    time_basis: TimeBasis
    independent_time: datetime | None  # it existed by then, says another operator's agency
    timestamps: tuple[ReportTimestamp, ...]
    integrity: Integrity
    certificate_answer: Answer | None  # validity at signing time; None: not checked
    certificate_from: datetime | None
    certificate_until: datetime | None
    certificate_sha256: str
    chain: tuple[str, ...]  # subjects, leaf first, anchor last
    algorithm: str  # URI of the signature method
    digests: tuple[str, ...]  # of what is signed, such as sha256
    key: str  # of the signer, such as EC-256; empty when unreadable
    commitments: tuple[str, ...]  # such as ProofOfApproval
    covers: tuple[str, ...]  # names of the files it signs
    reasons: tuple[ReportReason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFile:
    """One file and the signatures that hold over it."""

    name: str  # a path, such as messages/1.asice!envelope.xml
    size_bytes: int
    sha256: str
    covered_by: tuple[str, ...]  # ids of signatures


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportMessage:
    """One message of a dossier: who sent what, how it is proved, and what the receiver answered."""

    name: str  # messages/1.asice
    indication: Answer
    sub_indication: str
    message_id: str  # this and the next fields are empty when the envelope cannot be read
    sender: str  # agency code
    receiver: str  # agency code
    message_type: str
    subject: str
    issued: datetime | None
    assurance: str  # sealed, channel, none
    receipt: str  # receipts/1.xml; empty when there is none
    receipt_outcome: str  # accepted, refused; empty when there is none
    receipt_code: str
    received: datetime | None
    time_basis: TimeBasis  # what `received` rests on
    reasons: tuple[ReportReason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportEvent:
    """One line of the dossier's history."""

    name: str  # history/0001.json
    indication: Answer
    sub_indication: str
    sequence: int  # 0 when unreadable
    at: datetime | None
    kind: str
    is_logged: bool  # an inclusion proof in a signed checkpoint holds
    log_index: int | None
    reasons: tuple[ReportReason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything one verification found; overall = worst."""

    subject: Subject
    name: str  # of the file judged
    sha256: str  # of the bytes judged; empty when they could not be read
    judged_at: datetime
    indication: Answer
    sub_indication: str  # empty when passed
    anchors: tuple[str, ...]  # SHA-256 of the trust anchors given by the caller
    policy: str  # name and version of the rules applied
    policy_sha256: str  # of the policy file; empty for the rules built in
    suite: str  # name and version of the list of algorithms and their ends
    dossier: str  # code of the dossier; empty outside a bundle
    exporter: str  # agency that made the bundle; empty outside one
    directory_number: int | None
    is_witnessed: bool  # peers cosigned the checkpoints
    reasons: tuple[ReportReason, ...]  # faults of the whole
    notices: tuple[ReportReason, ...]  # what a reader must know, without changing the answer
    messages: tuple[ReportMessage, ...]
    events: tuple[ReportEvent, ...]
    files: tuple[ReportFile, ...]
    signatures: tuple[ReportSignature, ...]

    @property
    def is_passed(self) -> bool:
        """Tell whether everything passed."""
        return self.indication is Answer.PASSED


# --- The same in the words of one language -----------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRow:
    """One labelled line."""

    label: str
    value: str
    answer: Answer | None = None  # colours the value; None: neutral


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportBlock:
    """One thing judged: a signature, a file, a message, an event."""

    id: str  # the path that JSON uses too
    title: str
    verdict: str  # Hợp lệ, Không hợp lệ, Chưa đủ căn cứ kết luận; empty for a plain list
    answer: Answer | None
    rows: tuple[ReportRow, ...]
    reasons: tuple[str, ...]  # sentences


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportSection:
    """Blocks of one kind under a heading."""

    code: str  # messages, history, files, signatures
    title: str
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportPage:
    """A whole report in one language."""

    title: str
    answer: Answer
    verdict: str  # Hợp lệ, Không hợp lệ, Chưa đủ căn cứ kết luận
    sentence: str  # the verdict in one plain sentence
    reasons: tuple[str, ...]  # sentences: why, gravest first
    notices: tuple[str, ...]  # sentences: what else a reader must know
    rows: tuple[ReportRow, ...]  # about the whole: file, digest, instant, anchors, policy
    sections: tuple[ReportSection, ...]
