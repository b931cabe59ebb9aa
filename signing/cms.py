"""CMS SignedData (RFC 5652) read into its parts; nothing in it is proved yet.

BER is brought into DER first. Every octet is either in a part that a caller checks or refused;
attributes that come twice, and signers or values without end, are refused too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from signing import der
from signing.ber import to_der
from signing.errors import DerRefused, SignatureMalformed
from signing.tsa import CT_SIGNED_DATA
from signing.unsigned import MAX_VALUES, Values

MAX_SIGNERS: Final = 64
MAX_ATTRIBUTES: Final = 128

_ARMOUR: Final = re.compile(
    rb"\s*-----BEGIN (PKCS7|CMS)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*"
)
_ARMOUR_OPEN: Final = re.compile(rb"\s*-----BEGIN (?:PKCS7|CMS)-----")
_OTHER_REVOCATION: Final = 0xA1
# The one signed attribute that may come more than once (EN 319 122-1 §5.2.8).
_AT_CONTENT_STAMP: Final = der.oid("1.2.840.113549.1.9.16.2.20")
_OCSP_BASIC: Final = der.oid("1.3.6.1.5.5.7.48.1.1")
_OCSP_RESPONSE: Final = der.oid("1.3.6.1.5.5.7.16.2")
_ENUMERATED: Final = 0x0A


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """One unsigned attribute."""

    kind: bytes  # OID, DER
    values: tuple[bytes, ...]  # DER each
    whole: bytes  # DER


@dataclass(frozen=True, kw_only=True, slots=True)
class CmsSigner:
    """One signature of a SignedData: a SignerInfo."""

    fields: tuple[bytes, ...]  # version to signature, DER each, as they stand
    issuer: bytes  # Name, DER; empty when the signer is named by a key identifier
    serial: int
    key_identifier: bytes | None
    digest: bytes  # AlgorithmIdentifier, DER
    attributes: bytes  # signed ones with the SET tag; empty when there are none
    signed: Mapping[bytes, tuple[bytes, ...]]  # values (DER each) of the signed ones, by type
    algorithm: bytes  # AlgorithmIdentifier, DER
    signature: bytes
    unsigned: tuple[Attribute, ...]  # in their order

    def value(self, kind: bytes) -> bytes | None:
        """Return the only value of a signed attribute, DER; None without the attribute."""
        values = self.signed.get(kind)
        if values is None:
            return None
        if len(values) != 1:
            raise SignatureMalformed("expected one value of an attribute", reason="attributes")
        return values[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedData:
    """What stands around the signatures."""

    content_type: bytes  # OID, DER
    content: bytes | None  # None when it is detached
    certificates: tuple[bytes, ...]  # CertificateChoices, DER each, in their order
    revocations: tuple[bytes, ...]  # RevocationInfoChoice, DER each, in their order
    signers: tuple[CmsSigner, ...]

    @property
    def values(self) -> Values:
        """Return the X.509 certificates, CRLs and OCSP responses among them."""
        others = [one for one in self.revocations if one[0] == _OTHER_REVOCATION]
        return Values(
            certificates=tuple(one for one in self.certificates if one[0] == der.SEQUENCE),
            crls=tuple(one for one in self.revocations if one[0] == der.SEQUENCE),
            ocsps=tuple(found for one in others if (found := _ocsp_of(one)) is not None),
        )


def is_cms(content: bytes) -> bool:
    """Return whether the bytes claim to be a SignedData, in DER, BER or PEM."""
    if _ARMOUR_OPEN.match(content):
        return True
    return content[:1] == b"\x30" and CT_SIGNED_DATA in content[:24]


def parse_cms(content: bytes) -> SignedData:
    """Return the parts of a ContentInfo with SignedData; raise `SignatureMalformed`."""
    try:
        return _parse(to_der(_disarmoured(content)))
    except DerRefused as exc:
        raise SignatureMalformed(f"expected CMS SignedData: {exc}", reason="cms") from exc


def parse_signer(content: bytes) -> CmsSigner:
    """Return a SignerInfo that stands alone, as counter signatures do."""
    try:
        outer = der.Cursor(content)
        signer = _signer(outer.enter(der.SEQUENCE))
        outer.finish()
    except DerRefused as exc:
        raise SignatureMalformed(f"expected a SignerInfo: {exc}", reason="cms") from exc
    return signer


def _disarmoured(content: bytes) -> bytes:
    armour = _ARMOUR.fullmatch(content)
    if armour is None:
        return content
    try:
        return base64.b64decode(b"".join(armour.group(2).split()), validate=True)
    except binascii.Error as exc:
        raise SignatureMalformed("expected base64 in the PEM", reason="base64") from exc


def _parse(content: bytes) -> SignedData:
    outer = der.Cursor(content)
    info = outer.enter(der.SEQUENCE)
    outer.finish()
    if info.take_whole(der.OID) != CT_SIGNED_DATA:
        raise DerRefused("expected signedData, got another content type")
    wrapped = info.enter(0xA0)
    info.finish()
    data = wrapped.enter(der.SEQUENCE)
    wrapped.finish()
    data.take_integer()  # the version follows from the rest (§5.1) and decides nothing
    data.take(der.SET)  # digest algorithms: each signer names its own
    encapsulated = data.enter(der.SEQUENCE)
    content_type = encapsulated.take_whole(der.OID)
    octets = _octets(encapsulated.enter(0xA0)) if encapsulated.next_tag() == 0xA0 else None
    encapsulated.finish()
    certificates = _choices(data.enter(0xA0)) if data.next_tag() == 0xA0 else ()
    revocations = _choices(data.enter(0xA1)) if data.next_tag() == 0xA1 else ()
    signers = data.enter(der.SET)
    data.finish()
    return SignedData(
        content_type=content_type,
        content=octets,
        certificates=certificates,
        revocations=revocations,
        signers=_signers(signers),
    )


def _octets(cursor: der.Cursor) -> bytes:
    octets = cursor.take(der.OCTET_STRING)
    cursor.finish()
    return octets


def _choices(cursor: der.Cursor) -> tuple[bytes, ...]:
    found: list[bytes] = []
    while (tag := cursor.next_tag()) is not None:
        found.append(cursor.take_whole(tag))
        if len(found) > MAX_VALUES:
            raise DerRefused(f"expected at most {MAX_VALUES} values, got more")
    return tuple(found)


def _signers(cursor: der.Cursor) -> tuple[CmsSigner, ...]:
    found: list[CmsSigner] = []
    while cursor.next_tag() is not None:
        found.append(_signer(cursor.enter(der.SEQUENCE)))
        if len(found) > MAX_SIGNERS:
            raise DerRefused(f"expected at most {MAX_SIGNERS} signers, got more")
    return tuple(found)


def _signer(cursor: der.Cursor) -> CmsSigner:
    fields = [cursor.take_whole(der.INTEGER)]
    issuer, serial, key_identifier = b"", 0, None
    if cursor.next_tag() == der.SEQUENCE:
        fields.append(cursor.take_whole(der.SEQUENCE))
        issuer, serial = _issuer_and_serial(fields[-1])
    else:
        fields.append(cursor.take_whole(0x80))
        key_identifier = der.Cursor(fields[-1]).take(0x80)
    digest = cursor.take_whole(der.SEQUENCE)
    fields.append(digest)
    attributes = b""
    if cursor.next_tag() == 0xA0:
        fields.append(cursor.take_whole(0xA0))
        # Signed with the SET tag, stored with the implicit [0] (§5.4).
        attributes = bytes((der.SET,)) + fields[-1][1:]
    algorithm = cursor.take_whole(der.SEQUENCE)
    signature = cursor.take_whole(der.OCTET_STRING)
    fields += [algorithm, signature]
    unsigned = _attributes(cursor.enter(0xA1)) if cursor.next_tag() == 0xA1 else ()
    cursor.finish()
    return CmsSigner(
        fields=tuple(fields),
        issuer=issuer,
        serial=serial,
        key_identifier=key_identifier,
        digest=digest,
        attributes=attributes,
        signed=_signed(attributes),
        algorithm=algorithm,
        signature=der.Cursor(signature).take(der.OCTET_STRING),
        unsigned=unsigned,
    )


def _issuer_and_serial(content: bytes) -> tuple[bytes, int]:
    identity = der.Cursor(content).enter(der.SEQUENCE)
    issuer = identity.take_whole(der.SEQUENCE)
    serial = identity.take(der.INTEGER)
    identity.finish()
    return issuer, int.from_bytes(serial, "big", signed=True)


def _signed(attributes: bytes) -> dict[bytes, tuple[bytes, ...]]:
    found: dict[bytes, tuple[bytes, ...]] = {}
    for one in _attributes(der.Cursor(attributes).enter(der.SET)) if attributes else ():
        if one.kind in found and one.kind != _AT_CONTENT_STAMP:
            raise DerRefused("expected each signed attribute once, got one twice")
        found[one.kind] = (*found.get(one.kind, ()), *one.values)
    return found


def _attributes(cursor: der.Cursor) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    while cursor.next_tag() is not None:
        whole = cursor.take_whole(der.SEQUENCE)
        inner = der.Cursor(whole).enter(der.SEQUENCE)
        kind = inner.take_whole(der.OID)
        values = inner.enter(der.SET)
        inner.finish()
        found.append(Attribute(kind=kind, values=_choices(values), whole=whole))
        if len(found) > MAX_ATTRIBUTES:
            raise DerRefused(f"expected at most {MAX_ATTRIBUTES} attributes, got more")
    return tuple(found)


def _ocsp_of(choice: bytes) -> bytes | None:
    """Return the OCSP response of an OtherRevocationInfoFormat (RFC 5940), None for another."""
    try:
        other = der.Cursor(choice).enter(_OTHER_REVOCATION)
        kind = other.take_whole(der.OID)
        response = other.take_whole(der.SEQUENCE)
        other.finish()
    except DerRefused:
        return None
    if kind == _OCSP_RESPONSE:
        return response
    return whole_response(response) if kind == _OCSP_BASIC else None


def whole_response(basic: bytes) -> bytes:
    """Return the OCSPResponse around a BasicOCSPResponse (RFC 6960 §4.2.1)."""
    body = der.sequence(_OCSP_BASIC, der.tlv(der.OCTET_STRING, basic))
    return der.sequence(der.tlv(_ENUMERATED, b"\x00"), der.tlv(0xA0, body))


def parse_time(value: bytes) -> datetime | None:
    """Return the instant of a Time (UTCTime or GeneralizedTime, DER); None when it is none."""
    cursor = der.Cursor(value)
    try:
        if cursor.next_tag() == der.GENERALIZED_TIME:
            return cursor.take_time()
        text = cursor.take(der.UTC_TIME).decode("ascii")
        moment = datetime.strptime(text, "%y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except (DerRefused, ValueError):
        return None
    # RFC 5280 §4.1.2.5.1: two digits from 50 on are of the last century.
    year = int(text[:2]) + (1900 if int(text[:2]) >= 50 else 2000)
    return moment.replace(year=year)
