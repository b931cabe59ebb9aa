"""Our XAdES shape: written as canonical text, read by the same literals turned into one pattern.

What is written is byte for byte its own exclusive canonical form, so signing makes no
canonicalisation call; and because the reader accepts nothing but that one spelling, the octets
that were signed are slices of the file (signing.md §3.2).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from signing import unsigned
from signing.algorithms import SHA256_URI, SignatureAlgorithm
from signing.errors import SignatureMalformed
from signing.keys import Signer
from signing.timestamp import stamped
from signing.tsa import Timestamper
from signing.unsigned import DS, EXCLUSIVE, XADES, Unsigned, decoded, encoded

ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"

# This Id is signed (it is an attribute of SignedProperties and part of SignedInfo), so nobody can
# take the mark of our profile off a signature, and whoever carries it is held to the profile.
PROFILE: Final = "lienthong-1"
PROFILE_MARK: Final = f'"#{PROFILE}"'.encode()
MAX_SIGNATURE_BYTES: Final = 8 * 1024 * 1024
MAX_REFERENCES: Final = 10_000


class SignatureRole(Enum):
    """In what role somebody signs; the value is the ClaimedRole."""

    APPROVED = "approved"
    AUTHORED = "authored"
    CONTRIBUTED = "contributed"
    SEALED = "sealed"
    RECEIVED = "received"
    PUBLISHED = "published"


# The commitment of a role (EN 319 132-1 §5.2.3; identifiers of TS 101 733).
COMMITMENTS: Final = {
    SignatureRole.APPROVED: "ProofOfApproval",
    SignatureRole.AUTHORED: "ProofOfCreation",
    SignatureRole.CONTRIBUTED: "ProofOfCreation",
    SignatureRole.SEALED: "ProofOfOrigin",
    SignatureRole.RECEIVED: "ProofOfReceipt",
    SignatureRole.PUBLISHED: "ProofOfOrigin",
}
_COMMITMENT_ARC: Final = "http://uri.etsi.org/01903/v1.2.2#"


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class Reference(NamedTuple):
    """One signed thing: a percent-encoded file name, or "" for the enclosing document."""

    uri: str
    media_type: str
    sha256: bytes


# A named tuple, as one is made per signature: it costs a third of a frozen dataclass.
class OwnSignature(NamedTuple):
    """A signature in our shape; the digests and the signature value are still to be checked."""

    signed_info: bytes  # canonical: what the signature value covers
    algorithm: str  # URI
    references: tuple[Reference, ...]
    properties: bytes  # canonical SignedProperties
    properties_sha256: bytes  # as SignedInfo states it
    value_element: bytes  # canonical SignatureValue element: what a signature time-stamp covers
    signature: bytes
    certificate: bytes  # DER
    certificate_sha256: bytes  # as SignedProperties states it
    claimed_time: datetime
    role: SignatureRole
    key_element: bytes  # canonical KeyInfo
    unsigned: Unsigned

    def archived(self, covered: int) -> bytes:
        """Return what an archive time-stamp covers behind the signed data (EN 319 132-1 §5.5.2)."""
        return b"".join(
            (
                self.properties,
                self.signed_info,
                self.value_element,
                self.key_element,
                self.unsigned.text[:covered],
            )
        )


_DIGEST_METHOD: Final = f'<ds:DigestMethod Algorithm="{SHA256_URI}"></ds:DigestMethod>'
_EXCLUSIVE_TRANSFORM: Final = f'<ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform>'
_ENVELOPED_TRANSFORMS: Final = (
    f'<ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
    f"{_EXCLUSIVE_TRANSFORM}</ds:Transforms>"
)
_CANONICALIZATION: Final = (
    f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
)
_INFO_OPEN: Final = (
    f'<ds:SignedInfo xmlns:ds="{DS}">{_CANONICALIZATION}<ds:SignatureMethod Algorithm="'
)
_METHOD_CLOSE: Final = '"></ds:SignatureMethod>'
_PROPERTIES_REFERENCE: Final = (
    f'<ds:Reference Type="{SIGNED_PROPERTIES}" URI="#{PROFILE}"><ds:Transforms>'
    f"{_EXCLUSIVE_TRANSFORM}</ds:Transforms>{_DIGEST_METHOD}<ds:DigestValue>"
)
_DIGEST_CLOSE: Final = "</ds:DigestValue></ds:Reference>"
_INFO_CLOSE: Final = "</ds:SignedInfo>"

_PROPERTIES_OPEN: Final = (
    f'<xades:SignedProperties xmlns:xades="{XADES}" Id="{PROFILE}">'
    "<xades:SignedSignatureProperties><xades:SigningTime>"
)
_TIME_TO_CERTIFICATE: Final = (
    "</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
    f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{SHA256_URI}"></ds:DigestMethod>'
    f'<ds:DigestValue xmlns:ds="{DS}">'
)
_CERTIFICATE_TO_ROLE: Final = (
    "</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
    "<xades:SignerRoleV2><xades:ClaimedRoles><xades:ClaimedRole>"
)
_ROLE_TO_FORMATS: Final = (
    "</xades:ClaimedRole></xades:ClaimedRoles></xades:SignerRoleV2>"
    "</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>"
)
_FORMATS_TO_COMMITMENT: Final = (
    "<xades:CommitmentTypeIndication><xades:CommitmentTypeId><xades:Identifier>"
)
_PROPERTIES_CLOSE: Final = (
    "</xades:Identifier></xades:CommitmentTypeId><xades:AllSignedDataObjects>"
    "</xades:AllSignedDataObjects></xades:CommitmentTypeIndication>"
    "</xades:SignedDataObjectProperties></xades:SignedProperties>"
)

SIGNATURE_OPEN: Final = f'<ds:Signature xmlns:ds="{DS}" Id="{PROFILE}-signature">'
SIGNATURE_CLOSE: Final = "</ds:Object></ds:Signature>"
_VALUE_OPEN: Final = f'<ds:SignatureValue xmlns:ds="{DS}" Id="{PROFILE}-value">'
_VALUE_CLOSE: Final = "</ds:SignatureValue>"
_KEY_OPEN: Final = f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>'
_KEY_CLOSE: Final = "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
_KEY_TO_PROPERTIES: Final = (
    f'<ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#{PROFILE}-signature">'
)
_QUALIFYING_CLOSE: Final = "</xades:QualifyingProperties>"


class Prepared(NamedTuple):
    """A signature but for its value: what is to be signed, and what goes around it."""

    certificate: bytes  # DER
    algorithm: SignatureAlgorithm
    signed_info: bytes  # canonical: sign exactly these octets
    properties: bytes  # canonical SignedProperties


def prepare_signature(
    references: Sequence[Reference],
    *,
    certificate: bytes,
    algorithm: SignatureAlgorithm,
    at: datetime,
    role: SignatureRole,
) -> Prepared:
    """Return what `certificate`'s key is to sign."""
    properties = _properties_text(references, certificate=certificate, at=at, role=role)
    return Prepared(
        certificate=certificate,
        algorithm=algorithm,
        signed_info=_info_text(references, algorithm.value, properties).encode(),
        properties=properties.encode(),
    )


