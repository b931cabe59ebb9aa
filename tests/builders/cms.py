"""CMS as other tools make it: signed by openssl, raised to higher levels by hand, byte for byte."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from signing import der
from signing.algorithms import raw_to_der
from signing.cms import CmsSigner, SignedData, parse_cms
from signing.keys import load_signer
from signing.pki import Subject, certificates_pem, issue_leaf, new_key, public_key_of
from signing.purpose import Purpose
from signing.tsa import (
    AT_CONTENT_TYPE,
    AT_MESSAGE_DIGEST,
    AT_SIGNING_CERTIFICATE,
    AT_SIGNING_CERTIFICATE_V2,
    CMS_ALGORITHM,
    CT_SIGNED_DATA,
    Timestamper,
)
from tests.builders.signing import SHORT, pki

AT_SIGNATURE_STAMP = der.oid("1.2.840.113549.1.9.16.2.14")
AT_ARCHIVE_V3 = der.oid("0.4.0.1733.2.4")
AT_INDEX_V3 = der.oid("0.4.0.19122.1.5")
AT_CERTIFICATE_VALUES = der.oid("1.2.840.113549.1.9.16.2.23")
AT_REVOCATION_VALUES = der.oid("1.2.840.113549.1.9.16.2.24")
AT_COUNTER_SIGNATURE = der.oid("1.2.840.113549.1.9.6")
SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
CONTENT = "Quyết định số 1".encode()


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A person with a key that openssl can read."""

    key: bytes  # PKCS#8 PEM
    certificate: bytes  # DER


@cache
def holder(kind: str) -> Holder:
    """Return a signer of this test run with an `ec` or `rsa` key."""
    key = new_key() if kind == "ec" else _rsa_key()
    certificate = issue_leaf(
        pki().issuing,
        public_key=public_key_of(key),
        purpose=Purpose.PERSON,
        subject=Subject(common_name=f"Người ký CMS {kind}"),
        validity=SHORT,
        serial=720 if kind == "ec" else 721,
    )
    return Holder(key=key, certificate=certificate)


