"""Take SOAP 1.1 and 1.2 envelopes apart and put replies and faults together.

Strict on the way in (interchange.md §12, group E); a prefixed root on the way out, because
deployed clients look for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from connectors.contract import NAMESPACE
from connectors.errors import SoapHeaderNotUnderstood, SoapRefused, SoapVersionMismatch
from dossier import safexml

_TRUE: Final = frozenset({"1", "true"})
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


class Version(Enum):
    """The SOAP versions; the value is the namespace of the envelope."""

    SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
    SOAP12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def media_type(self) -> str:
        """Content-Type of a plain envelope of this version."""
        return "text/xml" if self is Version.SOAP11 else "application/soap+xml"


class FaultCode(Enum):
    """Whose fault it is; the value is the local name in SOAP 1.1, then in 1.2."""

    CLIENT = ("Client", "Sender")
    SERVER = ("Server", "Receiver")
    VERSION = ("VersionMismatch", "VersionMismatch")
    MUST_UNDERSTAND = ("MustUnderstand", "MustUnderstand")

    def local_name(self, version: Version) -> str:
        """Return the name that this version gives it."""
        return self.value[0 if version is Version.SOAP11 else 1]


# Blocks meant for these, or for nobody in particular, are meant for us.
_OUR_ROLES: Final = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapMessage:
    """A parsed envelope: its version and the one child of its Body."""

    version: Version
    root: etree._Element
    content: etree._Element


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What a fault tells the caller; nothing in it comes from the request."""

    blame: FaultCode
    code: str  # stable, of our error
    text: str  # one sentence for people
    language: str  # of `text`, as in xml:lang


def parse_envelope(
    content: bytes,
    *,
    expected: Version | None,
    caps: safexml.Caps = safexml.DEFAULT_CAPS,
    understood: frozenset[str] = frozenset(),
) -> SoapMessage:
    """Return the envelope in `content`.

    `expected` is the version that the Content-Type announced, None where it announces none;
    `understood` names the header blocks that the caller will deal with.
    Raises `XmlRefused` and the leaves of `SoapRefused`.
    """
    root = safexml.parse(content, caps=caps)
    version = _version(root, expected)
    body = _body(root, version)
    _check_header(root, version, understood)
    if len(body) != 1:
        raise SoapRefused(f"expected one element in the Body, got {len(body)}")
    for node in (root, body):
        _refuse_text(node)
    return SoapMessage(version=version, root=root, content=body[0])


def write_reply(version: Version, content: bytes, *, header: bytes = b"") -> bytes:
    """Return an envelope around the markup of a Body's child, and of header blocks if any."""
    opened = f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope xmlns:soap="{version.value}">'
    above = b"<soap:Header>" + header + b"</soap:Header>" if header else b""
    return opened.encode() + above + b"<soap:Body>" + content + b"</soap:Body></soap:Envelope>"


def write_fault(version: Version, fault: Fault) -> bytes:
    """Return an envelope that holds the fault in the shape of its version."""
    name = fault.blame.local_name(version)
    text = escape(fault.text)
    detail = (
        f'<lt:ExchangeFault xmlns:lt="{NAMESPACE}"><lt:ErrorCode>{escape(fault.code)}'
        f"</lt:ErrorCode><lt:Description>{text}</lt:Description></lt:ExchangeFault>"
    )
    if version is Version.SOAP11:
        shaped = (
            f"<soap:Fault><faultcode>soap:{name}</faultcode>"
            f'<faultstring xml:lang="{fault.language}">{text}</faultstring>'
            f"<detail>{detail}</detail></soap:Fault>"
        )
    else:
        shaped = (
            f"<soap:Fault><soap:Code><soap:Value>soap:{name}</soap:Value></soap:Code>"
            f'<soap:Reason><soap:Text xml:lang="{fault.language}">{text}</soap:Text>'
            f"</soap:Reason><soap:Detail>{detail}</soap:Detail></soap:Fault>"
        )
    return write_reply(version, shaped.encode())


def _version(root: etree._Element, expected: Version | None) -> Version:
    name = etree.QName(root)
    known = {version.value: version for version in Version}
    found = known.get(name.namespace or "") if name.localname == "Envelope" else None
    if found is None:
        raise SoapVersionMismatch("expected a SOAP 1.1 or 1.2 envelope")
    if expected is not None and found is not expected:
        raise SoapVersionMismatch("expected the SOAP version that the Content-Type announces")
    return found


def _body(root: etree._Element, version: Version) -> etree._Element:
    prefix = f"{{{version.value}}}"
    names = [child.tag for child in root]
    if names not in ([f"{prefix}Body"], [f"{prefix}Header", f"{prefix}Body"]):
        raise SoapRefused("expected at most one Header, then one Body, and nothing else")
    return root[-1]


def _check_header(root: etree._Element, version: Version, understood: frozenset[str]) -> None:
    """Refuse a block that must be understood and is not."""
    prefix = f"{{{version.value}}}"
    if len(root) == 1:
        return
    _refuse_text(root[0])
    for block in root[0]:
        role = block.get(f"{prefix}actor") or block.get(f"{prefix}role") or ""
        must = block.get(f"{prefix}mustUnderstand", "").strip() in _TRUE
        if must and role.strip() in _OUR_ROLES and block.tag not in understood:
            raise SoapHeaderNotUnderstood("expected no header block that must be understood")


def _refuse_text(node: etree._Element) -> None:
    texts = [node.text, *(child.tail for child in node)]
    if any(text and text.strip() for text in texts):
        raise SoapRefused("expected no text between the elements of the envelope")
