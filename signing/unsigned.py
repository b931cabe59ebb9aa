"""The unsigned properties of our XAdES shape: time-stamps, validation data, archive time-stamps.

Each property is written as its own exclusive canonical form, so what an archive time-stamp covers
is a slice of the file. The order is fixed; any other byte is refused.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signing.errors import SignatureMalformed

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
XADES_141: Final = "http://uri.etsi.org/01903/v1.4.1#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
MAX_VALUES: Final = 256

_METHOD: Final = (
    f'<ds:CanonicalizationMethod xmlns:ds="{DS}" Algorithm="{EXCLUSIVE}">'
    "</ds:CanonicalizationMethod>"
)
_OPEN: Final = "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
_CLOSE: Final = "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
_STAMP_OPEN: Final = (
    f'<xades:SignatureTimeStamp xmlns:xades="{XADES}">{_METHOD}<xades:EncapsulatedTimeStamp>'
)
_STAMP_CLOSE: Final = "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
_ARCHIVE_OPEN: Final = (
    f'<xadesv141:ArchiveTimeStamp xmlns:xadesv141="{XADES_141}">{_METHOD}'
    f'<xades:EncapsulatedTimeStamp xmlns:xades="{XADES}">'
)
_ARCHIVE_CLOSE: Final = "</xades:EncapsulatedTimeStamp></xadesv141:ArchiveTimeStamp>"
_VALIDATION_OPEN: Final = f'<xadesv141:TimeStampValidationData xmlns:xadesv141="{XADES_141}">'
_VALIDATION_CLOSE: Final = "</xadesv141:TimeStampValidationData>"
_CERTIFICATES_OPEN: Final = f'<xades:CertificateValues xmlns:xades="{XADES}">'
_CERTIFICATES_CLOSE: Final = "</xades:CertificateValues>"
_REVOCATIONS_OPEN: Final = f'<xades:RevocationValues xmlns:xades="{XADES}">'
_REVOCATIONS_CLOSE: Final = "</xades:RevocationValues>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """Certificates and revocation data, DER each."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveStamp:
    """One archive time-stamp: its token, and how many octets of the properties it covers."""

    token: bytes
    covered: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsigned:
    """The unsigned properties of one signature."""

    text: bytes = b""  # the properties one after the other, without what is around them
    stamp: bytes | None = None  # token of the signature time-stamp
    values: Values | None = None  # all validation data together; None below level B-LT
    archives: tuple[ArchiveStamp, ...] = ()  # oldest first


NONE: Final = Unsigned()


def encoded(octets: bytes) -> str:
    """Return base64 without line ends."""
    return binascii.b2a_base64(octets, newline=False).decode()


def decoded(text: bytes) -> bytes:
    """Decode canonical base64: the text must be what encoding gives back (row 22)."""
    try:
        octets = binascii.a2b_base64(text)  # lenient, and therefore compared below
    except binascii.Error as exc:
        raise SignatureMalformed("expected base64, got something else", reason="base64") from exc
    if binascii.b2a_base64(octets, newline=False) != text:
        raise SignatureMalformed("expected canonical base64", reason="base64")
    return octets


def wrap(properties: str) -> str:
    """Return what stands in QualifyingProperties behind the signed ones, for any properties."""
    return _OPEN + properties + _CLOSE if properties else ""


def stamp_text(token: bytes) -> str:
    """Return a SignatureTimeStamp property."""
    return _STAMP_OPEN + encoded(token) + _STAMP_CLOSE


def archive_text(token: bytes) -> str:
    """Return an ArchiveTimeStamp property (namespace v1.4.1)."""
    return _ARCHIVE_OPEN + encoded(token) + _ARCHIVE_CLOSE


def values_text(values: Values) -> str:
    """Return CertificateValues and RevocationValues."""
    certificates = _each("EncapsulatedX509Certificate", values.certificates)
    crls = _each("EncapsulatedCRLValue", values.crls)
    ocsps = _each("EncapsulatedOCSPValue", values.ocsps)
    return "".join(
        (
            _CERTIFICATES_OPEN,
            certificates,
            _CERTIFICATES_CLOSE,
            _REVOCATIONS_OPEN,
            crls and f"<xades:CRLValues>{crls}</xades:CRLValues>",
            ocsps and f"<xades:OCSPValues>{ocsps}</xades:OCSPValues>",
            _REVOCATIONS_CLOSE,
        )
    )


