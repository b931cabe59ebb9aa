"""Where a certificate says that its revocation can be asked for: addresses only, nothing is called.

RFC 5280 §4.2.1.13 (CRL distribution points), §4.2.1.15 (freshest CRL), §4.2.2.1 (OCSP).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from signing.crllist import parse_list
from signing.errors import CertificateRefused, RevocationRefused

_MOST_ADDRESSES = 16
_PEM_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """The http addresses that a certificate names, in its order."""

    lists: tuple[str, ...]  # of CRLs, deltas last
    responders: tuple[str, ...]  # of OCSP


def sources_of(certificate: bytes) -> Sources:
    """Return where to ask about a certificate (DER); raise `CertificateRefused`."""
    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise CertificateRefused("expected an X.509 certificate in DER") from exc
    points: list[str] = []
    responders: list[str] = []
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.CRLDistributionPoints | x509.FreshestCRL):
            points += _of_points(value)
        elif isinstance(value, x509.AuthorityInformationAccess):
            responders += _addresses(
                one.access_location
                for one in value
                if one.access_method == AuthorityInformationAccessOID.OCSP
            )
    return Sources(
        lists=tuple(dict.fromkeys(points))[:_MOST_ADDRESSES],
        responders=tuple(dict.fromkeys(responders))[:_MOST_ADDRESSES],
    )


def is_list(content: bytes) -> bool:
    """Tell whether bytes are a CRL that can be used; its signature is judged where it counts."""
    try:
        parse_list(content)
    except RevocationRefused:
        return False
    return True


def lists_in(content: bytes) -> tuple[bytes, ...]:
    """Return the CRLs of a PEM file as DER; other bytes as they are, whatever they may be."""
    try:
        loaded = [x509.load_pem_x509_crl(one) for one in _PEM_LIST.findall(content)]
    except ValueError:
        return (content,)
    return tuple(one.public_bytes(Encoding.DER) for one in loaded) or (content,)


def is_response(content: bytes) -> bool:
    """Tell whether bytes are an OCSP response (DER) that states something."""
    try:
        status = ocsp.load_der_ocsp_response(content).response_status
    except ValueError:
        return False
    return status is ocsp.OCSPResponseStatus.SUCCESSFUL


def _of_points(points: Iterable[x509.DistributionPoint]) -> Iterator[str]:
    for point in points:
        yield from _addresses(point.full_name or ())


def _addresses(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.lower().startswith(
            ("http://", "https://")
        ):
            yield name.value
