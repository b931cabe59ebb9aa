"""Enveloped XAdES for our own XML (receipts, directory, requests): signing and taking apart.

The signature is the last child of the root. Reading gives back the octets without it, which are
exactly the canonical octets that were signed, and never a tree.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from dossier import safexml
from dossier.errors import XmlRefused
from signing.errors import DocumentNotCanonical, SignatureMalformed
from signing.keys import Signer
from signing.tsa import Timestamper
from signing.unsigned import DS
from signing.xades import (
    PROFILE,
    SIGNATURE_CLOSE,
    SIGNATURE_OPEN,
    OwnSignature,
    Reference,
    SignatureRole,
    read_signature,
    write_signature,
)

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_CAPS: Final = safexml.Caps(size_bytes=MAX_DOCUMENT_BYTES, elements=300_000)
_END_TAG: Final = re.compile(rb"</[^<>/\s]+>\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Enveloped:
    """A signed document taken apart."""

    content: bytes  # canonical octets without the signature
    signature: OwnSignature


def sign_xml(
    unsigned: bytes,
    *,
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
    role: SignatureRole = SignatureRole.SEALED,
) -> bytes:
    """Return `unsigned` with an enveloped signature as the last child of its root.

    `unsigned` must be its own exclusive canonical form, else `DocumentNotCanonical`. Level B-T;
    B-B without a time-stamper.
    """
    _check_canonical(unsigned)
    end_tag = _END_TAG.search(unsigned)
    if end_tag is None:
        raise DocumentNotCanonical("expected a root with an end tag, got none", reason="root")
    reference = Reference(
        uri="", media_type="application/xml", sha256=hashlib.sha256(unsigned).digest()
    )
    signature = write_signature(
        [reference], signer=signer, timestamper=timestamper, at=at, role=role
    )
    return unsigned[: end_tag.start()] + signature + end_tag.group()


def read_xml(content: bytes) -> Enveloped:
    """Take a signed document apart; raise `SignatureMalformed` or `DocumentNotCanonical`."""
    if len(content) > MAX_DOCUMENT_BYTES:
        raise SignatureMalformed("expected a smaller document", reason="size")
    start, end = signature_span(content)
    parsed = read_signature(content[start:end])
    if [one.uri for one in parsed.references] != [""]:
        raise SignatureMalformed("expected one reference to the document", reason="references")
    unsigned = content[:start] + content[end:]
    _check_canonical(unsigned)
    return Enveloped(content=unsigned, signature=parsed)


def signature_span(content: bytes) -> tuple[int, int]:
    """Return where the enveloped signature begins and ends; raise `SignatureMalformed`."""
    end_tag = _END_TAG.search(content)
    start = content.rfind(SIGNATURE_OPEN.encode())
    if end_tag is None or start < 0:
        raise SignatureMalformed("expected an enveloped signature, got none", reason="shape")
    if not content[start : end_tag.start()].endswith(SIGNATURE_CLOSE.encode()):
        raise SignatureMalformed("expected the signature as the last child", reason="shape")
    return start, end_tag.start()


def _check_canonical(unsigned: bytes) -> None:
    # No other Signature and none of our Ids may stand in the signed part (rows 1, 2 and 5).
    if f'"{PROFILE}'.encode() in unsigned:
        raise DocumentNotCanonical("expected no Id of our profile, got one", reason="id")
    try:
        root = safexml.parse(unsigned, caps=_CAPS)
        canonical = etree.tostring(root, method="c14n", exclusive=True, with_comments=False)
    except (XmlRefused, etree.C14NError) as exc:
        raise DocumentNotCanonical("expected canonical XML, got none", reason="xml") from exc
    if canonical != unsigned:
        raise DocumentNotCanonical("expected exclusive canonical XML", reason="spelling")
    if root.getroottree().find(f".//{{{DS}}}Signature") is not None:
        raise DocumentNotCanonical("expected no other signature, got one", reason="signature")
