"""Judge one message: its container, its envelope's manifest, its seal, its receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dossier.directory import Directory
from dossier.envelope import FILE_NAME, Assurance, Envelope, parse_envelope
from dossier.errors import EnvelopeRefused, ReceiptRefused, XmlRefused
from dossier.ids import same_agency
from dossier.receipt import Outcome, Receipt, parse_receipt
from dossier.report import TimeBasis
from signing import zipfile
from signing.asic import MANIFEST_NAME, MIME_TYPE_NAME
from signing.enveloped import read_xml
from signing.errors import (
    DocumentNotCanonical,
    FileNameRefused,
    SignatureMalformed,
    ZipRefused,
)
from signing.evidence.binding import Grounds, find, is_independent, judge_binding
from signing.evidence.judgement import (
    MessageVerdict,
    SignatureFinding,
    bare,
    enveloped,
    nested,
    verdict_of,
)
from signing.evidence.layout import META_INF, inside
from signing.indication import SubIndication
from signing.judgement import (
    PASSED,
    FileVerdict,
    Judgement,
    Reason,
    Verdict,
    failed,
    gravest,
    indeterminate,
)
from signing.purpose import Purpose
from signing.verify import judge_container, judge_xml

_RECEIPT_KEYS: Final = frozenset({Purpose.SEAL})


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptFinding:
    """A judged receipt."""

    name: str
    verdict: Verdict
    # None unless the signature over it passed.
    receipt: Receipt | None
    signatures: tuple[SignatureFinding, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedFinding:
    """A judged container, with its envelope when there is a readable one."""

    verdict: Verdict
    envelope: Envelope | None
    signatures: tuple[SignatureFinding, ...]
    files: tuple[FileVerdict, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageFinding:
    """A judged message with everything inside its container."""

    message: MessageVerdict
    signatures: tuple[SignatureFinding, ...]
    files: tuple[FileVerdict, ...]


def judge_receipt(content: bytes, *, name: str, grounds: Grounds) -> ReceiptFinding:
    """Return the judgement of a receipt: its signature, its form, and whose seal it carries."""
    judgement = judge_xml(content, trust=grounds.trust, at=grounds.at, purposes=_RECEIPT_KEYS)
    signatures = tuple(find(one, grounds) for one in enveloped(judgement, name))
    verdict = gravest(verdict_of(judgement), *(bare(verdict_of(one.verdict)) for one in signatures))
    try:
        receipt = parse_receipt(read_xml(content).content)
    except (ReceiptRefused, XmlRefused, SignatureMalformed, DocumentNotCanonical) as exc:
        malformed = failed(
            SubIndication.FORMAT_FAILURE, "receipt_malformed", name=name, detail=exc.code
        )
        return ReceiptFinding(
            name=name, verdict=gravest(verdict, malformed), receipt=None, signatures=signatures
        )
    bindings = [judge_binding(one.verdict, receipt.to_agency, grounds) for one in signatures]
    verdict = gravest(verdict, *bindings)
    return ReceiptFinding(
        name=name,
        verdict=verdict,
        receipt=receipt if verdict.is_passed else None,
        signatures=signatures,
    )


def judge_message(
    content: bytes,
    *,
    name: str,
    sha256: str,
    assurance: Assurance,
    receipt: ReceiptFinding | None,
    grounds: Grounds,
) -> MessageFinding:
    """Return the judgement of the container at `name` and of how its receipt answers it."""
    answer = receipt.receipt if receipt else None
    basis = _basis_of_receipt(receipt, grounds.directory)
    received = first_seen(receipt) if basis is TimeBasis.INDEPENDENT else None
    sealed = judge_sealed(
        content, name=name, assurance=assurance, received=received, grounds=grounds
    )
    verdict = sealed.verdict
    if sealed.envelope is None:
        malformed = failed(SubIndication.FORMAT_FAILURE, "envelope_malformed", name=name)
        verdict = gravest(verdict, malformed)
    else:
        verdict = gravest(verdict, _judge_answer(sealed.envelope, sha256, name, receipt))
    message = MessageVerdict(
        name=name,
        verdict=verdict,
        envelope=sealed.envelope,
        assurance=assurance,
        receipt_name=receipt.name if receipt else "",
        receipt=answer,
        basis=basis,
    )
    return MessageFinding(message=message, signatures=sealed.signatures, files=sealed.files)


def judge_sealed(
    content: bytes | memoryview,
    *,
    name: str,
    assurance: Assurance,
    received: datetime | None,
    grounds: Grounds,
) -> SealedFinding:
    """Return the judgement of a container, and of its envelope when it has one.

    `name` is its path from the top, empty when it is the top. `received` is when an agency of
    another operator proved to have had it.
    """
    judgement = nested(judge_container(content, trust=grounds.trust, at=grounds.at), name)
    entries = _entries(content)
    envelope = _envelope(entries.get(FILE_NAME))
    found = tuple(find(one, grounds, received=received) for one in judgement.signatures)
    verdicts = [verdict_of(judgement), *(bare(verdict_of(one.verdict)) for one in found)]
    if envelope is not None:
        verdicts += _judge_manifest(envelope, entries, name)
        verdicts += _judge_seal(envelope, judgement, name, assurance, received, grounds)
    return SealedFinding(
        verdict=gravest(*verdicts), envelope=envelope, signatures=found, files=judgement.files
    )


def _judge_seal(
    envelope: Envelope,
    judgement: Judgement,
    name: str,
    assurance: Assurance,
    received: datetime | None,
    grounds: Grounds,
) -> Iterator[Verdict]:
    listed = {inside(name, entry.name) for entry in envelope.manifest}
    # A message that came by a weaker channel was wrapped and sealed by its receiver: that proves
    # what was received, and nothing about who sent it (protocol §10).
    is_sealed = assurance is Assurance.SEALED
    agency = envelope.from_agency if is_sealed else envelope.to_agency
    for signature in judgement.signatures:
        if signature.id in listed:
            continue
        yield judge_binding(signature, agency, grounds, at=received)
        if signature.covers and inside(name, FILE_NAME) not in signature.covers:
            yield failed(SubIndication.FORMAT_FAILURE, "seal_without_envelope", id=signature.id)
    if not is_sealed:
        yield indeterminate(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "sender_not_proved",
            name=name,
            assurance=assurance.value,
        )


def _judge_manifest(
    envelope: Envelope, entries: Mapping[str, memoryview], name: str
) -> Iterator[Verdict]:
    """Hold the envelope's manifest against what is in the container, both ways.

    It lists every file but the envelope, the container's own two, and the one seal.
    """
    unlisted = dict(entries)
    for entry in envelope.manifest:
        path = inside(name, entry.name)
        content = unlisted.pop(entry.name, None)
        if content is None:
            yield failed(SubIndication.FORMAT_FAILURE, "file_missing", name=path)
        elif (len(content), hashlib.sha256(content).hexdigest()) != (
            entry.size_bytes,
            entry.sha256,
        ):
            yield failed(SubIndication.HASH_FAILURE, "file_changed", name=path)
    strays = set(unlisted) - {FILE_NAME, MIME_TYPE_NAME, MANIFEST_NAME}
    seals = {one for one in strays if one.startswith(META_INF)}
    if len(seals) != 1:
        yield failed(SubIndication.FORMAT_FAILURE, "seal_count", name=name, got=len(seals))
    for stray in sorted(strays - seals):
        path = inside(name, stray)
        yield failed(SubIndication.FORMAT_FAILURE, "file_unexpected", name=path)


def _judge_answer(
    envelope: Envelope, sha256: str, name: str, finding: ReceiptFinding | None
) -> Verdict:
    """Hold the receipt against the message: the same container, the same two agencies."""
    if finding is None:
        return indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "receipt_missing", name=name)
    if finding.receipt is None:
        # The receipt's own verdict says why; what it states may not be used.
        return indeterminate(
            finding.verdict.sub_indication or SubIndication.GENERIC,
            "receipt_not_proved",
            name=finding.name,
        )
    receipt = finding.receipt
    stated = (receipt.container_sha256, receipt.message_id, receipt.contract_sha256)
    known = (sha256, envelope.message_id, envelope.contract.sha256)
    if (
        stated != known
        or not same_agency(receipt.from_agency, envelope.from_agency)
        or not same_agency(receipt.to_agency, envelope.to_agency)
    ):
        return failed(SubIndication.HASH_FAILURE, "receipt_of_another_message", name=finding.name)
    return PASSED


def refusal_notice(message: MessageVerdict) -> Reason | None:
    """Return the notice that the receiver refused a message; None when it did not."""
    receipt = message.receipt
    if receipt is None or receipt.outcome is Outcome.ACCEPTED:
        return None
    return Reason(
        code="receipt_refused", parameters=(("name", message.name), ("code", receipt.code))
    )


def first_seen(finding: ReceiptFinding | None) -> datetime | None:
    """Return when the receiver proved to have the message, by a receipt that holds."""
    if finding is None or finding.receipt is None or not finding.signatures:
        return None
    return finding.signatures[0].verdict.best_time


def _basis_of_receipt(finding: ReceiptFinding | None, directory: Directory | None) -> TimeBasis:
    if finding is None or finding.receipt is None or first_seen(finding) is None:
        return TimeBasis.NONE
    receipt = finding.receipt
    if is_independent(receipt.from_agency, receipt.to_agency, directory):
        return TimeBasis.INDEPENDENT
    return TimeBasis.SELF_ASSERTED


def _entries(content: bytes | memoryview) -> Mapping[str, memoryview]:
    """Return the files of a container; none when it cannot be read, as its own verdict says."""
    try:
        return {one.name: one.content for one in zipfile.read(content).entries}
    except (ZipRefused, FileNameRefused):
        return {}


def _envelope(content: memoryview | None) -> Envelope | None:
    try:
        return parse_envelope(bytes(content)) if content is not None else None
    except (EnvelopeRefused, XmlRefused):
        return None
