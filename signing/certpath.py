"""Certificate paths: found and checked by RFC 5280, then judged for a time.

Paths are found by pyhanko-certvalidator with fetching off. What does not depend on the time
(signatures, names, policies, constraints) is remembered per `Trust`; dates and revocation are
compared on every judgement, so a remembered path never outlives the data it rests on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from asn1crypto import x509 as asn1_x509
from pyhanko_certvalidator.authority import TrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    PathBuildingError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import CertificateRegistry, TrustManager
from pyhanko_certvalidator.validate import async_validate_path

from signing.certificate import Certificate
from signing.errors import CertificateRefused
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, failed, gravest, indeterminate
from signing.policy import ServiceKind, Trust
from signing.revocation import judge_revocation

_MAX_CANDIDATES: Final = 16
_MAX_STEPS: Final = 500  # a real path takes fewer than ten
AUTHORITIES: Final = frozenset({ServiceKind.AUTHORITY})
# A time-stamping certificate is listed itself, or its issuer is.
STAMPERS: Final = frozenset({ServiceKind.TIMESTAMPING, ServiceKind.AUTHORITY})
Chain = tuple[Certificate, ...]
_Context = Callable[[datetime], ValidationContext]


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
    found = find_path(leaf, trust=trust, extra=extra)
    if isinstance(found, Verdict):
        return PathVerdict(verdict=found, chain=())
    verdicts = [
        _judge_bounds(found, time=time, at=at),
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
    return PathVerdict(verdict=gravest(*verdicts), chain=found)


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


def find_path(leaf: Certificate, *, trust: Trust, extra: tuple[bytes, ...] = ()) -> Chain | Verdict:
    """Return the first path that holds by RFC 5280 but for dates and revocation, or why none."""
    key = (leaf.fingerprint, *extra)
    known = trust.paths.get(key)
    if known is not None:
        return known
    return trust.paths.put(key, _find_path(leaf, trust, extra))


def _find_path(leaf: Certificate, trust: Trust, extra: tuple[bytes, ...]) -> Chain | Verdict:
    if leaf.der in trust.anchors or any(leaf.der == one.certificate for one in trust.services):
        return (leaf,)
    if leaf.unknown_critical:
        return indeterminate(
            SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
            "critical_extension",
            certificate=leaf.subject,
        )
    if leaf.public_key is None:
        return _weak(leaf)
    try:
        return asyncio.run(_search(leaf, trust, extra))
    except (ValueError, TypeError, KeyError) as exc:
        # asn1crypto parses lazily and speaks in these three about malformed certificates.
        return _broken(leaf, str(exc))


class _BoundedRegistry(CertificateRegistry):
    """Certificates to build a path from, and a limit to the building.

    Certificates that name each other as issuers make a number of paths that grows like a
    factorial, before any signature is looked at; a signature may bring such certificates along.
    """

    steps_left = _MAX_STEPS

    def find_potential_issuers(
        self, cert: asn1_x509.Certificate, trust_manager: TrustManager
    ) -> Iterator[TrustAnchor | asn1_x509.Certificate]:
        """Yield who may have issued `cert`; raise `PathBuildingError` when it takes too long."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise PathBuildingError("expected a path within a few steps, got none")
        found: Iterator[TrustAnchor | asn1_x509.Certificate]
        found = super().find_potential_issuers(cert, trust_manager)
        return found


async def _search(leaf: Certificate, trust: Trust, extra: tuple[bytes, ...]) -> Chain | Verdict:
    listed = (one.certificate for one in trust.services)
    anchors = [asn1_x509.Certificate.load(one) for one in dict.fromkeys((*trust.anchors, *listed))]
    others = [asn1_x509.Certificate.load(one) for one in (*trust.certificates, *extra)]
    target = asn1_x509.Certificate.load(leaf.der)

    def context(moment: datetime) -> ValidationContext:
        return ValidationContext(
            trust_roots=anchors,
            certificate_registry=_BoundedRegistry.build(others),
            moment=moment,
            allow_fetching=False,
            revinfo_policy=CertRevTrustPolicy(revocation_checking_policy=NO_REVOCATION),
        )

    paths = context(leaf.not_after).path_builder.async_build_paths_lazy(target)
    problem: Verdict | None = None
    tried = 0
    try:
        async for path in paths:
            tried += 1
            outcome = await _check(path, leaf, trust, context)
            if not isinstance(outcome, Verdict):
                return outcome
            problem = outcome
            if tried == _MAX_CANDIDATES:
                break
    except PathBuildingError:
        pass  # told below: no path, or only paths that failed
    finally:
        await paths.cancel()  # type: ignore[no-untyped-call]  # the library left it untyped
    return problem or indeterminate(
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND, "chain_not_found", certificate=leaf.subject
    )


async def _check(
    path: ValidationPath, leaf: Certificate, trust: Trust, context: _Context
) -> Chain | Verdict:
    below_anchor = list(path.iter_certs(include_root=False))
    # Shell model: one instant at which all are valid shows everything but dates (EN 319 102-1
    # §5.6.2.1 runs the same check at the end of the common period).
    start = max(one.not_valid_before for one in below_anchor)
    end = min(one.not_valid_after for one in below_anchor)
    if start > end:
        return _broken(leaf, "periods of validity do not meet")
    try:
        await async_validate_path(context(end), path)
    except DisallowedAlgorithmError:
        return _weak(leaf)
    except ValidationError as exc:
        return _broken(leaf, exc.failure_msg)
    try:
        chain = [trust.certificate(one.dump()) for one in path.iter_certs(include_root=True)]
    except CertificateRefused as exc:
        return _broken(leaf, exc.message)
    if any(one.public_key is None for one in chain):
        return _weak(leaf)
    return tuple(reversed(chain))


def _weak(leaf: Certificate) -> Verdict:
    return indeterminate(
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, "weak_key", certificate=leaf.subject
    )


def _broken(leaf: Certificate, detail: str) -> Verdict:
    return indeterminate(
        SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
        "chain_broken",
        certificate=leaf.subject,
        detail=detail[:200],
    )