def finish_signature(
    prepared: Prepared, signature: bytes, *, timestamper: Timestamper | None
) -> bytes:
    """Return the ds:Signature with its value: level B-T, or B-B when there is no time-stamper."""
    value_element = _VALUE_OPEN + encoded(signature) + _VALUE_CLOSE
    stamp = ""
    if timestamper is not None:
        token = stamped(timestamper, hashlib.sha256(value_element.encode()).digest())
        stamp = unsigned.wrap(unsigned.stamp_text(token))
    return b"".join(
        (
            SIGNATURE_OPEN.encode(),
            prepared.signed_info,
            value_element.encode(),
            _told_of(prepared.certificate)[1],
            prepared.properties,
            (stamp + _QUALIFYING_CLOSE + SIGNATURE_CLOSE).encode(),
        )
    )


def write_signature(
    references: Sequence[Reference],
    *,
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
    role: SignatureRole,
) -> bytes:
    """Return one ds:Signature by a signer that answers at once; levels as `finish_signature`."""
    prepared = prepare_signature(
        references,
        certificate=signer.certificate,
        algorithm=signer.algorithm,
        at=at,
        role=role,
    )
    value = signer.sign(prepared.signed_info)
    return finish_signature(prepared, value, timestamper=timestamper)


@lru_cache(maxsize=256)  # one key signs many things
def _told_of(certificate: bytes) -> tuple[str, bytes]:
    """Return the certificate's digest as text, and KeyInfo up to the properties."""
    key_info = _KEY_OPEN + encoded(certificate) + _KEY_CLOSE + _KEY_TO_PROPERTIES
    return encoded(hashlib.sha256(certificate).digest()), key_info.encode()


