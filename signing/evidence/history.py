"""Judge a bundle's history: every event in its place, each in the log, no message left out.

The openings are covered by the bundle's seal; here they are held against each other, against the
log's signed checkpoint, and against the containers and receipts that the bundle carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from dossier.canonical import Json
from dossier.errors import LienThongError
from signing.evidence.layout import Index, event_name, proof_name
from signing.indication import Indication, SubIndication
from signing.judgement import PASSED, Reason, Verdict, failed, gravest, indeterminate
from signing.log import (
    LeafKind,
    LogProof,
    Opening,
    VerifierKey,
    parse_checkpoint,
    parse_opening,
    parse_proof,
    verify_proof,
)
from signing.log.errors import LogLeafRefused, LogProofMalformed, NoteMalformed

# The leaves whose content names a container, and its receipt once there is one.
_NAMING: Final = (LeafKind.MESSAGE, LeafKind.RECEIPT)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventVerdict:
    """The judgement of one entry of the history."""

    # history/000001.json
    name: str
    verdict: Verdict
    # None when it could not be read.
    opening: Opening | None
    # Position in the log, when a proof for it holds.
    log_index: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryJudgement:
    """The judgement of the whole history."""

    events: tuple[EventVerdict, ...]
    # Faults that are of no single event, such as a message nobody logged.
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walk:
    """What the events seen so far demand of the next one."""

    index: Index
    keys: Mapping[str, VerifierKey]
    # Of the first event: every other one must carry the same.
    salt: bytes | None = None
    # The last log position, by origin of the log.
    positions: Mapping[str, int] = field(default_factory=dict)
    # The checkpoint that every proof of one log must lead to.
    checkpoints: Mapping[str, bytes] = field(default_factory=dict)


def judge_history(
    index: Index,
    files: Mapping[str, bytes],
    *,
    log_keys: Sequence[VerifierKey],
    containers: Mapping[str, str],
    receipts: Mapping[str, str],
) -> HistoryJudgement:
    """Return the judgement of the history in `files`.

    `containers` gives the path of each container in the bundle by its SHA-256; `receipts` the
    SHA-256 of the receipt, by that of the container it is for.
    """
    walk = _Walk(index=index, keys={key.name: key for key in log_keys})
    events: list[EventVerdict] = []
    for number in range(1, index.events + 1):
        event, walk = _judge_event(number, files, walk)
        events.append(event)
    verdict = _completeness(events, containers=containers, receipts=receipts)
    return HistoryJudgement(events=tuple(events), verdict=verdict)


def _judge_event(
    number: int, files: Mapping[str, bytes], walk: _Walk
) -> tuple[EventVerdict, _Walk]:
    name = event_name(number)
    try:
        opening = parse_opening(files.get(name, b""))
    except LogLeafRefused:
        verdict = failed(SubIndication.FORMAT_FAILURE, "event_malformed", name=name)
        return EventVerdict(name=name, verdict=verdict, opening=None, log_index=None), walk
    salt = opening.place.salt if opening.place else None
    walk = replace(walk, salt=walk.salt or salt)
    place = _judge_place(opening, number, walk)
    proof, log_index, walk = _judge_proof(opening, number, files, walk)
    verdict = gravest(place, proof)
    return EventVerdict(name=name, verdict=verdict, opening=opening, log_index=log_index), walk


def _judge_place(opening: Opening, number: int, walk: _Walk) -> Verdict:
    name = event_name(number)
    place = opening.place
    if place is None or place.dossier != walk.index.dossier or place.salt != walk.salt:
        return failed(SubIndication.FORMAT_FAILURE, "event_of_another_dossier", name=name)
    if place.sequence != number:
        return failed(
            SubIndication.FORMAT_FAILURE, "history_gap", name=name, expected=number,
            got=place.sequence,
        )  # fmt: skip
    return PASSED


def _judge_proof(
    opening: Opening, number: int, files: Mapping[str, bytes], walk: _Walk
) -> tuple[Verdict, int | None, _Walk]:
    name = proof_name(number)
    content = files.get(name)
    if content is None and not walk.index.is_logged:
        return PASSED, None, walk
    if content is None:
        missing = indeterminate(SubIndication.TRY_LATER, "log_proof_missing", name=name)
        return missing, None, walk
    if not walk.index.is_logged:
        return failed(SubIndication.FORMAT_FAILURE, "file_unexpected", name=name), None, walk
    try:
        proof = parse_proof(content)
        origin = parse_checkpoint(proof.checkpoint)[0].origin
    except (LogProofMalformed, NoteMalformed):
        malformed = failed(SubIndication.FORMAT_FAILURE, "log_proof_malformed", name=name)
        return malformed, None, walk
    key = walk.keys.get(origin)
    if key is None:
        unknown = indeterminate(
            SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "log_key_unknown", name=name, log=origin
        )
        return unknown, None, walk
    return _judge_known_proof(opening, name, proof, key, walk)


def _judge_known_proof(
    opening: Opening, name: str, proof: LogProof, key: VerifierKey, walk: _Walk
) -> tuple[Verdict, int | None, _Walk]:
    try:
        verify_proof(proof, entry=opening.leaf.dump(), key=key)
    except LienThongError as exc:
        # The reason's own code says which step of the proof broke.
        return failed(SubIndication.HASH_FAILURE, exc.code, name=name), None, walk
    if walk.checkpoints.get(key.name, proof.checkpoint) != proof.checkpoint:
        return failed(SubIndication.HASH_FAILURE, "log_checkpoints_differ", name=name), None, walk
    if proof.index <= walk.positions.get(key.name, -1):
        return failed(SubIndication.FORMAT_FAILURE, "log_order", name=name), None, walk
    walk = replace(
        walk,
        positions={**walk.positions, key.name: proof.index},
        checkpoints={**walk.checkpoints, key.name: proof.checkpoint},
    )
    return PASSED, proof.index, walk


def _completeness(
    events: Sequence[EventVerdict], *, containers: Mapping[str, str], receipts: Mapping[str, str]
) -> Verdict:
    """Hold the messages and receipts that the history names against those in the bundle.

    A message may have been refused first and accepted later: its last receipt counts.
    """
    named: dict[str, str] = {}
    for one in events:
        container, receipt = _digests_of(one.opening) if one.opening else ("", "")
        if container:
            named[container] = receipt or named.get(container, "")
    reasons = [
        Reason(code="message_left_out", parameters=(("sha256", digest),))
        for digest in sorted(set(named) - set(containers))
    ]
    for digest, name in sorted(containers.items(), key=lambda pair: pair[1]):
        stated, present = named.get(digest), receipts.get(digest, "")
        if stated is None:
            reasons.append(Reason(code="message_not_in_history", parameters=(("name", name),)))
        elif stated and not present:
            reasons.append(Reason(code="receipt_left_out", parameters=(("name", name),)))
        elif stated != present:
            reasons.append(Reason(code="receipt_not_in_history", parameters=(("name", name),)))
    if not reasons:
        return PASSED
    return Verdict(
        indication=Indication.TOTAL_FAILED,
        sub_indication=SubIndication.FORMAT_FAILURE,
        reasons=tuple(reasons),
    )


def _digests_of(opening: Opening) -> tuple[str, str]:
    """Return the SHA-256 of the container and of the receipt that an event names, or nothing."""
    content = opening.content
    parameters = content.get("parameters") if isinstance(content, Mapping) else None
    if opening.kind not in _NAMING or not isinstance(parameters, Mapping):
        return "", ""
    return _digest(parameters.get("container")), _digest(parameters.get("receipt"))


def _digest(value: Json) -> str:
    return value if isinstance(value, str) else ""
