"""Evidence records in XML (RFC 6283): the same chain as in DER, written as canonical text.

A renewal covers the canonical TimeStamp element of the newest archive time-stamp (§4.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from dossier import safexml
from dossier.errors import XmlRefused
from signing.algorithms import DIGEST_BY_URI, SHA256_URI
from signing.archivechain import (
    DIGEST_BYTES,
    MAX_DEPTH,
    MAX_RECORD_BYTES,
    MAX_SIBLINGS,
    MAX_STAMPS,
    ArchiveStamp,
    EvidenceRecord,
)
from signing.c14n import Form, canonical, form_of
from signing.errors import EvidenceRecordMalformed, SignatureMalformed
from signing.transforms import loose_base64
from signing.unsigned import EXCLUSIVE, encoded

ERS: Final = "urn:ietf:params:xml:ns:ers"
_CAPS: Final = safexml.Caps(size_bytes=MAX_RECORD_BYTES)
_TOKEN_TYPE: Final = "RFC3161"  # noqa: S105  # the name of a kind of time-stamp


def stamp_element(token: bytes) -> bytes:
    """Return the canonical TimeStamp element of a token."""
    return f'<TimeStamp xmlns="{ERS}">{_token_text(token)}</TimeStamp>'.encode()


def dump_xml(record: EvidenceRecord) -> bytes:
    """Return the record as XML; of what was read before, the time-stamps keep their octets."""
    stamps = "".join(
        f'<ArchiveTimeStamp Order="{order}">{_tree_text(one)}<TimeStamp>'
        f"{_token_text(one.token)}</TimeStamp></ArchiveTimeStamp>"
        for order, one in enumerate(record.stamps, start=1)
    )
    return (
        f'<EvidenceRecord xmlns="{ERS}" Version="1.0"><ArchiveTimeStampSequence>'
        f'<ArchiveTimeStampChain Order="1"><DigestMethod Algorithm="{SHA256_URI}">'
        f'</DigestMethod><CanonicalizationMethod Algorithm="{EXCLUSIVE}">'
        f"</CanonicalizationMethod>{stamps}</ArchiveTimeStampChain>"
        "</ArchiveTimeStampSequence></EvidenceRecord>"
    ).encode()


def _token_text(token: bytes) -> str:
    return f'<TimeStampToken Type="{_TOKEN_TYPE}">{encoded(token)}</TimeStampToken>'


def _tree_text(stamp: ArchiveStamp) -> str:
    if not stamp.branch:
        return ""
    lists = "".join(
        f'<Sequence Order="{order}">'
        + "".join(f"<DigestValue>{encoded(one)}</DigestValue>" for one in siblings)
        + "</Sequence>"
        for order, siblings in enumerate(stamp.branch, start=1)
    )
    return f"<HashTree>{lists}</HashTree>"


def parse_xml(content: bytes) -> EvidenceRecord:
    """Return the record; raise `EvidenceRecordMalformed` for anything but one SHA-256 chain."""
    try:
        root = safexml.parse(content, caps=_CAPS)
        if root.tag != f"{{{ERS}}}EvidenceRecord" or root.get("Version") != "1.0":
            raise EvidenceRecordMalformed("expected an evidence record of version 1.0")
        chain = _only(_only(root, "ArchiveTimeStampSequence"), "ArchiveTimeStampChain")
        _expect(chain, "ArchiveTimeStampChain", 1)
        method, form_element, *stamps = chain
        if not 0 < len(stamps) <= MAX_STAMPS:
            raise EvidenceRecordMalformed(f"expected 1 to {MAX_STAMPS} archive time-stamps")
        _expect(method, "DigestMethod")
        _expect(form_element, "CanonicalizationMethod")
        form = form_of(form_element.get("Algorithm", ""), prefix_list="")
        if DIGEST_BY_URI.get(method.get("Algorithm", "")) != "sha256" or form is None:
            raise EvidenceRecordMalformed("expected SHA-256 and a known canonicalisation")
        found = [_stamp(one, order, form) for order, one in enumerate(stamps, start=1)]
    except (XmlRefused, SignatureMalformed, ValueError) as exc:
        raise EvidenceRecordMalformed("expected an evidence record in XML") from exc
    return EvidenceRecord(stamps=tuple(found), is_xml=True)


def _stamp(element: etree._Element, order: int, form: Form) -> ArchiveStamp:
    _expect(element, "ArchiveTimeStamp", order)
    *trees, stamp = element
    if len(trees) > 1:
        raise EvidenceRecordMalformed("expected a hash tree and a time-stamp, got more")
    _expect(stamp, "TimeStamp")
    token = _only(stamp, "TimeStampToken")
    if token.get("Type") != _TOKEN_TYPE:
        raise EvidenceRecordMalformed("expected a time-stamp of RFC 3161, got another")
    return ArchiveStamp(
        branch=tuple(_lists(trees[0])) if trees else (),
        token=loose_base64(token.text or ""),
        octets=canonical(stamp, form),
    )


def _lists(tree: etree._Element) -> Iterator[tuple[bytes, ...]]:
    _expect(tree, "HashTree")
    if not 0 < len(tree) <= MAX_DEPTH:
        raise EvidenceRecordMalformed(f"expected 1 to {MAX_DEPTH} lists of digests")
    for order, one in enumerate(tree, start=1):
        _expect(one, "Sequence", order)
        if not 0 < len(one) <= MAX_SIBLINGS:
            raise EvidenceRecordMalformed(f"expected 1 to {MAX_SIBLINGS} digests")
        yield tuple(_digest(value) for value in one)


def _digest(element: etree._Element) -> bytes:
    _expect(element, "DigestValue")
    digest = loose_base64(element.text or "")
    if len(digest) != DIGEST_BYTES or len(element):
        raise EvidenceRecordMalformed("expected SHA-256 digests, got another size")
    return digest


def _only(parent: etree._Element, name: str) -> etree._Element:
    """Return the one child; a second chain would be of another digest algorithm (§4.2.2)."""
    (child,) = parent
    _expect(child, name)
    return child


def _expect(element: etree._Element, name: str, order: int | None = None) -> None:
    stated = element.get("Order")
    if element.tag != f"{{{ERS}}}{name}" or (order is not None and stated != str(order)):
        raise EvidenceRecordMalformed(f"expected {name}, got {str(element.tag)[:80]}")
