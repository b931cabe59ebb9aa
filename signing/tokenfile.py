"""Judging a time-stamp that stands alone: a response (.tsr) or a token, and the file it stamps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from signing.errors import TimestampMalformed
from signing.indication import Indication, SubIndication
from signing.judge import unreadable
from signing.judgement import (
    PASSED,
    FileVerdict,
    Judgement,
    SignatureVerdict,
    TimeProof,
    TimestampVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
    whole,
)
from signing.policy import Trust
from signing.proofs import Stamp, digester, judge_stamp
from signing.timestamp import Imprint, Token, parse_token
from signing.tsa import CT_TST_INFO, token_of_response
from signing.unsigned import Values

# How far into a file the content type of a token stands at most; a response has a status before.
_HEAD_BYTES: Final = 512


def is_token(content: bytes) -> bool:
    """Return whether the bytes claim to be a time-stamp token or the response that holds one."""
    return content.startswith(b"\x30") and CT_TST_INFO in content[:_HEAD_BYTES]


def judge_token(
    content: bytes,
    *,
    identity: str,
    files: Mapping[str, bytes],
    trust: Trust,
    at: datetime,
) -> Judgement:
    """Judge a token over the one file of `files`; any bytes get a judgement.

    Without the file the token itself is judged, and the answer is INDETERMINATE at best.
    """
    try:
        octets = _token_in(content)
        token = parse_token(octets)
    except TimestampMalformed as exc:
        problem = failed(
            SubIndication.FORMAT_FAILURE, "timestamp_malformed", detail=exc.message[:200]
        )
        return whole(PASSED, (unreadable(identity, problem),), ())
    stamp, holds = judge_stamp(
        Stamp(token=octets, imprint=_imprint(token, files)),
        kind=TimeProof.SIGNATURE_TIMESTAMP,
        trust=trust.extended(Values(certificates=token.certificates)),
        control=at,
        at=at,
        strict=False,
    )
    verdict = gravest(holds, _judge_presence(files))
    signature = _signature(identity, stamp, verdict, covers=_covered(token, files))
    return whole(PASSED, (signature,), [_file(name, one, signature) for name, one in files.items()])


def _token_in(content: bytes) -> bytes:
    """Return the token of a response, or the content when it is no response."""
    try:
        return token_of_response(content)
    except TimestampMalformed:
        return content


def _imprint(token: Token, files: Mapping[str, bytes]) -> Imprint:
    for content in files.values():
        return digester(content)
    return lambda _: token.imprint  # nothing to compare with: told as a missing file


def _judge_presence(files: Mapping[str, bytes]) -> Verdict:
    if files:
        return PASSED
    return indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "stamped_file_missing")


def _covered(token: Token, files: Mapping[str, bytes]) -> tuple[str, ...]:
    return tuple(
        name
        for name, content in files.items()
        if hashlib.new(token.imprint_hash, content).digest() == token.imprint
    )


def _signature(
    identity: str, stamp: TimestampVerdict, verdict: Verdict, *, covers: tuple[str, ...]
) -> SignatureVerdict:
    """Return the token as what it is: a signature of its authority."""
    is_proved = stamp.indication is Indication.TOTAL_PASSED
    return SignatureVerdict(
        id=identity,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        level=None,
        signer=stamp.authority,
        certificate=stamp.certificate,
        purpose=None,
        role=None,
        claimed_time=stamp.time,
        best_time=stamp.time if is_proved else None,
        proof=stamp.kind if is_proved else TimeProof.NONE,
        covers=covers,
        reasons=verdict.reasons,
        algorithm=None,
        chain=stamp.chain,
        timestamps=(stamp,),
    )


def _file(name: str, content: bytes, signature: SignatureVerdict) -> FileVerdict:
    return FileVerdict(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        covered_by=(signature.id,) if name in signature.covers else (),
    )