def _properties_text(
    references: Sequence[Reference], *, certificate: bytes, at: datetime, role: SignatureRole
) -> str:
    formats = "".join(
        f'<xades:DataObjectFormat ObjectReference="#r{number}"><xades:MimeType>'
        f"{reference.media_type}</xades:MimeType></xades:DataObjectFormat>"
        for number, reference in enumerate(references)
    )
    return "".join(
        (
            _PROPERTIES_OPEN,
            at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z",
            _TIME_TO_CERTIFICATE,
            _told_of(certificate)[0],
            _CERTIFICATE_TO_ROLE,
            role.value,
            _ROLE_TO_FORMATS,
            formats,
            _FORMATS_TO_COMMITMENT,
            _COMMITMENT_ARC + COMMITMENTS[role],
            _PROPERTIES_CLOSE,
        )
    )


def _info_text(references: Sequence[Reference], algorithm: str, properties: str) -> str:
    parts = [_INFO_OPEN, algorithm, _METHOD_CLOSE]
    for number, reference in enumerate(references):
        transforms = "" if reference.uri else _ENVELOPED_TRANSFORMS
        parts.append(
            f'<ds:Reference Id="r{number}" URI="{reference.uri}">{transforms}{_DIGEST_METHOD}'
            f"<ds:DigestValue>{encoded(reference.sha256)}{_DIGEST_CLOSE}"
        )
    parts += (
        _PROPERTIES_REFERENCE,
        encoded(hashlib.sha256(properties.encode()).digest()),
        _DIGEST_CLOSE,
        _INFO_CLOSE,
    )
    return "".join(parts)


_B64: Final = "[A-Za-z0-9+/]+={0,2}"
_SHA256_B64: Final = "[A-Za-z0-9+/]{43}="
# Characters of a percent-encoded name and of a media type need no XML escape.
_URI_CHARACTERS: Final = "[A-Za-z0-9%/._~-]"
MEDIA_TYPE: Final = "[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+_-]{0,126}"

_REFERENCE: Final = (
    f'<ds:Reference Id="r(?P<number>[0-9]{{1,5}})" URI="(?P<uri>{_URI_CHARACTERS}*)">'
    f"(?P<transforms>(?:{re.escape(_ENVELOPED_TRANSFORMS)})?){re.escape(_DIGEST_METHOD)}"
    f"<ds:DigestValue>(?P<digest>{_SHA256_B64}){re.escape(_DIGEST_CLOSE)}"
)
_FORMAT: Final = (
    '<xades:DataObjectFormat ObjectReference="#r(?P<number>[0-9]{1,5})"><xades:MimeType>'
    f"(?P<media>{MEDIA_TYPE})</xades:MimeType></xades:DataObjectFormat>"
)


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<[a-z]+>", "?:", pattern)


