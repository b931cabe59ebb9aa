"""Judging a time-stamp that stands alone: a response (.tsr) or a token, and the file it stamps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from signing.archivestamp import token_values
from signing.ber import to_der
from signing.errors import DerRefused, TimestampMalformed
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
from signing.proofs import Stamp, digester, judge_stamps
from signing.timestamp import Imprint, parse_foreign_token
from signing.tsa import CT_TST_INFO, token_of_response

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
    imprint = next((digester(one) for one in files.values()), None)
    signature = judge_stamp_file(
        content,
        identity=identity,
        imprint=imprint,
        covers=tuple(files),
        verdict=_judge_presence(files),
        trust=trust,
        at=at,
    )
    return whole(PASSED, (signature,), [_file(name, one, signature) for name, one in files.items()])


def judge_stamp_file(
    content: bytes,
    *,
    identity: str,
    imprint: Imprint | None,
    covers: tuple[str, ...],
    verdict: Verdict,
    trust: Trust,
    at: datetime,
    archives: Sequence[Stamp] = (),
) -> SignatureVerdict:
    """Judge a token or the response that holds it, as the signature of its authority.

    `imprint` gives the digests of what should be stamped, None when that is missing; `covers` are
    its names and `verdict` what else is wrong with it. `archives` are time-stamps over this one,
    oldest first.
    """
    try:
        octets = token_in(content)
        token = parse_foreign_token(octets)
        values = token_values(octets)
    except TimestampMalformed as exc:
        problem = failed(
            SubIndication.FORMAT_FAILURE, "timestamp_malformed", detail=exc.message[:200]
        )
        return unreadable(identity, problem)
    # Without anything to compare with, the imprint holds: told as a missing file.
    over = imprint or (lambda _: token.imprint)
    times = judge_stamps(
        (Stamp(token=octets, imprint=over),),
        archives,
        trust=trust.extended(values),
        at=at,
        has_values=False,
        strict=False,
    )
    stamp = times.stamps[0]
    holds = Verdict(
        indication=stamp.indication, sub_indication=stamp.sub_indication, reasons=stamp.reasons
    )
    is_over = imprint is not None and imprint(token.imprint_hash) == token.imprint
    return _signature(identity, stamp, gravest(holds, verdict), covers=covers if is_over else ())


def token_in(content: bytes) -> bytes:
    """Return the token of a response, or the content when it is no response."""
    try:
        return token_of_response(to_der(content))
    except (TimestampMalformed, DerRefused):
        return content


def _judge_presence(files: Mapping[str, bytes]) -> Verdict:
    if files:
        return PASSED
    return indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "stamped_file_missing")


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
