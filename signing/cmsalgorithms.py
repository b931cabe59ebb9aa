"""AlgorithmIdentifiers of CMS as the names of our one table; what is not listed stays unlisted.

Facts: RFC 5754, RFC 4056, RFC 5753. The weak ones have names only, for the verdict of row 13.
"""

from __future__ import annotations

from typing import Final

from signing import der
from signing.algorithms import DIGEST_BY_URI, SignatureAlgorithm
from signing.errors import DerRefused, SignatureMalformed
from signing.tsa import CMS_ALGORITHM, DIGEST_BY_IDENTIFIER

_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
SHA1_URI: Final = _DSIG + "sha1"
_URI_BY_DIGEST: Final = {name: uri for uri, name in DIGEST_BY_URI.items()}
_WEAK_DIGEST: Final = {
    der.oid("1.3.14.3.2.26"): SHA1_URI,
    der.oid("1.2.840.113549.2.5"): _MORE + "md5",
}
_RSA: Final = der.oid("1.2.840.113549.1.1.1")
_PSS: Final = der.oid("1.2.840.113549.1.1.10")
_RSA_BY_DIGEST: Final = {
    _URI_BY_DIGEST["sha256"]: SignatureAlgorithm.RSA_PKCS1_SHA256.value,
    _URI_BY_DIGEST["sha384"]: SignatureAlgorithm.RSA_PKCS1_SHA384.value,
    _URI_BY_DIGEST["sha512"]: SignatureAlgorithm.RSA_PKCS1_SHA512.value,
    SHA1_URI: _DSIG + "rsa-sha1",
    _MORE + "md5": _MORE + "rsa-md5",
}
# By object identifier; parameters are absent or NULL.
_BY_OID: Final = {
    der.oid("1.2.840.113549.1.1.4"): _MORE + "rsa-md5",
    der.oid("1.2.840.113549.1.1.5"): _DSIG + "rsa-sha1",
    der.oid("1.2.840.113549.1.1.11"): SignatureAlgorithm.RSA_PKCS1_SHA256.value,
    der.oid("1.2.840.113549.1.1.12"): SignatureAlgorithm.RSA_PKCS1_SHA384.value,
    der.oid("1.2.840.113549.1.1.13"): SignatureAlgorithm.RSA_PKCS1_SHA512.value,
    der.oid("1.2.840.10045.4.1"): _MORE + "ecdsa-sha1",
    der.oid("1.2.840.10045.4.3.2"): SignatureAlgorithm.ECDSA_SHA256.value,
    der.oid("1.2.840.10045.4.3.3"): SignatureAlgorithm.ECDSA_SHA384.value,
    der.oid("1.2.840.10045.4.3.4"): SignatureAlgorithm.ECDSA_SHA512.value,
    der.oid("1.2.840.10040.4.3"): _DSIG + "dsa-sha1",
}


def digest_uri(identifier: bytes) -> str:
    """Return the XML-DSig URI of a digest AlgorithmIdentifier (DER), `urn:oid:…` when unlisted."""
    name = DIGEST_BY_IDENTIFIER.get(identifier)
    if name is not None:
        return _URI_BY_DIGEST[name]
    kind = _kind(identifier)
    return _WEAK_DIGEST.get(kind) or _urn(kind)


def digest_name(identifier: bytes) -> str | None:
    """Return the `hashlib` name of a listed digest, None for any other."""
    return DIGEST_BY_URI.get(digest_uri(identifier))


def method_uri(identifier: bytes, *, digest: bytes) -> str:
    """Return the XML-DSig URI of a signature AlgorithmIdentifier, `urn:oid:…` when unlisted.

    `digest` is the signer's digest algorithm, which rsaEncryption leaves the choice to
    (RFC 3370 §3.2).
    """
    kind = _kind(identifier)
    if kind == _RSA:
        return _RSA_BY_DIGEST.get(digest_uri(digest), _urn(kind))
    if kind == _PSS:
        return _pss_uri(identifier)
    return _BY_OID.get(kind) or _urn(kind)


def pss_salt(identifier: bytes) -> int | None:
    """Return the length of the salt that an RSASSA-PSS identifier states; None for others."""
    parameters = der.Cursor(identifier).enter(der.SEQUENCE)
    if parameters.take_whole(der.OID) != _PSS or parameters.next_tag() != der.SEQUENCE:
        return None
    return _pss_parameters(parameters.enter(der.SEQUENCE))[2]


def _pss_uri(identifier: bytes) -> str:
    """Return the URI of RSASSA-PSS with one hash throughout and a salt no shorter (row 13)."""
    parameters = der.Cursor(identifier).enter(der.SEQUENCE)
    parameters.take(der.OID)
    if parameters.next_tag() != der.SEQUENCE:
        return _urn(_PSS)  # the defaults: SHA-1
    digest, mask, salt = _pss_parameters(parameters.enter(der.SEQUENCE))
    for algorithm in CMS_ALGORITHM:
        name = algorithm.hash_name
        if algorithm.name.startswith("RSA_PSS") and digest == mask == name:
            return algorithm.value if salt * 8 >= int(name[3:]) else f"{_urn(_PSS)}?salt={salt}"
    return _urn(_PSS)


def _pss_parameters(fields: der.Cursor) -> tuple[str | None, str | None, int]:
    """Return the names of both hashes, None when unlisted, and the length of the salt."""
    digest = digest_name(_explicit(fields, 0xA0)) if fields.next_tag() == 0xA0 else None
    mask_digest = None
    if fields.next_tag() == 0xA1:
        mask = der.Cursor(_explicit(fields, 0xA1)).enter(der.SEQUENCE)
        mask.take(der.OID)
        mask_digest = digest_name(mask.take_whole(der.SEQUENCE))
    salt = fields.enter(0xA2).take_integer() if fields.next_tag() == 0xA2 else 20
    return digest, mask_digest, salt


def _explicit(fields: der.Cursor, tag: int) -> bytes:
    inner = fields.enter(tag)
    found = inner.take_whole(der.SEQUENCE)
    inner.finish()
    return found


def _kind(identifier: bytes) -> bytes:
    try:
        return der.Cursor(identifier).enter(der.SEQUENCE).take_whole(der.OID)
    except DerRefused as exc:
        raise SignatureMalformed("expected an algorithm, got none", reason="algorithm") from exc


def _urn(kind: bytes) -> str:
    """Return the URN of an object identifier (RFC 3061)."""
    arcs: list[int] = []
    number = 0
    for octet in der.Cursor(kind).take(der.OID)[:64]:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    first = arcs[0] if arcs else 0
    top = min(first // 40, 2)
    return "urn:oid:" + ".".join(str(one) for one in (top, first - top * 40, *arcs[1:]))
