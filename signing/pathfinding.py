"""Certificate paths: found and checked by RFC 5280, but for dates and revocation.

Paths are found by pyhanko-certvalidator with fetching off. What does not depend on the time
(signatures, names, policies, constraints) is remembered per `Trust`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

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
    DisallowWeakAlgorithmsPolicy,
)
from pyhanko_certvalidator.registry import CertificateRegistry, TrustManager
from pyhanko_certvalidator.validate import async_validate_path

from signing.algorithms import OLD_RSA_BITS
from signing.certificate import Certificate
from signing.errors import CertificateRefused
from signing.indication import SubIndication
from signing.judgement import Verdict, indeterminate
from signing.policy import Trust

_MAX_CANDIDATES: Final = 16
_MAX_STEPS: Final = 500  # a real path takes fewer than ten
# A path says nothing of the time, so it takes what was allowed once; until when that counted is
# judged by `signing.strength`.
_ONCE_ALLOWED: Final = DisallowWeakAlgorithmsPolicy(
    weak_hash_algos=frozenset({"md2", "md5"}), rsa_key_size_threshold=OLD_RSA_BITS
)
Chain = tuple[Certificate, ...]
_Context = Callable[[datetime], ValidationContext]


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
    if leaf.old_key is None:
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
            algorithm_usage_policy=_ONCE_ALLOWED,
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
        await paths.cancel()
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
    if any(one.old_key is None for one in chain):
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
