"""Certificate paths judged for a time: dates, revocation, and what anchors them.

The path itself comes from `signing.pathfinding` and may be remembered; dates and revocation are
compared on every judgement, so a remembered path never outlives the data it rests on.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from signing.certificate import Certificate
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, failed, gravest, indeterminate
from signing.pathfinding import Chain, find_path
from signing.policy import ServiceKind, Trust, Window
from signing.revocation import judge_revocation, statuses_of
from signing.strength import end_of_chain, judge_chain

AUTHORITIES: Final = frozenset({ServiceKind.AUTHORITY})
# A time-stamping certificate is listed itself, or its issuer is.
STAMPERS: Final = frozenset({ServiceKind.TIMESTAMPING, ServiceKind.AUTHORITY})


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class PathVerdict(NamedTuple):
    """The verdict on a path, and the path: leaf first, anchor last; empty when none was found."""

    verdict: Verdict
    chain: Chain


def judge_path(
    leaf: Certificate,
    *,
    trust: Trust,
    time: datetime,
    at: datetime,
    since: datetime | None = None,
    extra: tuple[bytes, ...] = (),
    kinds: frozenset[ServiceKind] = AUTHORITIES,
) -> PathVerdict:
    """Judge the path of `leaf` at `time`, with what is known at `at`.

    `time` is the best proved time of use, or `at` when none is proved. `since` is for
    time-stamping certificates (see `judge_revocation`). `extra` are certificates that came with
    the signature: they may complete a path and are never believed. `kinds` are the services of a
    trust list that may anchor the path; their status counts at `since` or `time` (TS 119 612).
    """
    window = trust.windows.get((leaf.fingerprint, *extra))
    if window and window.begin <= time <= window.end and at <= window.known_until:
        return PathVerdict(verdict=PASSED, chain=window.chain)
    found = find_path(leaf, trust=trust, extra=extra)
    if isinstance(found, Verdict):
        return PathVerdict(verdict=found, chain=())
    verdicts = [
        _judge_bounds(found, time=time, at=at),
        judge_chain(found, trust=trust, time=time),
        _judge_service(found[-1], trust=trust, time=since or time, kinds=kinds),
    ]
    for position, (certificate, issuer) in enumerate(pairwise(found)):
        verdict = judge_revocation(certificate, issuer, trust=trust, time=time, at=at, since=since)
        if position and verdict.sub_indication is SubIndication.REVOKED_NO_POE:
            verdict = Verdict(
                indication=verdict.indication,
                sub_indication=SubIndication.REVOKED_CA_NO_POE,
                reasons=verdict.reasons,
            )
        verdicts.append(verdict)
    # Bounds come first, so that "expired, no proof" is not hidden by stale revocation data, but
    # a revocation is worse news than either.
    if any(verdict is not PASSED for verdict in verdicts):
        verdicts.sort(key=_is_revocation, reverse=True)
    elif window is None:
        opened = _window(found, trust)
        if opened is not None:
            trust.windows.put((leaf.fingerprint, *extra), opened)
    return PathVerdict(verdict=gravest(*verdicts), chain=found)


def _window(chain: Chain, trust: Trust) -> Window | None:
    """Return the bounds within which every check of `judge_path` passes, whatever else is asked.

    None for a path that a trust list anchors, or where some status speaks of a revocation: there
    more than bounds decides.
    """
    below = chain[:-1]
    if chain[-1].der not in trust.anchors or not below:
        return None
    until = [one.not_after for one in below[1:]]
    for certificate, issuer in pairwise(chain):
        statuses = statuses_of(certificate, issuer, trust=trust)
        whole = [one.known_until(certificate, trust.rules.max_age) for one in statuses]
        if any(one.revoked_at is not None for one in statuses) or not any(whole):
            return None
        until.append(max(one for one in whole if one is not None))
    return Window(
        chain=chain,
        begin=max(one.not_before for one in below),
        end=min(below[0].not_after, end_of_chain(chain, trust=trust)),
        known_until=min(until),
    )


def _judge_service(
    anchor: Certificate, *, trust: Trust, time: datetime, kinds: frozenset[ServiceKind]
) -> Verdict:
    """Judge whether the end of a path may anchor it: given as an anchor, or listed at `time`."""
    if anchor.der in trust.anchors:
        return PASSED
    listed = [one for one in trust.services if one.certificate == anchor.der]
    fitting = [one for one in listed if one.kind in kinds]
    if any(one.is_granted(time) for one in fitting):
        return PASSED
    code = "service_withdrawn" if fitting else "service_kind"
    return indeterminate(
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        code,
        certificate=anchor.subject,
        time=time.isoformat(),
    )


def _is_revocation(verdict: Verdict) -> bool:
    return verdict.sub_indication in (
        SubIndication.REVOKED_NO_POE,
        SubIndication.REVOKED_CA_NO_POE,
    )


def _judge_bounds(chain: Chain, *, time: datetime, at: datetime) -> Verdict:
    for position, certificate in enumerate(chain[:-1]):
        if time < certificate.not_before:
            return failed(
                SubIndication.NOT_YET_VALID,
                "not_yet_valid",
                certificate=certificate.subject,
                time=certificate.not_before.isoformat(),
            )
        # A CA that has expired by now no longer vouches for its CRLs (EN 319 102-1 §5.6.2.3),
        # so for CAs it is the instant of judging that counts.
        if (at if position else time) > certificate.not_after:
            return indeterminate(
                SubIndication.OUT_OF_BOUNDS_NO_POE,
                "expired",
                certificate=certificate.subject,
                time=certificate.not_after.isoformat(),
            )
    return PASSED