_REFERENCE_PATTERN: Final = re.compile(_REFERENCE.encode())
_FORMAT_PATTERN: Final = re.compile(_FORMAT.encode())
_SIGNATURE_PATTERN: Final = re.compile(
    (
        re.escape(SIGNATURE_OPEN)
        + f"(?P<info>{re.escape(_INFO_OPEN)}(?P<algorithm>[A-Za-z0-9:/.#-]+)"
        + re.escape(_METHOD_CLOSE)
        + f"(?P<references>(?:{_unnamed(_REFERENCE)})+)"
        + re.escape(_PROPERTIES_REFERENCE)
        + f"(?P<pdigest>{_SHA256_B64})"
        + re.escape(_DIGEST_CLOSE + _INFO_CLOSE)
        + f")(?P<element>{re.escape(_VALUE_OPEN)}(?P<value>{_B64}){re.escape(_VALUE_CLOSE)})"
        + f"(?P<key>{re.escape(_KEY_OPEN)}(?P<certificate>{_B64}){re.escape(_KEY_CLOSE)})"
        + re.escape(_KEY_TO_PROPERTIES)
        + f"(?P<properties>{re.escape(_PROPERTIES_OPEN)}"
        + "(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"
        + re.escape(_TIME_TO_CERTIFICATE)
        + f"(?P<cdigest>{_SHA256_B64})"
        + re.escape(_CERTIFICATE_TO_ROLE)
        + "(?P<role>[a-z]+)"
        + re.escape(_ROLE_TO_FORMATS)
        + f"(?P<formats>(?:{_unnamed(_FORMAT)})+)"
        + re.escape(_FORMATS_TO_COMMITMENT + _COMMITMENT_ARC)
        + "(?P<commitment>[A-Za-z]+)"
        + re.escape(_PROPERTIES_CLOSE)
        + ")"
        + "(?P<unsigned>(?:<xades:UnsignedProperties>.*)?)"
        + re.escape(_QUALIFYING_CLOSE + SIGNATURE_CLOSE)
    ).encode()
)


def read_signature(content: bytes) -> OwnSignature:
    """Return the parts of a ds:Signature in our shape; `SignatureMalformed` for any other byte."""
    if len(content) > MAX_SIGNATURE_BYTES:
        raise SignatureMalformed(
            f"expected at most {MAX_SIGNATURE_BYTES} bytes, got more", reason="size"
        )
    match = _SIGNATURE_PATTERN.fullmatch(content)
    if match is None:
        raise SignatureMalformed("expected a signature of our profile", reason="shape")
    found = match.groupdict()
    role = _role_of(found["role"], found["commitment"])
    return OwnSignature(
        signed_info=found["info"],
        algorithm=found["algorithm"].decode(),
        references=_references_of(found["references"], found["formats"]),
        properties=found["properties"],
        properties_sha256=decoded(found["pdigest"]),
        value_element=found["element"],
        signature=decoded(found["value"]),
        certificate=decoded(found["certificate"]),
        certificate_sha256=decoded(found["cdigest"]),
        claimed_time=_time_of(found["time"]),
        role=role,
        key_element=found["key"],
        unsigned=unsigned.read(found["unsigned"]),
    )


def with_unsigned(content: bytes, properties: str) -> bytes:
    """Return a ds:Signature of our shape with `properties` as its only unsigned ones."""
    match = _SIGNATURE_PATTERN.fullmatch(content)
    if match is None:
        raise SignatureMalformed("expected a signature of our profile", reason="shape")
    start, end = match.span("unsigned")
    return content[:start] + unsigned.wrap(properties).encode() + content[end:]


def _time_of(text: bytes) -> datetime:
    try:
        return datetime.fromisoformat(text.decode())
    except ValueError as exc:
        raise SignatureMalformed("expected an existing instant", reason="time") from exc


_ROLES: Final = {
    (role.value.encode(), commitment.encode()): role for role, commitment in COMMITMENTS.items()
}


def _role_of(role: bytes, commitment: bytes) -> SignatureRole:
    try:
        return _ROLES[role, commitment]
    except KeyError as exc:
        raise SignatureMalformed("expected a known role and its commitment", reason="role") from exc


def _references_of(references: bytes, formats: bytes) -> tuple[Reference, ...]:
    found = _REFERENCE_PATTERN.findall(references)
    media = _FORMAT_PATTERN.findall(formats)
    if len(found) != len(media) or len(found) > MAX_REFERENCES:
        raise SignatureMalformed("expected one media type per reference", reason="references")
    result: dict[str, Reference] = {}
    for number, (one, (label, kind)) in enumerate(zip(found, media, strict=True)):
        stated, address, transforms, digest = one
        expected = b"%d" % number
        if stated != expected or label != expected or bool(transforms) == bool(address):
            raise SignatureMalformed("expected references in order", reason="references")
        uri = address.decode()
        result[uri] = Reference(uri=uri, media_type=kind.decode(), sha256=decoded(digest))
    if len(result) != len(found):
        raise SignatureMalformed("expected each file once", reason="references")
    return tuple(result.values())
