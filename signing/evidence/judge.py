"""Judge an evidence bundle offline: the auditor's question, answered part by part.

Nothing here raises for what a bundle holds; every fault becomes a verdict that names its part.
The steps are those of docs/formats/evidence-bundle.md and carry its numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dossier.ids import same_agency
from dossier.report import Subject
from signing import zipfile
from signing.asic import MANIFEST_NAME, MIME_TYPE_NAME, signature_name
from signing.errors import FileNameRefused, ZipRefused
from signing.evidence import layout
from signing.evidence.binding import Grounds, find, judge_binding
from signing.evidence.errors import BundleIndexRefused
from signing.evidence.history import HistoryJudgement, judge_history
from signing.evidence.judgement import (
    BundleJudgement,
    MessageVerdict,
    SignatureFinding,
    TrustGiven,
    bare,
    verdict_of,
)
from signing.evidence.layout import Index, parse_index
from signing.evidence.message import (
    MessageFinding,
    ReceiptFinding,
    judge_message,
    judge_receipt,
    refusal_notice,
)
from signing.evidence.trust import judge_anchors, judge_directory, log_keys_of, trust_of
from signing.indication import SubIndication
from signing.judgement import PASSED, FileVerdict, Judgement, Reason, Verdict, failed, gravest
from signing.verify import judge_container

# The index does not number what stands in these.
_FREE: Final = (layout.DOCUMENTS, layout.TRUST)

Files = Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """What the parts of a bundle turned out to be, in the order of the report."""

    whole: Verdict
    directory: Verdict
    signatures: tuple[SignatureFinding, ...]
    messages: tuple[MessageFinding, ...]
    receipts: tuple[ReceiptFinding, ...]
    history: HistoryJudgement


def judge_bundle(content: bytes | Path, *, given: TrustGiven, at: datetime) -> BundleJudgement:
    """Return the judgement of an evidence bundle at the instant `at`.

    Without an anchor in `given` the answer is INDETERMINATE at best. Raises only `OSError`.
    """
    octets = content if isinstance(content, bytes) else content.read_bytes()
    sha256 = hashlib.sha256(octets).hexdigest()
    # 1. The container: rows 23-31 of the attack table; no byte outside its files is free.
    files, order = _read(octets)
    trust = trust_of(given, files)
    # 2. The exporting agency's seal covers every file.
    outer = judge_container(octets, trust=trust, at=at)
    # 3. The directory, by its own signature.
    directory_verdict, directory, directory_signatures = judge_directory(
        files.get(layout.DIRECTORY), trust=trust, at=at
    )
    grounds = Grounds(trust=trust, at=at, directory=directory, directory_verdict=directory_verdict)
    signatures = tuple(find(one, grounds) for one in (*outer.signatures, *directory_signatures))
    # 4. The index: what must be there, and whose the seal must be.
    try:
        index = parse_index(files.get(layout.INDEX, b""))
    except BundleIndexRefused:
        return _without_index(outer, signatures, sha256)
    whole = gravest(
        judge_anchors(given, trust),
        verdict_of(outer),
        _judge_layout(files, order, index),
        *(judge_binding(one, index.agency, grounds) for one in outer.signatures),
    )
    parts = _judge_parts(files, index, grounds, given, whole, signatures)
    return _together(parts, outer, index, directory.number if directory else None, sha256)


def _judge_parts(
    files: Files,
    index: Index,
    grounds: Grounds,
    given: TrustGiven,
    whole: Verdict,
    signatures: tuple[SignatureFinding, ...],
) -> _Parts:
    # 5. Each receipt, then 6. each message as it travelled, with its receipt.
    receipts: dict[int, ReceiptFinding] = {}
    messages: list[MessageFinding] = []
    for number, listed in enumerate(index.messages, start=1):
        name = layout.receipt_name(number)
        if listed.has_receipt:
            receipts[number] = judge_receipt(files.get(name, b""), name=name, grounds=grounds)
        name = layout.container_name(number)
        container = files.get(name, b"")
        messages.append(
            judge_message(
                container,
                name=name,
                sha256=hashlib.sha256(container).hexdigest(),
                assurance=listed.assurance,
                receipt=receipts.get(number),
                grounds=grounds,
            )
        )
    # 7. The messages among themselves.
    among = _judge_conversation([one.message for one in messages], files, index)
    # 8. The history, with its log proofs, and 9. whether it leaves a message out.
    log_verdict, log_keys = log_keys_of(given, files)
    history = judge_history(
        index,
        files,
        log_keys=log_keys,
        containers={_sha256(files, one.message.name): one.message.name for one in messages},
        receipts={
            _sha256(files, layout.container_name(number)): _sha256(files, one.name)
            for number, one in receipts.items()
        },
    )
    return _Parts(
        whole=gravest(whole, *among, log_verdict or PASSED, history.verdict),
        directory=grounds.directory_verdict or PASSED,
        signatures=signatures,
        messages=tuple(messages),
        receipts=tuple(receipts.values()),
        history=history,
    )


def _together(
    parts: _Parts, outer: Judgement, index: Index, directory_number: int | None, sha256: str
) -> BundleJudgement:
    """Return the whole: its verdict is that of the worst part."""
    found = (
        *parts.signatures,
        *(one for message in parts.messages for one in message.signatures),
        *(one for receipt in parts.receipts for one in receipt.signatures),
    )
    messages = tuple(one.message for one in parts.messages)
    verdict = gravest(
        parts.whole,
        parts.directory,
        *(bare(verdict_of(one.verdict)) for one in found),
        *(bare(one.verdict) for one in messages),
        *(one.verdict for one in parts.receipts),
        *(bare(one.verdict) for one in parts.history.events),
    )
    refusals = [refusal_notice(one) for one in messages]
    logged = "not_witnessed" if index.is_logged else "not_logged"
    inner = [one for message in parts.messages for one in message.files]
    return BundleJudgement(
        subject=Subject.BUNDLE,
        verdict=verdict,
        notices=(Reason(code=logged), *(one for one in refusals if one)),
        signatures=found,
        files=(*_covered_inside(outer.files, inner), *inner),
        messages=messages,
        events=parts.history.events,
        index=index,
        directory_number=directory_number,
        sha256=sha256,
    )


def _without_index(
    outer: Judgement, signatures: tuple[SignatureFinding, ...], sha256: str
) -> BundleJudgement:
    """Return what can be said of a bundle that does not say what it holds."""
    malformed = failed(SubIndication.FORMAT_FAILURE, "index_malformed", name=layout.INDEX)
    return BundleJudgement(
        subject=Subject.BUNDLE,
        # Of an archive that cannot be read at all, its own fault says everything.
        verdict=gravest(verdict_of(outer), *([malformed] if outer.files else [])),
        signatures=signatures,
        files=outer.files,
        sha256=sha256,
    )


def _read(octets: bytes) -> tuple[Files, tuple[str, ...]]:
    """Return the data files and the order of all entries; nothing when it is no archive."""
    try:
        entries = zipfile.read(octets).entries
    except (ZipRefused, FileNameRefused):
        return {}, ()
    files = {
        one.name: bytes(one.content)
        for one in entries
        if one.name != MIME_TYPE_NAME and not one.name.startswith(layout.META_INF)
    }
    return files, tuple(one.name for one in entries)


def _judge_layout(files: Files, order: Sequence[str], index: Index) -> Verdict:
    """Return whether exactly the files of the index are there, in the one order."""
    missing = sorted(layout.expected_names(index) - set(files))
    free = {name for name in files if name.startswith(_FREE) and layout.belongs(name)}
    strays = sorted(set(files) - layout.allowed_names(index) - free)
    faults = [
        *(failed(SubIndication.FORMAT_FAILURE, "file_missing", name=name) for name in missing),
        *(failed(SubIndication.FORMAT_FAILURE, "file_unexpected", name=name) for name in strays),
    ]
    tail = (MANIFEST_NAME, signature_name(1))
    if tuple(order) != (MIME_TYPE_NAME, *sorted(files), *tail):
        faults.append(failed(SubIndication.FORMAT_FAILURE, "bundle_order"))
    return gravest(*faults) if faults else PASSED


def _judge_conversation(
    messages: Sequence[MessageVerdict], files: Files, index: Index
) -> Iterator[Verdict]:
    """Hold the messages against each other: one conversation, each once, answers with questions."""
    known: dict[tuple[str, str], str] = {}
    conversations: set[str] = set()
    for message in messages:
        envelope = message.envelope
        if envelope is None:
            continue
        name = message.name
        conversations.add(envelope.conversation_id)
        ends = (envelope.from_agency, envelope.to_agency)
        if len(conversations) > 1 or not any(same_agency(one, index.agency) for one in ends):
            yield failed(SubIndication.FORMAT_FAILURE, "message_of_another_dossier", name=name)
        answered = envelope.in_reply_to
        if answered and known.get((answered.message_id, answered.container_sha256)) is None:
            yield failed(
                SubIndication.FORMAT_FAILURE,
                "answered_message_missing",
                name=name,
                message=answered.message_id,
            )
        key = (envelope.message_id, _sha256(files, name))
        if any(message_id == envelope.message_id for message_id, _ in known):
            yield failed(
                SubIndication.FORMAT_FAILURE,
                "message_twice",
                name=name,
                message=envelope.message_id,
            )
        known[key] = name


def _covered_inside(
    outer: Sequence[FileVerdict], inner: Sequence[FileVerdict]
) -> Iterator[FileVerdict]:
    """Return the bundle's files, each also covered by who signed the same bytes in a message."""
    signed: dict[str, tuple[str, ...]] = {}
    for one in inner:
        signed[one.sha256] = (*signed.get(one.sha256, ()), *one.covered_by)
    for one in outer:
        is_document = one.name.startswith(layout.DOCUMENTS)
        more = signed.get(one.sha256, ()) if is_document else ()
        yield replace(one, covered_by=(*one.covered_by, *more))


def _sha256(files: Files, name: str) -> str:
    return hashlib.sha256(files.get(name, b"")).hexdigest()
