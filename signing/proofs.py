"""Judging the time-stamps of one signature, and from them the time that is proved.

Archive time-stamps are judged newest first: each proves that what it covers existed at its time,
so what is older may be judged as of then (EN 319 102-1 §5.6.3, proof of existence).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from signing import bulk
from signing.algorithms import digest_of
from signing.certificate import Certificate
from signing.certpath import STAMPERS, judge_path
from signing.errors import TimestampMalformed
from signing.indication import SubIndication
from signing.judgement import (
    PASSED,
    Level,
    TimeProof,
    TimestampVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
)
from signing.pathfinding import Chain
from signing.policy import CLOCK_TOLERANCE, Trust
from signing.purpose import Purpose
from signing.revocation import statuses_of
from signing.timestamp import (
    Imprint,
    check_token,
    parse_foreign_token,
    signer_of,
)
from signing.tokenlayout import read_token
from signing.tokenparts import Token
from signing.xades import OwnSignature


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedData:
    """What references may point at."""

    names: Mapping[str, str]  # file name by reference URI
    digests: Mapping[str, bytes]  # SHA-256 by file name
    contents: Mapping[str, memoryview]  # by file name


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class Times(NamedTuple):
    """What the time-stamps of a signature prove."""

    best: datetime | None  # the earliest proved time of existence
    proof: TimeProof
    control: datetime  # as of when the signature's own path and status are to be judged
    level: Level
    verdict: Verdict
    stamps: tuple[TimestampVerdict, ...]  # oldest first
    chains: tuple[Chain, ...]  # of the authorities, as far as found


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class _Judged(NamedTuple):
    kind: TimeProof
    verdict: Verdict
    token: Token | None
    certificate: Certificate | None
    path: Chain


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class Stamp(NamedTuple):
    """A token and what it should have stamped."""

    token: bytes
    imprint: Imprint


def digester(octets: bytes | memoryview) -> Imprint:
    """Return what gives the digests of `octets`."""
    return lambda name: digest_of(name, octets)


def judge_times(signature: OwnSignature, *, data: SignedData, trust: Trust, at: datetime) -> Times:
    """Judge all time-stamps of a signature of our profile."""
    unsigned = signature.unsigned
    stamps = []
    if unsigned.stamp is not None:
        stamps.append(Stamp(token=unsigned.stamp, imprint=digester(signature.value_element)))
    archives = [
        Stamp(token=one.token, imprint=partial(_archive_imprint, signature, data, one.covered))
        for one in unsigned.archives
    ]
    return judge_stamps(
        stamps,
        archives,
        trust=trust,
        at=at,
        has_values=unsigned.values is not None,
        strict=True,
    )


def judge_stamps(
    stamps: Sequence[Stamp],
    archives: Sequence[Stamp],
    *,
    trust: Trust,
    at: datetime,
    has_values: bool,
    strict: bool,
    archives_suffice: bool = False,
) -> Times:
    """Judge signature time-stamps and archive time-stamps (oldest first), the newest first.

    `strict` refuses tokens that carry more than they need. With `archives_suffice` an archive
    time-stamp makes the levels from B-T on without a signature time-stamp before it.
    """
    if not stamps and not archives:
        return Times(
            best=None,
            proof=TimeProof.NONE,
            control=at,
            level=Level.B_B,
            verdict=PASSED,
            stamps=(),
            chains=(),
        )
    judged: list[_Judged] = []
    control = at
    for archive in reversed(archives):
        one = _judge_stamp(
            archive,
            kind=TimeProof.ARCHIVE_TIMESTAMP,
            trust=trust,
            control=control,
            at=at,
            strict=strict,
        )
        judged.append(one)
        if one.verdict.is_passed and one.token is not None:
            control = one.token.time
    judged += [
        _judge_stamp(
            stamp,
            kind=TimeProof.SIGNATURE_TIMESTAMP,
            trust=trust,
            control=control,
            at=at,
            strict=strict,
        )
        for stamp in reversed(stamps)
    ]
    judged.reverse()
    level = _level(
        [one.kind for one in judged if one.verdict.is_passed],
        has_values=has_values,
        archives_suffice=archives_suffice,
    )
    return _times(judged, control=control, level=level)


def _times(judged: list[_Judged], *, control: datetime, level: Level) -> Times:
    proved = [(one.token.time, one.kind) for one in judged if one.verdict.is_passed and one.token]
    best, proof = min(proved, key=lambda pair: pair[0], default=(None, TimeProof.NONE))
    return Times(
        best=best,
        proof=proof,
        control=control,
        level=level,
        verdict=gravest(*(one.verdict for one in judged)),
        stamps=tuple(_stamp_verdict(one) for one in judged),
        chains=tuple(one.path for one in judged),
    )


def _level(kinds: list[TimeProof], *, has_values: bool, archives_suffice: bool) -> Level:
    if TimeProof.SIGNATURE_TIMESTAMP not in kinds and not (archives_suffice and kinds):
        return Level.B_B
    if not has_values:
        return Level.B_T
    return Level.B_LTA if TimeProof.ARCHIVE_TIMESTAMP in kinds else Level.B_LT


def _archive_imprint(
    signature: OwnSignature, data: SignedData, covered: int, hash_name: str
) -> bytes:
    """Return the digest of what an archive time-stamp covers (EN 319 132-1 §5.5.2)."""
    digest = hashlib.new(hash_name)
    for reference in signature.references:
        name = data.names.get(reference.uri)
        if name is not None:
            for piece in bulk.pieces(data.contents[name]):
                digest.update(piece)
    digest.update(signature.archived(covered))
    return digest.digest()


def judge_purpose(certificate: Certificate, purposes: frozenset[Purpose]) -> Verdict:
    """Judge whether a certificate is for one of `purposes`."""
    if certificate.purpose in purposes:
        return PASSED
    wanted = "/".join(sorted(one.name.lower() for one in purposes))
    if certificate.purpose is None:
        return indeterminate(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE, "purpose_missing", wanted=wanted
        )
    return indeterminate(
        SubIndication.CHAIN_CONSTRAINTS_FAILURE,
        "purpose_wrong",
        wanted=wanted,
        purpose=certificate.purpose.name.lower(),
    )


def _judge_stamp(
    stamp: Stamp,
    *,
    kind: TimeProof,
    trust: Trust,
    control: datetime,
    at: datetime,
    strict: bool,
) -> _Judged:
    try:
        token = read_token(stamp.token, trust=trust) if strict else parse_foreign_token(stamp.token)
    except TimestampMalformed as exc:
        verdict = failed(
            SubIndication.FORMAT_FAILURE, "timestamp_malformed", detail=exc.message[:200]
        )
        return _Judged(kind=kind, verdict=verdict, token=None, certificate=None, path=())
    certificate = signer_of(token, trust)
    if certificate is None:
        verdict = indeterminate(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "timestamp_certificate")
        return _Judged(kind=kind, verdict=verdict, token=token, certificate=None, path=())
    path = judge_path(
        certificate,
        trust=trust,
        time=control,
        at=control,
        since=token.time,
        extra=token.certificates,
        kinds=STAMPERS,
    )
    verdict = gravest(
        check_token(token, certificate, imprint=stamp.imprint),
        _judge_time(token, certificate, control=control, at=at),
        path.verdict,
        _judge_authority(certificate),
        _judge_freight(token, certificate, path.chain) if strict else PASSED,
    )
    return _Judged(
        kind=kind, verdict=verdict, token=token, certificate=certificate, path=path.chain
    )


def _judge_authority(certificate: Certificate) -> Verdict:
    # A foreign authority has no policy of our arc; its critical key usage says it all.
    if certificate.foreign_purpose:
        return PASSED
    return judge_purpose(certificate, frozenset({Purpose.TSA}))


def _judge_time(
    token: Token, certificate: Certificate, *, control: datetime, at: datetime
) -> Verdict:
    if token.time > at + CLOCK_TOLERANCE:
        return indeterminate(
            SubIndication.NO_POE, "timestamp_in_future", time=token.time.isoformat()
        )
    if control != at and token.time > control:
        return indeterminate(
            SubIndication.TIMESTAMP_ORDER_FAILURE,
            "timestamp_order",
            time=token.time.isoformat(),
        )
    if token.time < certificate.not_before:
        return failed(
            SubIndication.NOT_YET_VALID,
            "not_yet_valid",
            certificate=certificate.subject,
            time=certificate.not_before.isoformat(),
        )
    return PASSED


def _judge_freight(token: Token, certificate: Certificate, chain: Chain) -> Verdict:
    """Judge that the token carries nothing but what was needed."""
    used = {one.der for one in (certificate, *chain)}
    if token.has_freight or not used.issuperset(token.certificates):
        return failed(SubIndication.FORMAT_FAILURE, "timestamp_extra")
    return PASSED


def judge_extra(signature: OwnSignature, *, chain: Chain, times: Times, trust: Trust) -> Verdict:
    """Judge that the validation data holds nothing but what the paths need (no byte is free)."""
    values = signature.unsigned.values
    chains = (chain, *times.chains)
    if values is None or not all(chains):
        return PASSED  # without a path nothing can be told, and the verdict is no pass anyway
    used = {one.der for path in chains for one in path}
    stated: set[bytes] = set()
    for path in chains:
        for certificate, issuer in pairwise(path):
            for status in statuses_of(certificate, issuer, trust=trust):
                used.update(status.certificates)
                stated.update((*status.contents, *status.support))
    if used.issuperset(values.certificates) and stated.issuperset((*values.crls, *values.ocsps)):
        return PASSED
    return failed(SubIndication.FORMAT_FAILURE, "values_extra")


def _stamp_verdict(one: _Judged) -> TimestampVerdict:
    return TimestampVerdict(
        kind=one.kind,
        indication=one.verdict.indication,
        sub_indication=one.verdict.sub_indication,
        time=one.token.time if one.token else None,
        authority=one.certificate.subject if one.certificate else None,
        certificate=one.certificate.der if one.certificate else None,
        reasons=one.verdict.reasons,
        chain=tuple(link.der for link in one.path),
    )
