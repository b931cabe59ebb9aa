"""Raising signatures to higher levels: B-T, B-LT, B-LTA, without touching a signed octet.

Each step is taken from a judgement that passed, and puts in just what that judgement used. Whoever
binds the digest of a signature document elsewhere (an envelope that lists a person's signature)
must leave that document out by `names`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from signing import unsigned, zipfile
from signing.asic import DOCUMENT_CLOSE, DOCUMENT_OPEN
from signing.container import take_apart
from signing.crl import sufficient
from signing.enveloped import read_xml, signature_span
from signing.judgement import Level, SignatureVerdict
from signing.policy import Trust
from signing.purpose import DOCUMENT_PURPOSES, Purpose
from signing.revocation import usable_statuses
from signing.timestamp import stamped
from signing.tsa import Timestamper
from signing.unsigned import Values
from signing.verify import judge_own_container, judge_xml, require_passed
from signing.xades import OwnSignature, read_signature, with_unsigned

_LADDER: Final = (Level.B_B, Level.B_T, Level.B_LT, Level.B_LTA)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """What one step of one signature works with."""

    trust: Trust
    timestamper: Timestamper
    at: datetime


def augment_container(
    content: bytes | Path,
    *,
    to: Level,
    trust: Trust,
    timestamper: Timestamper,
    at: datetime,
    names: Collection[str] | None = None,
    purposes: frozenset[Purpose] = DOCUMENT_PURPOSES,
) -> bytes:
    """Return the container with its signatures (or those documents `names`) raised to `to`.

    A signature that is at B-LTA already gets one more archive time-stamp. Raises as
    `open_container` does when the container does not pass, and `Unavailable` without a stamp.
    """
    whole = content if isinstance(content, bytes) else content.read_bytes()
    step = _Step(trust=trust, timestamper=timestamper, at=at)
    renewed: set[str] = set()
    while True:
        judgement = judge_own_container(whole, trust=trust, at=at, purposes=purposes)
        require_passed(judgement)
        waiting = {
            one.id: one
            for one in judgement.signatures
            if (names is None or one.id in names)
            and one.id not in renewed
            and (_is_below(one, to) or to is Level.B_LTA)
        }
        if not waiting:
            return whole
        renewed |= {one for one in waiting if waiting[one].level in (Level.B_LT, Level.B_LTA)}
        whole = _raised(whole, waiting, step)


def augment_xml(
    content: bytes,
    *,
    to: Level,
    trust: Trust,
    timestamper: Timestamper,
    at: datetime,
    purposes: frozenset[Purpose],
) -> bytes:
    """Return the enveloped document with its signature raised to `to`; as `augment_container`."""
    step = _Step(trust=trust, timestamper=timestamper, at=at)
    while True:
        judgement = judge_xml(content, trust=trust, at=at, purposes=purposes)
        require_passed(judgement)
        verdict = judgement.signatures[0]
        if not _is_below(verdict, to) and to is not Level.B_LTA:
            return content
        start, end = signature_span(content)
        parts = read_xml(content)
        signature = _next(content[start:end], parts.signature, verdict, [parts.content], step)
        content = content[:start] + signature + content[end:]
        if verdict.level in (Level.B_LT, Level.B_LTA):
            return content


def _is_below(verdict: SignatureVerdict, to: Level) -> bool:
    return verdict.level is not None and _LADDER.index(verdict.level) < _LADDER.index(to)


def _raised(content: bytes, waiting: dict[str, SignatureVerdict], step: _Step) -> bytes:
    parts = take_apart(content)
    contents = {one.name: one.content for one in parts.files}
    entries: list[tuple[str, bytes]] = []
    for entry in zipfile.read(content).entries:
        document = bytes(entry.content)
        if entry.name in waiting:
            text = document[len(DOCUMENT_OPEN) : -len(DOCUMENT_CLOSE)]
            signature = read_signature(text)
            data = [contents[parts.names[one.uri]] for one in signature.references]
            raised = _next(text, signature, waiting[entry.name], data, step)
            document = DOCUMENT_OPEN + raised + DOCUMENT_CLOSE
        entries.append((entry.name, document))
    return zipfile.write(entries)


def _next(
    text: bytes,
    signature: OwnSignature,
    verdict: SignatureVerdict,
    data: Iterable[bytes | memoryview],
    step: _Step,
) -> bytes:
    """Return the signature one level higher; from B-LT on with a new archive time-stamp."""
    known = signature.unsigned.text.decode()
    if verdict.level is Level.B_B:
        digest = hashlib.sha256(signature.value_element).digest()
        known += unsigned.stamp_text(stamped(step.timestamper, digest))
    elif verdict.level is Level.B_T:
        known += unsigned.values_text(_values(verdict, signature, step))
    else:
        if signature.unsigned.archives:
            known += unsigned.validation_text(_values(verdict, signature, step))
        imprint = hashlib.sha256()
        for one in data:
            imprint.update(one)
        imprint.update(signature.archived(0) + known.encode())
        known += unsigned.archive_text(stamped(step.timestamper, imprint.digest()))
    return with_unsigned(text, known)


def _values(verdict: SignatureVerdict, signature: OwnSignature, step: _Step) -> Values:
    """Return the certificates and statuses that the judgement used and the file lacks."""
    known = signature.unsigned.values or Values()
    trust = step.trust.extended(known)
    paths = [(verdict.chain, verdict.best_time or step.at)]
    paths += [(stamp.chain, stamp.time or step.at) for stamp in verdict.timestamps]
    certificates: dict[bytes, None] = {}
    statuses: dict[bytes, str] = {}  # where each comes from
    for chain, since in paths:
        certificates |= dict.fromkeys(chain[:-1])
        for leaf, issuer in pairwise(chain):
            usable = usable_statuses(
                trust.certificate(leaf),
                trust.certificate(issuer),
                trust=trust,
                at=step.at,
                since=since,
            )
            for status in sufficient(usable):
                certificates |= dict.fromkeys(status.certificates)
                statuses |= {one: status.source for one in status.contents}
                statuses |= dict.fromkeys(status.support, "crl")
    held = {signature.certificate, *known.certificates}
    stated = {*known.crls, *known.ocsps}
    return Values(
        certificates=tuple(one for one in certificates if one not in held),
        crls=tuple(
            one for one, source in statuses.items() if source == "crl" and one not in stated
        ),
        ocsps=tuple(
            one for one, source in statuses.items() if source == "ocsp" and one not in stated
        ),
    )
