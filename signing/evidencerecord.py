"""Evidence records (RFC 4998, RFC 6283): one time-stamp over many documents, one file for each.

The digests of the documents are the leaves of a hash tree; a time-stamp covers its root; a record
holds the branch of one document. Renewal stamps the old time-stamps in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from signing import der
from signing.archivechain import (
    DIGEST_BYTES,
    MAX_DEPTH,
    MAX_RECORD_BYTES,
    MAX_SIBLINGS,
    MAX_STAMPS,
    ArchiveStamp,
    Branch,
    EvidenceRecord,
)
from signing.errors import DerRefused, EvidenceRecordMalformed
from signing.evidencexml import dump_xml, parse_xml, stamp_element
from signing.indication import SubIndication
from signing.judgement import TimestampVerdict, Verdict, failed
from signing.policy import Trust
from signing.proofs import Stamp, judge_stamps
from signing.timestamp import Imprint, stamped
from signing.tsa import DIGEST_BY_IDENTIFIER, Timestamper

_SHA256: Final = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.tlv(der.NULL, b""))
_TAGGED_SHA256: Final = b"\xa0" + _SHA256[1:]  # implicitly tagged (§3.2)
# A list of one digest, which most levels of a branch are, up to the digest itself.
_ONE_DIGEST: Final = der.sequence(der.tlv(der.OCTET_STRING, bytes(32)))[:-32]
_TREE_TAG: Final = 0xA2


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordVerdict:
    """What a record proves of a digest."""

    verdict: Verdict
    time: datetime | None  # since when the document is proved to exist
    stamps: tuple[TimestampVerdict, ...]  # oldest first


def build_records(
    digests: Sequence[bytes], *, timestamper: Timestamper, is_xml: bool = False
) -> list[bytes]:
    """Return one record for each SHA-256 digest, all under one time-stamp, in order.

    In DER (RFC 4998), or in XML (RFC 6283).

    Raises `EvidenceRecordMalformed` for no digest or another size, and what the time-stamper
    raises.
    """
    return [
        _dump(EvidenceRecord(stamps=(stamp,), is_xml=is_xml))
        for stamp in _stamped(digests, timestamper, is_xml=is_xml)
    ]


def renew_records(records: Sequence[bytes], *, timestamper: Timestamper) -> list[bytes]:
    """Return the records with one more archive time-stamp over their newest ones (§5.2)."""
    parsed = [parse_record(one) for one in records]
    if any(
        one.is_xml and dump_xml(one) != content
        for one, content in zip(parsed, records, strict=True)
    ):
        # Written anew, older time-stamps of another spelling would no longer be covered.
        raise EvidenceRecordMalformed("expected records in our own spelling, got another")
    digests = [hashlib.sha256(one.stamps[-1].octets).digest() for one in parsed]
    return [
        _dump(replace(one, stamps=(*one.stamps, stamp)))
        for one, stamp in zip(parsed, _stamped(digests, timestamper), strict=True)
    ]


def judge_record(record: bytes, *, digest: bytes, trust: Trust, at: datetime) -> RecordVerdict:
    """Judge what a record proves of a document's SHA-256; any bytes get a verdict."""
    try:
        parsed = parse_record(record)
    except EvidenceRecordMalformed as exc:
        verdict = failed(SubIndication.FORMAT_FAILURE, exc.code, detail=exc.message[:200])
        return RecordVerdict(verdict=verdict, time=None, stamps=())
    stamps: list[Stamp] = []
    covered = digest
    for stamp in parsed.stamps:
        root = _root(stamp.branch, covered)
        if root is None:
            verdict = failed(SubIndication.HASH_FAILURE, "record_of_another")
            return RecordVerdict(verdict=verdict, time=None, stamps=())
        stamps.append(Stamp(token=stamp.token, imprint=_only_sha256(root)))
        covered = hashlib.sha256(stamp.octets).digest()
    times = judge_stamps([], stamps, trust=trust, at=at, has_values=False, strict=True)
    return RecordVerdict(
        verdict=times.verdict,
        time=times.best if times.verdict.is_passed else None,
        stamps=times.stamps,
    )


def _only_sha256(root: bytes) -> Imprint:
    # The tree is SHA-256, so a token with another imprint algorithm covers something else.
    return lambda name: root if name == "sha256" else b""


def _root(branch: Branch, digest: bytes) -> bytes | None:
    """Return what the branch leads to from `digest` (§4.3), None when it does not hold it."""
    if not branch:
        return digest
    if digest not in branch[0]:
        return None
    # A first list of one digest is no group: its digest goes on as it is (RFC 6283 §3.2.2).
    current = digest if len(branch[0]) == 1 else _father(branch[0])
    for siblings in branch[1:]:
        current = _father((*siblings, current))
    return current


def _father(children: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"".join(sorted(children))).digest()


