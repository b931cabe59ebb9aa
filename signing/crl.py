"""What CRLs say of a certificate: complete, delta and indirect ones (RFC 5280 §5.2, §6.3).

A list counts as far as it covers the certificate: by its distribution point, the kind of
certificates and the reasons it is limited to. A delta counts together with the complete list that
it goes on from. A list of another signer counts where the certificate names that signer, or where
it is the same authority with another key, and where that signer is good under the same anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from cryptography import x509

from signing.certificate import Certificate
from signing.crllist import (
    ALL_REASONS,
    RevocationList,
    is_authority,
    may_sign_lists,
    name_key,
    parse_list,
    points_of,
    reason_of,
)
from signing.errors import CertificateRefused, RevocationRefused
from signing.judgement import Verdict
from signing.pathfinding import Chain, find_path
from signing.policy import Status, Trust

# Reasons after which a time-stamp made before the revocation stays valid (RFC 3161 §4).
KEEPING: Final = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)


class _Proved(NamedTuple):
    """A list whose signature holds and whose signer may speak for the certificate."""

    one: RevocationList
    reasons: frozenset[x509.ReasonFlags]  # those it covers for the certificate
    certificates: tuple[bytes, ...]  # of the signer's path, DER, without the anchor
    support: tuple[bytes, ...]  # CRLs that show the signer as good


def crl_end(content: bytes) -> datetime:
    """Return until when a CRL (DER) counts; raise `RevocationRefused` for anything else."""
    return parse_list(content).next_update


def crl_statuses(
    certificate: Certificate, issuer: Certificate, trust: Trust, *, own_only: bool = False
) -> Iterator[Status]:
    """Yield what the CRLs of `trust` prove of `certificate`.

    `own_only` takes lists that the issuer signed itself: the status of whoever signs statuses
    must not rest on one more such signer.
    """
    proved = list(_proved(certificate, issuer, trust, own_only=own_only))
    deltas = [one for one in proved if one.one.base is not None]
    used: set[bytes] = set()
    for base in proved:
        if base.one.base is not None:
            continue
        delta = _newest_delta(base, deltas)
        if delta is not None:
            used.add(delta.one.content)
        yield _status(certificate, base, delta)
    for delta in deltas:
        # Alone it never shows that a certificate is good, but bad news is news.
        if delta.one.content not in used:
            status = _status(certificate, delta, None)
            if status.revoked_at is not None:
                yield status


def _newest_delta(base: _Proved, deltas: list[_Proved]) -> _Proved | None:
    fitting = [one for one in deltas if _goes_on_from(base.one, one.one)]
    return max(fitting, key=lambda one: one.one.number or 0, default=None)


def _goes_on_from(base: RevocationList, delta: RevocationList) -> bool:
    """Return whether a delta completes a list: same issuer, scope and key, numbers in order."""
    if base.number is None or delta.number is None or delta.base is None:
        return False
    return (
        (delta.issuer, delta.scope, delta.authority_key)
        == (base.issuer, base.scope, base.authority_key)
        and delta.base <= base.number < delta.number
        and delta.this_update >= base.this_update
    )


def _status(certificate: Certificate, base: _Proved, delta: _Proved | None) -> Status:
    issuer = name_key(certificate.x509.issuer)
    newest = delta or base
    entry = newest.one.entry(certificate.serial, issuer=issuer)
    reason = reason_of(entry) if entry is not None else None
    if delta is not None and entry is None:
        entry = base.one.entry(certificate.serial, issuer=issuer)
        reason = reason_of(entry) if entry is not None else None
    if reason is x509.ReasonFlags.remove_from_crl:
        entry = None
    lists = (base,) if delta is None else (base, delta)
    return Status(
        source="crl",
        contents=tuple(one.one.content for one in lists),
        certificates=tuple(dict.fromkeys(der for one in lists for der in one.certificates)),
        support=tuple(dict.fromkeys(der for one in lists for der in one.support)),
        this_update=newest.one.this_update,
        next_update=newest.one.next_update,
        revoked_at=None if entry is None else entry.revocation_date_utc,
        on_hold=reason is x509.ReasonFlags.certificate_hold,
        keeps_past=reason in KEEPING,
        covers_expired=base.one.covers_expired,
        # A delta alone is no list: it covers no reason, so nothing is ever good by it.
        reasons=base.reasons if base.one.base is None else frozenset(),
    )


def _proved(
    certificate: Certificate, issuer: Certificate, trust: Trust, *, own_only: bool
) -> Iterator[_Proved]:
    for content in trust.crls:
        one = _list_of(content, trust)
        reasons = _covered(one, certificate) if one is not None else frozenset()
        if one is None or not reasons:
            continue
        if one.issuer == name_key(issuer.x509.subject) and _signed(one, issuer, trust):
            yield _Proved(one=one, reasons=reasons, certificates=(), support=())
        elif not own_only:
            signer = _other_signer(one, issuer, trust)
            if signer is not None:
                path, support = signer
                yield _Proved(
                    one=one,
                    reasons=reasons,
                    certificates=tuple(link.der for link in path[:-1]),
                    support=support,
                )


def _list_of(content: bytes, trust: Trust) -> RevocationList | None:
    """Return the parsed list, remembered; an unreadable one is no data."""
    known = trust.lists.get(content)
    if known is not None:
        return known
    try:
        return trust.lists.put(content, parse_list(content))
    except RevocationRefused:
        return None


def _covered(one: RevocationList, certificate: Certificate) -> frozenset[x509.ReasonFlags]:
    """Return the reasons for which the list would name the certificate; none: not its list."""
    if not (one.of_authorities if is_authority(certificate) else one.of_users):
        return frozenset()
    issuer = name_key(certificate.x509.issuer)
    covered: frozenset[x509.ReasonFlags] = frozenset()
    for point in points_of(certificate):
        # §6.3.3 (b) (1): the signer is the one that the point names, or the certificate's issuer.
        if point.issuers:
            if one.issuer not in point.issuers or not one.is_indirect:
                continue
        elif one.issuer != issuer:
            continue
        # §6.3.3 (b) (2): one name in common.
        names = point.names or {f"name:{each}" for each in point.issuers}
        if not one.names or one.names & names:
            covered |= point.reasons & one.reasons
    return covered


def _signed(one: RevocationList, signer: Certificate, trust: Trust) -> bool:
    """Return whether `signer` signed the list and may; remembered."""
    key = (one.content, signer.fingerprint)
    known = trust.signed.get(key)
    if known is None:
        holds = (
            signer.public_key is not None
            and may_sign_lists(signer)
            and one.holds(signer.public_key)
        )
        known = trust.signed.put(key, holds)
    return known


def _other_signer(
    one: RevocationList, issuer: Certificate, trust: Trust
) -> tuple[Chain, tuple[bytes, ...]] | None:
    """Return the path of a signer under the issuer's own anchor, and what shows it as good."""
    own = find_path(issuer, trust=trust)
    if isinstance(own, Verdict):
        return None
    for content in dict.fromkeys((*trust.certificates, *trust.anchors)):
        try:
            candidate = trust.certificate(content)
        except CertificateRefused:
            continue
        if name_key(candidate.x509.subject) != one.issuer or not _signed(one, candidate, trust):
            continue
        path = find_path(candidate, trust=trust)
        if isinstance(path, Verdict) or path[-1].der != own[-1].der:
            continue
        support = clearing(path, trust, at=one.this_update)
        if support is not None:
            return path, support
    return None


def clearing(path: Chain, trust: Trust, *, at: datetime) -> tuple[bytes, ...] | None:
    """Return the CRLs that show every link of `path` as good at `at`; None when one is not.

    Lists of the issuers themselves only, so that the search ends.
    """
    support: list[bytes] = []
    for certificate, issuer in pairwise(path):
        found = list(crl_statuses(certificate, issuer, trust, own_only=True))
        good = sufficient([one for one in found if one.is_usable(certificate, at=at, after=at)])
        revoked = any(one.revoked_at is not None and one.revoked_at <= at for one in found)
        if revoked or not good:
            return None
        support += [content for one in good for content in one.contents]
    return tuple(dict.fromkeys(support))


def sufficient(statuses: list[Status]) -> list[Status]:
    """Return the first statuses that together cover every reason; empty when they do not."""
    taken: list[Status] = []
    covered: frozenset[x509.ReasonFlags] = frozenset()
    for one in statuses:
        if one.reasons - covered:
            taken.append(one)
            covered |= one.reasons
    return taken if covered >= ALL_REASONS else []
