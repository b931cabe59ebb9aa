"""One CRL read once: whose it is, what it covers, and its entry for a certificate (RFC 5280 §5).

Reading proves nothing: whether the signature holds and whether the signer may speak for a
certificate is `signing.crl`'s question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from signing import der
from signing.algorithms import PublicKey
from signing.certificate import UNREADABLE, Certificate
from signing.errors import DerRefused, RevocationRefused

# Every reason a list can be limited to; a list without a limit covers all of them (§5.2.5).
ALL_REASONS: Final = frozenset(x509.ReasonFlags) - {
    x509.ReasonFlags.unspecified,
    x509.ReasonFlags.remove_from_crl,
}
_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_EXPIRED_CERTS_ON_CRL: Final = "2.5.29.60"
_UNDERSTOOD: Final = frozenset(
    {ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.DELTA_CRL_INDICATOR}
)
_UNDERSTOOD_OF_ENTRIES: Final = frozenset(
    {
        CRLEntryExtensionOID.CERTIFICATE_ISSUER,
        CRLEntryExtensionOID.CRL_REASON,
        CRLEntryExtensionOID.INVALIDITY_DATE,
    }
)
_CRITICAL: Final = b"\x01\x01\xff"  # how DER spells the flag
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, kw_only=True, slots=True)
class RevocationList:
    """The facts of one CRL."""

    content: bytes  # DER
    crl: x509.CertificateRevocationList
    issuer: str  # as `name_key` spells it
    this_update: datetime
    next_update: datetime  # equal to this_update where the list gives none
    number: int | None
    base: int | None  # of a delta: the number of the complete list that it goes on from
    authority_key: bytes | None
    scope: bytes  # issuingDistributionPoint, DER; empty without one
    names: frozenset[str]  # of its distribution point; empty when it states none
    reasons: frozenset[x509.ReasonFlags]
    is_indirect: bool  # may speak for certificates of other issuers
    of_authorities: bool
    of_users: bool
    covers_expired: bool  # expired certificates stay listed (X.509 expiredCertsOnCRL)

    def holds(self, key: PublicKey) -> bool:
        """Return whether the signature of the list is by `key`, with a strong digest."""
        strong = isinstance(self.crl.signature_hash_algorithm, _STRONG)
        try:
            return strong and self.crl.is_signature_valid(key)
        except UNREADABLE:
            return False

    def entry(self, serial: int, *, issuer: str) -> x509.RevokedCertificate | None:
        """Return the entry of a certificate by its serial number and its issuer's `name_key`."""
        if not self.is_indirect:
            return self.crl.get_revoked_certificate_by_serial_number(serial)
        current = self.issuer  # §5.3.3: an entry without an issuer is of the one before
        for one in self.crl:
            stated = _value(one.extensions, x509.CertificateIssuer)
            if stated is not None:
                names = [name_key(each.value) for each in stated if _is_name(each)]
                current = names[0] if names else ""
            if one.serial_number == serial and current == issuer:
                return one
        return None


def parse_list(content: bytes) -> RevocationList:
    """Return the CRL; raise `RevocationRefused` unless it is one that can be used to the end."""
    try:
        der.signed_parts(content).finish()
        return _parse(content)
    except (DerRefused, *UNREADABLE) as exc:
        raise RevocationRefused("expected a CRL in DER, got something else") from exc


