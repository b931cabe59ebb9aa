"""An evidence record alone, with the file that it proves beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from signing.errors import EvidenceRecordMalformed
from signing.evidencerecord import RecordVerdict, judge_record, parse_record
from signing.evidencexml import ERS
from signing.indication import SubIndication
from signing.judgement import (
    PASSED,
    FileVerdict,
    Judgement,
    SignatureVerdict,
    TimeProof,
    gravest,
    indeterminate,
    whole,
)
from signing.policy import Trust

# A record of letter.pdf is called letter.pdf.ers, or in XML letter.pdf.ers.xml.
SUFFIXES: Final = (".ers", ".ers.xml")
_HEAD_BYTES: Final = 512


def is_record(octets: bytes) -> bool:
    """Return whether the bytes are an evidence record, in DER or in XML."""
    if octets[:_HEAD_BYTES].lstrip()[:1] == b"<":
        return ERS.encode() in octets[:_HEAD_BYTES] and b"EvidenceRecord" in octets[:_HEAD_BYTES]
    try:
        parse_record(octets)
    except EvidenceRecordMalformed:
        return False
    return True


def proved_name(name: str) -> str:
    """Return the name of the file that a record of this name is about, "" when none can be told."""
    for suffix in reversed(SUFFIXES):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return ""


def judge_record_file(
    octets: bytes,
    *,
    identity: str,
    files: Mapping[str, bytes],
    trust: Trust,
    at: datetime,
) -> Judgement:
    """Judge a record over the one file of `files`; without it the answer is INDETERMINATE."""
    for name, content in files.items():
        digest = hashlib.sha256(content)
        found = judge_record(octets, digest=digest.digest(), trust=trust, at=at)
        covers = (name,) if found.verdict.sub_indication is not SubIndication.HASH_FAILURE else ()
        file = FileVerdict(
            name=name,
            sha256=digest.hexdigest(),
            size=len(content),
            covered_by=(identity,) if covers else (),
        )
        return whole(PASSED, (_signature(identity, found, covers=covers),), (file,))
    missing = indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "stamped_file_missing")
    found = RecordVerdict(verdict=gravest(missing), time=None, stamps=())
    return whole(PASSED, (_signature(identity, found, covers=()),), ())


def _signature(identity: str, found: RecordVerdict, *, covers: tuple[str, ...]) -> SignatureVerdict:
    """Return the record as the signature of its newest authority."""
    newest = found.stamps[-1] if found.stamps else None
    return SignatureVerdict(
        id=identity,
        indication=found.verdict.indication,
        sub_indication=found.verdict.sub_indication,
        level=None,
        signer=newest.authority if newest else None,
        certificate=newest.certificate if newest else None,
        purpose=None,
        role=None,
        claimed_time=found.time,
        best_time=found.time,
        proof=TimeProof.EVIDENCE_RECORD if found.time else TimeProof.NONE,
        covers=covers,
        reasons=found.verdict.reasons,
        algorithm=None,
        chain=newest.chain if newest else (),
        timestamps=found.stamps,
    )