def _stamped(
    digests: Sequence[bytes], timestamper: Timestamper, *, is_xml: bool = False
) -> list[ArchiveStamp]:
    if not digests or any(len(one) != DIGEST_BYTES for one in digests):
        raise EvidenceRecordMalformed("expected SHA-256 digests, got none or others")
    levels = _tree(digests)
    token = stamped(timestamper, levels[-1][0])
    octets = stamp_element(token) if is_xml else token
    return [
        ArchiveStamp(branch=_branch(levels, position), token=token, octets=octets)
        for position in range(len(digests))
    ]


def _tree(digests: Sequence[bytes]) -> list[list[bytes]]:
    """Return the levels of a binary tree, leaves first; a last odd node moves up as it is."""
    levels = [list(digests)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [_father(below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            level.append(below[-1])
        levels.append(level)
    return levels


def _branch(levels: list[list[bytes]], position: int) -> Branch:
    lists: list[tuple[bytes, ...]] = []
    for level in levels[:-1]:
        sibling = position ^ 1
        if sibling < len(level):
            lists.append((level[sibling],) if lists else _pair(level, position, sibling))
        position //= 2
    return tuple(lists)


def _pair(level: list[bytes], position: int, sibling: int) -> tuple[bytes, ...]:
    return tuple(sorted((level[position], level[sibling])))


def parse_record(content: bytes) -> EvidenceRecord:
    """Return the record; raise `EvidenceRecordMalformed` for other bytes and other algorithms.

    What `build_records` and `renew_records` write reads back; so do foreign records with one
    chain, SHA-256 throughout and neither encryption nor further data.
    """
    if content.lstrip()[:1] == b"<":
        return parse_xml(content)
    if len(content) > MAX_RECORD_BYTES:
        raise EvidenceRecordMalformed(f"expected at most {MAX_RECORD_BYTES} bytes, got more")
    try:
        return _parse(content)
    except DerRefused as exc:
        raise EvidenceRecordMalformed(f"expected an evidence record: {exc}") from exc


def _parse(content: bytes) -> EvidenceRecord:
    outer = der.Cursor(content)
    body = outer.enter(der.SEQUENCE)
    outer.finish()
    if body.take_integer() != 1:
        raise DerRefused("expected version 1, got another")
    algorithms = body.enter(der.SEQUENCE)
    _expect_sha256(algorithms.take_whole(der.SEQUENCE))
    algorithms.finish()
    chains = body.enter(der.SEQUENCE)
    body.finish()
    chain = chains.enter(der.SEQUENCE)
    chains.finish()  # a second chain would be of another digest algorithm (§5.1)
    stamps: list[ArchiveStamp] = []
    while chain.next_tag() is not None and len(stamps) <= MAX_STAMPS:
        stamps.append(_parse_stamp(chain.enter(der.SEQUENCE)))
    if not 0 < len(stamps) <= MAX_STAMPS:
        raise DerRefused(f"expected 1 to {MAX_STAMPS} archive time-stamps, got others")
    return EvidenceRecord(stamps=tuple(stamps))


def _parse_stamp(cursor: der.Cursor) -> ArchiveStamp:
    if cursor.next_tag() == 0xA0:
        _expect_sha256(der.tlv(der.SEQUENCE, cursor.take(0xA0)))
    branch: list[tuple[bytes, ...]] = []
    if cursor.next_tag() == _TREE_TAG:
        tree = cursor.enter(_TREE_TAG)
        while tree.next_tag() is not None and len(branch) <= MAX_DEPTH:
            branch.append(_parse_siblings(tree.enter(der.SEQUENCE)))
        tree.finish()
    token = cursor.take_whole(der.SEQUENCE)
    cursor.finish()
    return ArchiveStamp(branch=tuple(branch), token=token, octets=token)


def _parse_siblings(cursor: der.Cursor) -> tuple[bytes, ...]:
    found: list[bytes] = []
    while cursor.next_tag() is not None and len(found) < MAX_SIBLINGS:
        digest = cursor.take(der.OCTET_STRING)
        if len(digest) != DIGEST_BYTES:
            raise DerRefused("expected SHA-256 digests, got another size")
        found.append(digest)
    cursor.finish()
    if not found:
        raise DerRefused("expected at least one digest, got none")
    return tuple(found)


def _expect_sha256(identifier: bytes) -> None:
    if DIGEST_BY_IDENTIFIER.get(identifier) != "sha256":
        raise DerRefused("expected SHA-256, got another digest algorithm")


def _dump(record: EvidenceRecord) -> bytes:
    if record.is_xml:
        return dump_xml(record)
    chain = der.sequence(*(_dump_stamp(one) for one in record.stamps))
    return der.sequence(der.integer(1), der.sequence(_SHA256), der.sequence(chain))


def _dump_stamp(stamp: ArchiveStamp) -> bytes:
    lists = b"".join(
        _ONE_DIGEST + siblings[0]
        if len(siblings) == 1
        else der.sequence(*(der.tlv(der.OCTET_STRING, digest) for digest in siblings))
        for siblings in stamp.branch
    )
    tree = der.tlv(_TREE_TAG, lists) if lists else b""
    return der.sequence(_TAGGED_SHA256, tree, stamp.token)