def _rsa_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def openssl_cms(
    folder: Path, *options: str, content: bytes = CONTENT, kinds: Sequence[str] = ("ec",)
) -> bytes:
    """Return what `openssl cms -sign -binary` makes of the content, DER unless told otherwise."""
    (folder / "content").write_bytes(content)
    (folder / "ca.pem").write_bytes(certificates_pem(pki().issuing.certificate))
    signers: list[str] = []
    for kind in kinds:
        (folder / f"{kind}.key").write_bytes(holder(kind).key)
        (folder / f"{kind}.pem").write_bytes(certificates_pem(holder(kind).certificate))
        signers += ["-signer", f"{kind}.pem", "-inkey", f"{kind}.key"]
    form = () if "-outform" in options else ("-outform", "DER")
    result = subprocess.run(
        [
            "openssl", "cms", "-sign", "-binary", "-in", "content", "-out", "signed",
            *signers, "-certfile", "ca.pem", *form, *options,
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return (folder / "signed").read_bytes()


def attribute(kind: bytes, *values: bytes) -> bytes:
    """Return an attribute."""
    return der.sequence(kind, der.set_of(*values))


def rebuilt(
    data: SignedData,
    *,
    unsigned: Sequence[bytes] | None = None,
    revocations: Sequence[bytes] | None = None,
    certificates: Sequence[bytes] | None = None,
    fields: Callable[[tuple[bytes, ...]], Sequence[bytes]] = tuple,
) -> bytes:
    """Return the SignedData of one signer with other parts, all else as it was."""
    signer = data.signers[0]
    more = [one.whole for one in signer.unsigned] if unsigned is None else unsigned
    info = der.sequence(*fields(signer.fields), der.tlv(0xA1, b"".join(more)) if more else b"")
    content = der.tlv(0xA0, der.tlv(der.OCTET_STRING, data.content or b""))
    known = data.certificates if certificates is None else certificates
    lists = data.revocations if revocations is None else revocations
    body = der.sequence(
        der.integer(5),
        der.set_of(signer.digest),
        der.sequence(data.content_type, b"" if data.content is None else content),
        der.tlv(0xA0, b"".join(known)),
        der.tlv(0xA1, b"".join(lists)) if lists else b"",
        der.tlv(der.SET, info),
    )
    return der.sequence(CT_SIGNED_DATA, der.tlv(0xA0, body))


def signer_info(octets: bytes, *, content_type: bytes | None, older: bool = False) -> bytes:
    """Return a SignerInfo over octets, made by hand with the EC key.

    `older` binds the certificate by signing-certificate v1, that is by SHA-1.
    """
    signer = load_signer(holder("ec").key, certificates=certificates_pem(holder("ec").certificate))
    certificate = x509.load_der_x509_certificate(signer.certificate)
    digest = der.tlv(der.OCTET_STRING, hashlib.sha256(octets).digest())
    hashed = hashlib.new("sha1" if older else "sha256", signer.certificate).digest()
    bound = der.sequence(der.sequence(der.sequence(der.tlv(der.OCTET_STRING, hashed))))
    attributes = [
        attribute(AT_MESSAGE_DIGEST, digest),
        attribute(AT_SIGNING_CERTIFICATE if older else AT_SIGNING_CERTIFICATE_V2, bound),
    ]
    attributes += [] if content_type is None else [attribute(AT_CONTENT_TYPE, content_type)]
    signed = der.set_of(*attributes)
    identity = der.sequence(
        certificate.issuer.public_bytes(), der.integer(certificate.serial_number)
    )
    return der.sequence(
        der.integer(1),
        identity,
        SHA256,
        b"\xa0" + signed[1:],
        CMS_ALGORITHM[signer.algorithm],
        der.tlv(der.OCTET_STRING, raw_to_der(signer.sign(signed))),
    )


def stamped(content: bytes, *, spoil: bool = False) -> bytes:
    """Return the CMS with a signature time-stamp: level B-T."""
    data = parse_cms(content)
    signer = data.signers[0]
    token = _token(signer.signature + b"x" * spoil)
    more = [one.whole for one in signer.unsigned]
    return rebuilt(data, unsigned=[*more, attribute(AT_SIGNATURE_STAMP, token)])


def long_term(content: bytes, *, inside: bool = True, at: datetime | None = None) -> bytes:
    """Return the CMS with revocation data: in SignedData, or in the older attributes."""
    data = parse_cms(content)
    crls = pki().crls() if at is None else pki().crls(at=at)
    if inside:
        return rebuilt(data, revocations=crls)
    more = [one.whole for one in data.signers[0].unsigned]
    values = der.sequence(der.tlv(0xA0, der.sequence(*crls)))
    certificates = der.sequence(pki().issuing.certificate)
    return rebuilt(
        data,
        unsigned=[
            *more,
            attribute(AT_CERTIFICATE_VALUES, certificates),
            attribute(AT_REVOCATION_VALUES, values),
        ],
    )


def archived(
    content: bytes,
    *,
    octets: bytes = CONTENT,
    leave_out: int = 0,
    timestamper: Timestamper | None = None,
) -> bytes:
    """Return the CMS with one more archive time-stamp v3: level B-LTA.

    `leave_out` attributes, from the first, are not named in its hash index.
    """
    data = parse_cms(content)
    signer = data.signers[0]
    index = _index(data, signer, leave_out)
    whole = data.content_type + hashlib.sha256(octets).digest() + b"".join(signer.fields) + index
    token = parse_cms(_token(whole, timestamper))
    indexed = rebuilt(token, unsigned=[attribute(AT_INDEX_V3, index)])
    more = [one.whole for one in signer.unsigned]
    return rebuilt(data, unsigned=[*more, attribute(AT_ARCHIVE_V3, indexed)])


def _index(data: SignedData, signer: CmsSigner, leave_out: int) -> bytes:
    def digests(parts: Sequence[bytes]) -> bytes:
        return der.sequence(
            *(der.tlv(der.OCTET_STRING, hashlib.sha256(one).digest()) for one in parts)
        )

    values = [one.kind + value for one in signer.unsigned for value in one.values]
    return der.sequence(
        SHA256, digests(data.certificates), digests(data.revocations), digests(values[leave_out:])
    )


def _token(octets: bytes, timestamper: Timestamper | None = None) -> bytes:
    return (timestamper or pki().timestamper()).stamp(hashlib.sha256(octets).digest())