def validation_text(values: Values) -> str:
    """Return TimeStampValidationData for the archive time-stamp before it."""
    return _VALIDATION_OPEN + values_text(values) + _VALIDATION_CLOSE


def _each(name: str, contents: Sequence[bytes]) -> str:
    return "".join(f"<xades:{name}>{encoded(one)}</xades:{name}>" for one in contents)


_B64: Final = "[A-Za-z0-9+/]+={0,2}"


def _list_pattern(name: str) -> str:
    return f"(?:<xades:{name}>{_B64}</xades:{name}>)"


_VALUES: Final = (
    re.escape(_CERTIFICATES_OPEN)
    + f"(?P<certificates>{_list_pattern('EncapsulatedX509Certificate')}*)"
    + re.escape(_CERTIFICATES_CLOSE + _REVOCATIONS_OPEN)
    + f"(?:<xades:CRLValues>(?P<crls>{_list_pattern('EncapsulatedCRLValue')}+)</xades:CRLValues>)?"
    + f"(?:<xades:OCSPValues>(?P<ocsps>{_list_pattern('EncapsulatedOCSPValue')}+)"
    + "</xades:OCSPValues>)?"
    + re.escape(_REVOCATIONS_CLOSE)
)
_STAMP_PATTERN: Final = re.compile(
    (re.escape(_STAMP_OPEN) + f"({_B64})" + re.escape(_STAMP_CLOSE)).encode()
)
_ARCHIVE_PATTERN: Final = re.compile(
    (re.escape(_ARCHIVE_OPEN) + f"({_B64})" + re.escape(_ARCHIVE_CLOSE)).encode()
)
_VALUES_PATTERN: Final = re.compile(_VALUES.encode())
_VALIDATION_PATTERN: Final = re.compile(
    (re.escape(_VALIDATION_OPEN) + _VALUES + re.escape(_VALIDATION_CLOSE)).encode()
)
_VALUE_PATTERN: Final = re.compile(f"<xades:[A-Za-z0-9]+>({_B64})</".encode())


def read(content: bytes) -> Unsigned:
    """Return the properties of what stands behind the signed ones; `SignatureMalformed` else.

    The order is: signature time-stamp, values, archive time-stamp, then pairs of validation data
    and archive time-stamp.
    """
    if not content:
        return NONE
    opening, closing = _OPEN.encode(), _CLOSE.encode()
    if not (content.startswith(opening) and content.endswith(closing)):
        raise SignatureMalformed("expected unsigned properties of our profile", reason="shape")
    text = content[len(opening) : -len(closing)]
    stamp = _matched(_STAMP_PATTERN, text, 0)
    if stamp.end() == len(text):
        return Unsigned(text=text, stamp=decoded(stamp.group(1)))
    first = _matched(_VALUES_PATTERN, text, stamp.end())
    found = [_values_of(first)]
    archives: list[ArchiveStamp] = []
    position = first.end()
    while position < len(text):
        if archives:
            further = _matched(_VALIDATION_PATTERN, text, position)
            found.append(_values_of(further))
            position = further.end()
        archive = _matched(_ARCHIVE_PATTERN, text, position)
        archives.append(ArchiveStamp(token=decoded(archive.group(1)), covered=position))
        position = archive.end()
    values = Values(
        certificates=tuple(one for values in found for one in values.certificates),
        crls=tuple(one for values in found for one in values.crls),
        ocsps=tuple(one for values in found for one in values.ocsps),
    )
    return Unsigned(
        text=text, stamp=decoded(stamp.group(1)), values=values, archives=tuple(archives)
    )


def _matched(pattern: re.Pattern[bytes], text: bytes, position: int) -> re.Match[bytes]:
    match = pattern.match(text, position)
    if match is None:
        raise SignatureMalformed("expected unsigned properties of our profile", reason="shape")
    return match


def _values_of(match: re.Match[bytes]) -> Values:
    lists = [
        tuple(decoded(one) for one in _VALUE_PATTERN.findall(match[name] or b""))
        for name in ("certificates", "crls", "ocsps")
    ]
    if sum(map(len, lists)) > MAX_VALUES:
        raise SignatureMalformed(f"expected at most {MAX_VALUES} values", reason="values")
    return Values(certificates=lists[0], crls=lists[1], ocsps=lists[2])
