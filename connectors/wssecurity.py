"""WS-Security for partners that demand it: X.509 signature and timestamp over a SOAP message.

Only exclusive C14N and SHA-256; keys and trust are handed in. Containers prove themselves, so
this adds who called, never what was sent (interchange.md §11; §12 rows 27 to 33 and 42).
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Protocol

from lxml import etree

from connectors.errors import WsSecurityRefused
from connectors.soap_envelope import SoapMessage
from dossier.ids import AgencyCode

_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE: Final = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSU: Final = f"{_OASIS}wssecurity-utility-1.0.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
SECURITY: Final = f"{{{WSSE}}}Security"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_X509: Final = f"{_OASIS}x509-token-profile-1.0#X509v3"
_BASE64: Final = f"{_OASIS}soap-message-security-1.0#Base64Binary"
_SKEW: Final = timedelta(seconds=300)
_LIFE: Final = timedelta(minutes=5)
_REFERENCES: Final = 16
_PREFIXES: Final = 16
_ID_NAMES: Final = (
    f"{{{WSU}}}Id", "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id",
)  # fmt: skip


class Algorithm(Enum):
    """The signature algorithms, by their URIs; ECDSA values are r and s, not DER."""

    RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"


class TokenSigner(Protocol):
    """A key for calls, with its certificate."""

    @property
    def certificate(self) -> bytes:
        """DER."""

    @property
    def algorithm(self) -> Algorithm:
        """What `sign` does."""

    def sign(self, octets: bytes) -> bytes:
        """Return the signature value as XML signatures carry it."""


class TokenJudge(Protocol):
    """Who is behind a certificate, and whether it signed."""

    def verify(
        self, certificate: bytes, algorithm: Algorithm, octets: bytes, value: bytes
    ) -> AgencyCode:
        """Return the agency that the certificate is bound to.

        Raises where it is not trusted for calls now, its key does not fit the algorithm, or the
        value is not its signature of `octets`.
        """


def sign_message(message: SoapMessage, *, signer: TokenSigner, at: datetime) -> bytes:
    """Return the message with a Security header that signs its Body and a timestamp."""
    root = copy.deepcopy(message.root)
    soap = message.version.value
    body = root[-1]
    body_id, stamp_id, token_id = (f"{name}-{secrets.token_hex(8)}" for name in ("b", "t", "x"))
    body.set(f"{{{WSU}}}Id", body_id)
    security = etree.Element(
        SECURITY,
        {f"{{{soap}}}mustUnderstand": "1"},
        nsmap={"wsse": WSSE, "wsu": WSU, "ds": DS, "soap": soap},
    )
    header = root[0] if len(root) == 2 else etree.Element(f"{{{soap}}}Header")
    root.insert(0, header)
    header.append(security)
    stamp = etree.SubElement(security, f"{{{WSU}}}Timestamp", {f"{{{WSU}}}Id": stamp_id})
    etree.SubElement(stamp, f"{{{WSU}}}Created").text = _written(at)
    etree.SubElement(stamp, f"{{{WSU}}}Expires").text = _written(at + _LIFE)
    token = etree.SubElement(
        security,
        f"{{{WSSE}}}BinarySecurityToken",
        {f"{{{WSU}}}Id": token_id, "EncodingType": _BASE64, "ValueType": _X509},
    )
    token.text = base64.b64encode(signer.certificate).decode()
    signature = etree.SubElement(security, f"{{{DS}}}Signature")
    info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    etree.SubElement(info, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXCLUSIVE)
    etree.SubElement(info, f"{{{DS}}}SignatureMethod", Algorithm=signer.algorithm.value)
    for node, identifier in ((stamp, stamp_id), (body, body_id)):
        _add_reference(info, node, identifier)
    value = etree.SubElement(signature, f"{{{DS}}}SignatureValue")
    value.text = base64.b64encode(signer.sign(_octets(info, ()))).decode()
    key_info = etree.SubElement(signature, f"{{{DS}}}KeyInfo")
    holder = etree.SubElement(key_info, f"{{{WSSE}}}SecurityTokenReference")
    etree.SubElement(holder, f"{{{WSSE}}}Reference", URI=f"#{token_id}", ValueType=_X509)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def verify_message(message: SoapMessage, *, judge: TokenJudge, at: datetime) -> AgencyCode:
    """Return the agency that signed this very Body; raise `WsSecurityRefused`.

    `message` comes from `parse_envelope`: one Header, one Body, no comments, caps kept.
    """
    # 1. One Security in the Header, 2. one Signature in it and none elsewhere.
    security = _one(message.root[0], SECURITY, "security")
    signature = _one(security, f"{{{DS}}}Signature", "signature")
    if len(signature) != 3 or len(list(message.root.iter(f"{{{DS}}}Signature"))) != 1:
        raise _refuse("signature")
    # 3. No id twice, whatever attribute spells it.
    named = _ids(message.root)
    # 4. The algorithms are on the list.
    info = _one(signature, f"{{{DS}}}SignedInfo", "shape")
    prefixes = _method(_one(info, f"{{{DS}}}CanonicalizationMethod", "shape"))
    algorithm = _algorithm(_one(info, f"{{{DS}}}SignatureMethod", "shape"))
    # 5. The key is the token in this header, through a reference within the message.
    certificate = _token(signature, security, named)
    # 6. Each reference is to an element of this message, through the known transforms.
    signed = [_reference(one, named) for one in _references(info)]
    # 7. Among them are the very Body and Timestamp that will be used.
    stamp = _one(security, f"{{{WSU}}}Timestamp", "timestamp")
    if not all(any(node is one for one in signed) for node in (message.root[-1], stamp)):
        raise _refuse("coverage")
    if any(next(one.iter(f"{{{DS}}}Signature"), None) is not None for one in signed):
        raise _refuse("coverage")
    # 8. It is of now.
    _check_time(stamp, at)
    # 9. The digests were checked with the references; the signature value comes last.
    value = _decoded(_one(signature, f"{{{DS}}}SignatureValue", "shape"))
    return judge.verify(certificate, algorithm, _octets(info, prefixes), value)


def _add_reference(info: etree._Element, node: etree._Element, identifier: str) -> None:
    reference = etree.SubElement(info, f"{{{DS}}}Reference", URI=f"#{identifier}")
    transforms = etree.SubElement(reference, f"{{{DS}}}Transforms")
    etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm=EXCLUSIVE)
    etree.SubElement(reference, f"{{{DS}}}DigestMethod", Algorithm=_SHA256)
    digest = hashlib.sha256(_octets(node, ())).digest()
    etree.SubElement(reference, f"{{{DS}}}DigestValue").text = base64.b64encode(digest).decode()


def _refuse(reason: str) -> WsSecurityRefused:
    return WsSecurityRefused(
        "expected a signed message as docs/reference/soap.md says", reason=reason
    )


def _one(parent: etree._Element, tag: str, reason: str) -> etree._Element:
    found = parent.findall(tag)
    if len(found) != 1:
        raise _refuse(reason)
    return found[0]


def _ids(root: etree._Element) -> Mapping[str, etree._Element]:
    named: dict[str, etree._Element] = {}
    for node in root.iter():
        own = [node.get(name) for name in _ID_NAMES if node.get(name) is not None]
        if len(own) > 1:
            raise _refuse("ids")
        for identifier in own:
            if identifier is None or identifier in named:
                raise _refuse("ids")
            named[identifier] = node
    return named


def _method(node: etree._Element) -> tuple[str, ...]:
    """Return the inclusive prefixes of an exclusive canonicalisation."""
    if node.get("Algorithm") != EXCLUSIVE:
        raise _refuse("algorithm")
    listed = [child.get("PrefixList", "") for child in node]
    if any(child.tag != f"{{{EXCLUSIVE}}}InclusiveNamespaces" for child in node):
        raise _refuse("transform")
    prefixes = tuple(" ".join(listed).split())
    if len(listed) > 1 or len(prefixes) > _PREFIXES:
        raise _refuse("transform")
    return prefixes


def _algorithm(node: etree._Element) -> Algorithm:
    try:
        return Algorithm(node.get("Algorithm"))
    except ValueError as exc:
        raise _refuse("algorithm") from exc


def _token(
    signature: etree._Element, security: etree._Element, named: Mapping[str, etree._Element]
) -> bytes:
    key_info = _one(signature, f"{{{DS}}}KeyInfo", "key")
    holder = _one(key_info, f"{{{WSSE}}}SecurityTokenReference", "key")
    reference = _one(holder, f"{{{WSSE}}}Reference", "key")
    token = named.get(reference.get("URI", "").removeprefix("#"))
    is_ours = (
        len(key_info) == len(holder) == 1
        and reference.get("URI", "").startswith("#")
        and token is not None
        and token.tag == f"{{{WSSE}}}BinarySecurityToken"
        and token.getparent() is security
        and token.get("ValueType") == _X509
    )
    if token is None or not is_ours:
        raise _refuse("key")
    return _decoded(token)


def _references(info: etree._Element) -> Iterator[etree._Element]:
    found = info.findall(f"{{{DS}}}Reference")
    if not 1 <= len(found) <= _REFERENCES or len(info) != len(found) + 2:
        raise _refuse("references")
    return iter(found)


def _reference(node: etree._Element, named: Mapping[str, etree._Element]) -> etree._Element:
    """Return the element that a reference is to, its digest checked."""
    uri = node.get("URI", "")
    target = named.get(uri.removeprefix("#"))
    if not uri.startswith("#") or target is None:
        raise _refuse("references")
    transforms = list(_one(node, f"{{{DS}}}Transforms", "transform"))
    # Some stacks name the enveloped transform for elements that hold no signature: it is idle.
    if len(transforms) == 2 and transforms[0].get("Algorithm") == _ENVELOPED:
        transforms = transforms[1:]
    if len(transforms) != 1 or transforms[0].tag != f"{{{DS}}}Transform":
        raise _refuse("transform")
    prefixes = _method(transforms[0])
    if _one(node, f"{{{DS}}}DigestMethod", "shape").get("Algorithm") != _SHA256:
        raise _refuse("algorithm")
    given = _decoded(_one(node, f"{{{DS}}}DigestValue", "shape"))
    if not hmac.compare_digest(hashlib.sha256(_octets(target, prefixes)).digest(), given):
        raise _refuse("digest")
    return target


def _check_time(stamp: etree._Element, at: datetime) -> None:
    created = _read_time(_one(stamp, f"{{{WSU}}}Created", "timestamp"))
    expires = _read_time(_one(stamp, f"{{{WSU}}}Expires", "timestamp"))
    if not created - _SKEW <= at <= expires + _SKEW or expires < created:
        raise _refuse("timestamp")


def _read_time(node: etree._Element) -> datetime:
    text = (node.text or "").strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise _refuse("timestamp") from exc
    if moment.tzinfo is None:
        raise _refuse("timestamp")
    return moment


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _decoded(node: etree._Element) -> bytes:
    try:
        return base64.b64decode("".join((node.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _refuse("base64") from exc


def _octets(node: etree._Element, prefixes: tuple[str, ...]) -> bytes:
    """Return the exclusive canonical form of one element of a larger document."""
    if prefixes:
        # libxml2 looks for listed prefixes on the element itself when its ancestors are cut off.
        # None, the default namespace, is a key of it too, which the stubs do not know.
        scope: Any = node.nsmap
        whole = etree.Element(node.tag, {str(k): str(v) for k, v in node.items()}, nsmap=scope)
        whole.text = node.text
        whole.extend(copy.deepcopy(child) for child in node)
        node = whole
    return etree.tostring(
        node,
        method="c14n",
        exclusive=True,
        with_comments=False,
        inclusive_ns_prefixes=list(prefixes) or None,
    )