def _parse(content: bytes) -> RevocationList:
    crl = x509.load_der_x509_crl(content)
    extensions = crl.extensions
    critical = sum(1 for one in extensions if one.critical)
    if any(one.critical and one.oid not in _UNDERSTOOD for one in extensions):
        raise ValueError("expected known critical extensions")
    # Entries are walked only where the flag occurs once more than the list's own extensions say.
    if content.count(_CRITICAL) > critical:
        _check_entries(crl)
    point = _value(extensions, x509.IssuingDistributionPoint)
    if point is not None and point.only_contains_attribute_certs:
        raise ValueError("expected a list of public-key certificates")
    number = _value(extensions, x509.CRLNumber)
    base = _value(extensions, x509.DeltaCRLIndicator)
    authority = _value(extensions, x509.AuthorityKeyIdentifier)
    return RevocationList(
        content=content,
        crl=crl,
        issuer=name_key(crl.issuer),
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc or crl.last_update_utc,
        number=number.crl_number if number else None,
        base=base.crl_number if base else None,
        authority_key=authority.key_identifier if authority else None,
        scope=point.public_bytes() if point else b"",
        names=_point_names(point, crl.issuer) if point else frozenset(),
        reasons=(point.only_some_reasons if point else None) or ALL_REASONS,
        is_indirect=bool(point and point.indirect_crl),
        of_authorities=not (point and point.only_contains_user_certs),
        of_users=not (point and point.only_contains_ca_certs),
        covers_expired=any(one.oid.dotted_string == _EXPIRED_CERTS_ON_CRL for one in extensions),
    )


def _check_entries(crl: x509.CertificateRevocationList) -> None:
    """Refuse a list with a critical extension that we do not understand (§5.3)."""
    for entry in crl:
        if any(one.critical and one.oid not in _UNDERSTOOD_OF_ENTRIES for one in entry.extensions):
            raise ValueError("expected known critical extensions")


def reason_of(entry: x509.RevokedCertificate) -> x509.ReasonFlags:
    """Return why a certificate was revoked."""
    stated = _value(entry.extensions, x509.CRLReason)
    return stated.reason if stated else x509.ReasonFlags.unspecified


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One place where the CRLs for a certificate are told to be (§4.2.1.13)."""

    names: frozenset[str]  # empty when it states none
    issuers: frozenset[str]  # `name_key` of who signs there; empty: the certificate's issuer
    reasons: frozenset[x509.ReasonFlags]


def points_of(certificate: Certificate) -> list[Point]:
    """Return the distribution points of a certificate, and the one that is assumed (§6.3.3)."""
    issuer = certificate.x509.issuer
    assumed = Point(
        names=frozenset({f"name:{name_key(issuer)}"}), issuers=frozenset(), reasons=ALL_REASONS
    )
    stated = _value(certificate.x509.extensions, x509.CRLDistributionPoints)
    return [*(_point(one, issuer) for one in stated or ()), assumed]


def _point(point: x509.DistributionPoint, issuer: x509.Name) -> Point:
    issuers = [one.value for one in point.crl_issuer or () if _is_name(one)]
    return Point(
        names=_point_names(point, issuers[0] if issuers else issuer),
        issuers=frozenset(map(name_key, issuers)),
        reasons=point.reasons or ALL_REASONS,
    )


def _point_names(
    point: x509.DistributionPoint | x509.IssuingDistributionPoint, issuer: x509.Name
) -> frozenset[str]:
    if point.relative_name is not None:
        whole = x509.Name([*issuer.rdns, point.relative_name])
        return frozenset({f"name:{name_key(whole)}"})
    return frozenset(map(_general_key, point.full_name or ()))


def _general_key(name: x509.GeneralName) -> str:
    if _is_name(name):
        return f"name:{name_key(name.value)}"
    return f"{type(name).__name__}:{name.value}"


def _is_name(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.DirectoryName)


def name_key(name: x509.Name) -> str:
    """Return a name so that names which RFC 5280 §7.1 holds equal are equal."""
    return "\n".join(
        "+".join(
            sorted(
                f"{one.oid.dotted_string}={' '.join(str(one.value).casefold().split())}"
                for one in part
            )
        )
        for part in name.rdns
    )


def is_authority(certificate: Certificate) -> bool:
    """Return whether a certificate is a CA's."""
    constraints = _value(certificate.x509.extensions, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def may_sign_lists(certificate: Certificate) -> bool:
    """Return whether the key usage allows to sign CRLs; without one everything is (§4.2.1.3)."""
    usage = _value(certificate.x509.extensions, x509.KeyUsage)
    return usage is None or usage.crl_sign


def _value(
    extensions: Iterable[x509.Extension[x509.ExtensionType]], kind: type[_Extension]
) -> _Extension | None:
    for one in extensions:
        if isinstance(one.value, kind):
            return one.value
    return None
