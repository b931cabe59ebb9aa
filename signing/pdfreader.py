"""PDF structure through pyHanko: signature dictionaries, byte ranges, later changes, the DSS.

The only home of pyHanko, which the extra `pdf` installs; `signing.pdf` loads this module when a
PDF is judged. Nothing is decided here but what the structure says.
"""

from __future__ import annotations

import io
import logging
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    DiffResult,
    ModificationLevel,
    StandardDiffPolicy,
)
from pyhanko.sign.diff_analysis.form_rules_api import FormUpdatingRule
from pyhanko.sign.diff_analysis.rules.form_field_rules import (
    SigFieldCreationRule,
    SigFieldModificationRule,
)
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.general import CMSStructuralError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing.errors import PdfRefused
from signing.pdfparts import Change, PdfParts, PdfSignature
from signing.unsigned import MAX_VALUES, Values

MAX_SIGNATURES: Final = 32
MAX_REVISIONS: Final = 64

# What pyHanko and asn1crypto raise for hostile files: they index, convert and recurse freely.
_UNREADABLE: Final = (
    PdfError,
    SignatureValidationError,
    CMSStructuralError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    EOFError,
    OSError,
    zlib.error,
)
_CMS_KINDS: Final = ("/adbe.pkcs7.detached", "/ETSI.CAdES.detached", "/ETSI.RFC3161")
_FURTHER_SIGNATURES: Final = StandardDiffPolicy(
    global_rules=DEFAULT_DIFF_POLICY.global_rules,
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(),
            SigFieldModificationRule(),
        ]
    ),
)
_SILENT: Final = logging.NullHandler()


def read_pdf(content: bytes) -> PdfParts:
    """Return what a PDF holds; raise `PdfRefused`, whose `reason` says what cannot be read."""
    # What it finds odd is in its answers; its log would repeat it with the trace of the stack.
    log = logging.getLogger("pyhanko")
    log.addHandler(_SILENT)
    log.propagate = False
    try:
        reader = PdfFileReader(io.BytesIO(content))
        if reader.encrypted:
            raise PdfRefused("expected a PDF without encryption", reason="encrypted")
        if reader.xrefs.hybrid_xrefs_present:
            raise PdfRefused("expected one kind of cross-references", reason="hybrid references")
        if reader.xrefs.total_revisions > MAX_REVISIONS:
            raise PdfRefused(f"expected at most {MAX_REVISIONS} revisions", reason="revisions")
        return PdfParts(signatures=tuple(_signatures(reader)), values=_values(reader))
    except _UNREADABLE as exc:
        raise PdfRefused(f"expected a readable PDF: {str(exc)[:160]}", reason="malformed") from exc


def _signatures(reader: PdfFileReader) -> Iterator[PdfSignature]:
    for number, (name, _, field) in enumerate(enumerate_sig_fields(reader, filled_status=True)):
        if number == MAX_SIGNATURES:
            raise PdfRefused(f"expected at most {MAX_SIGNATURES} signatures", reason="signatures")
        try:
            yield _signature(reader, name, field.get_object())
        except _UNREADABLE as exc:
            yield PdfSignature(name=name, kind="", fault=str(exc)[:160])


def _signature(reader: PdfFileReader, name: str, field: generic.DictionaryObject) -> PdfSignature:
    dictionary = field["/V"]
    kind = str(dictionary["/SubFilter"]) if "/SubFilter" in dictionary else ""
    if kind not in _CMS_KINDS:
        return PdfSignature(name=name, kind=kind)
    found = EmbeddedPdfSignature(reader, field, name)
    found.compute_integrity_info()
    return PdfSignature(
        name=name,
        kind=kind,
        contents=found.pkcs7_content,
        byte_range=tuple(int(one) for one in found.byte_range),
        change=_change(found),
        is_last=found.signed_revision == reader.xrefs.total_revisions - 1,
        has_values="/DSS" in reader.get_historical_root(found.signed_revision),
        claimed_time=_claimed_time(dictionary),
    )


def _change(found: EmbeddedPdfSignature) -> Change:
    if found.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return Change.NOT_COVERED
    result: Any = found.diff_result
    if not isinstance(result, DiffResult) or result.modification_level is ModificationLevel.OTHER:
        # pyHanko knows no annotation that only annotates.
        untold = found.docmdp_level is MDPPerm.ANNOTATE
        return Change.UNTOLD if untold else Change.UNEXPLAINED
    if result.modification_level is ModificationLevel.NONE:
        return Change.NONE
    allowed = found.docmdp_level
    if allowed is not None and result.modification_level.value > allowed.value:
        return Change.FORBIDDEN
    if result.modification_level is ModificationLevel.LTA_UPDATES:
        return Change.ARCHIVED
    if allowed is not None:
        return Change.ALLOWED
    further = found.evaluate_modifications(_FURTHER_SIGNATURES)
    return Change.SIGNED if isinstance(further, DiffResult) else Change.UNSTATED


def _claimed_time(dictionary: generic.DictionaryObject) -> datetime | None:
    try:
        claimed = generic.parse_pdf_date(dictionary["/M"], strict=False)
        return claimed.replace(tzinfo=UTC) if claimed.tzinfo is None else claimed.astimezone(UTC)
    except _UNREADABLE:
        return None


def _values(reader: PdfFileReader) -> Values:
    """Return the validation data of the DSS and its VRI entries (EN 319 142-1 §5.4.2)."""
    store = _dictionary(reader.root, "/DSS")
    related = _dictionary(store, "/VRI")
    entries = [_dictionary(related, key) for key in list(related)[:MAX_VALUES]]
    return Values(
        certificates=_streams([(store, "/Certs"), *((one, "/Cert") for one in entries)]),
        crls=_streams([(store, "/CRLs"), *((one, "/CRL") for one in entries)]),
        ocsps=_streams([(store, "/OCSPs"), *((one, "/OCSP") for one in entries)]),
    )


# The `get` of a dictionary leaves references as they are, indexing follows them.
def _dictionary(parent: generic.DictionaryObject, key: str) -> generic.DictionaryObject:
    found = next(_entries(parent, key), None)
    return found if isinstance(found, generic.DictionaryObject) else generic.DictionaryObject({})


def _entries(parent: generic.DictionaryObject, key: str) -> Iterator[Any]:
    if key in parent:
        yield parent[key]


def _streams(places: Sequence[tuple[generic.DictionaryObject, str]]) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    for parent, key in places:
        for stream in chain.from_iterable(_entries(parent, key)):
            found[bytes(stream.get_object().data)] = None
            if len(found) > MAX_VALUES:
                raise PdfRefused(f"expected at most {MAX_VALUES} values", reason="values")
    return tuple(found)
