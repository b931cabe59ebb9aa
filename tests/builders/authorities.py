"""Authorities for tests of paths and revocation, with any extension a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signing.algorithms import PrivateKey
from signing.certificate import Certificate, parse_certificate
from signing.keys import load_private_key
from signing.pki import new_key
from tests.builders.signing import LONG, NOW


def name(text: str) -> x509.Name:
    """Return a name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def key() -> PrivateKey:
    """Return a fresh P-256 key."""
    return load_private_key(new_key())


class Authority:
    """A CA, or whoever it lets sign lists."""

    def __init__(
        self,
        text: str,
        *,
        above: Authority | None = None,
        serial: int = 1,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> None:
        self.name, self.key = name(text), key()
        self.above = above or self
        self.certificate = self.above.issue(self, serial=serial, extensions=extensions)

    def issue(
        self,
        other: Authority | None,
        *,
        serial: int,
        points: Sequence[x509.DistributionPoint] = (),
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        subject: x509.Name | None = None,
        ca: bool = True,
    ) -> Certificate:
        """Return a certificate for another authority, or for an end entity."""
        builder = (
            x509.CertificateBuilder()
            .issuer_name(self.name)
            .subject_name(subject or (other.name if other else name("leaf")))
            .public_key(other.key.public_key() if other else key().public_key())
            .serial_number(serial)
            .not_valid_before(LONG.start)
            .not_valid_after(LONG.end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if points:
            builder = builder.add_extension(x509.CRLDistributionPoints(points), critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return parse_certificate(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER))

    def crl(  # one argument for each extension a test sets
        self,
        *entries: tuple[int, x509.ReasonFlags] | tuple[int, x509.ReasonFlags, x509.Name],
        number: int = 1,
        base: int | None = None,
        point: x509.IssuingDistributionPoint | None = None,
        at: datetime = NOW - timedelta(days=1),
        unknown_in_entry: bool = False,
    ) -> bytes:
        """Return a CRL (DER) of the kind that the arguments make it."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(at)
            .next_update(at + timedelta(days=7))
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        if base is not None:
            builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
        if point is not None:
            builder = builder.add_extension(point, critical=True)
        for serial, reason, *issuer in entries:
            entry = x509.RevokedCertificateBuilder(serial, NOW - timedelta(days=2))
            if reason is not x509.ReasonFlags.unspecified:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            for one in issuer:
                stated = x509.CertificateIssuer([x509.DirectoryName(one)])
                entry = entry.add_extension(stated, critical=True)
            if unknown_in_entry:
                odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
                entry = entry.add_extension(odd, critical=True)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)
