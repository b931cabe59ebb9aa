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
from pyhanko.pdf_utils.xref import ObjStreamRef, XRefCache, XRefSection
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
_NEVER: Final = 0xFFFF  # the generation of a free entry that hides an object from old readers
# What a trailer means something by (ISO 32000-2 table 15).
_TRAILER_KEYS: Final = frozenset(("/Size", "/Prev", "/Root", "/Encrypt", "/Info", "/ID"))


class _References(XRefCache):
    """The cross-references, where one to nothing is no error and hybrids are judged by us."""

    @property
    def hybrid_xrefs_present(self) -> bool:
        """Say no: `_check_hybrid` and `_change` have refused what is not safe."""
        return False

    def get_introducing_revision(self, ref: generic.Reference) -> int:
        """Return the first revision for an object that is nowhere: no revision brings it."""
        try:
            return int(super().get_introducing_revision(ref))
        except KeyError:
            return 0


class _Reader(PdfFileReader):
    """pyHanko's strict reader, but for references to nothing: they mean null (ISO 32000-1 7.3.10).

    What a later revision puts in their place is looked for by `_is_filled_in`.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.sections: list[XRefSection] = [
            XRefSection(self.xrefs.get_xref_container_info(one), self.xrefs.get_xref_data(one))
            for one in range(self.xrefs.total_revisions)
        ]
        self.xrefs = _References(self, self.sections)
        # Other keys, such as those of LibreOffice, lead nowhere, though signers copy them for ever.
        for trailer in self.trailer._trailer_revisions:
            for key in set(trailer) - _TRAILER_KEYS:
                del trailer[key]

    def _read_object(
        self,
        ref: generic.Reference,
        marker: int | ObjStreamRef | None,
        *args: bool,
        **options: bool,
    ) -> generic.PdfObject:
        if marker is None:
            nothing = generic.NullObject()
            nothing.container_ref = ref
            return nothing
        found: generic.PdfObject = super()._read_object(ref, marker, *args, **options)
        return found


def read_pdf(content: bytes) -> PdfParts:
    """Return what a PDF holds; raise `PdfRefused`, whose `reason` says what cannot be read."""
    # What it finds odd is in its answers; its log would repeat it with the trace of the stack.
    log = logging.getLogger("pyhanko")
    log.addHandler(_SILENT)
    log.propagate = False
    try:
        reader = _Reader(content)
        if reader.encrypted:
            raise PdfRefused("expected a PDF without encryption", reason="encrypted")
        for section in reader.sections:
            _check_hybrid(section)
        if reader.xrefs.total_revisions > MAX_REVISIONS:
            raise PdfRefused(f"expected at most {MAX_REVISIONS} revisions", reason="revisions")
        return PdfParts(signatures=tuple(_signatures(reader)), values=_values(reader))
    except _UNREADABLE as exc:
        raise PdfRefused(f"expected a readable PDF: {str(exc)[:160]}", reason="malformed") from exc


def _check_hybrid(section: XRefSection) -> None:
    """Refuse a hybrid section in which two readers could find two objects (ISO 32000-1 7.5.8.4)."""
    table, hybrid = section.xref_data, section.xref_data.hybrid
    if hybrid is None:
        return
    plain, packed = hybrid.xref_data.standard_xrefs, hybrid.xref_data.xrefs_in_objstm
    told_twice = [
        *(number for number in packed if number in table.standard_xrefs),
        *(one for one, place in plain.items() if table.standard_xrefs.get(one, place) != place),
        *(one for one in (*plain, *packed) if table.freed.get(one, _NEVER) != _NEVER),
    ]
    if told_twice or hybrid.meta_info.end_location > section.meta_info.start_location:
        raise PdfRefused("expected hybrid references that agree", reason="hybrid references")


def _signatures(reader: _Reader) -> Iterator[PdfSignature]:
    for number, (name, _, field) in enumerate(enumerate_sig_fields(reader, filled_status=True)):
        if number == MAX_SIGNATURES:
            raise PdfRefused(f"expected at most {MAX_SIGNATURES} signatures", reason="signatures")
        try:
            yield _signature(reader, name, field.get_object())
        except _UNREADABLE as exc:
            yield PdfSignature(name=name, kind="", fault=str(exc)[:160])


def _signature(reader: _Reader, name: str, field: generic.DictionaryObject) -> PdfSignature:
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
        change=_change(reader, found),
        is_last=found.signed_revision == reader.xrefs.total_revisions - 1,
        has_values="/DSS" in reader.get_historical_root(found.signed_revision),
        claimed_time=_claimed_time(dictionary),
    )


def _change(reader: _Reader, found: EmbeddedPdfSignature) -> Change:
    if found.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return Change.NOT_COVERED
    if any(one.xref_data.hybrid for one in reader.sections[found.signed_revision + 1 :]):
        raise PdfRefused("expected no hybrid update", reason="hybrid references")
    if _is_filled_in(reader, found.signed_revision, end=found.byte_range[2] + found.byte_range[3]):
        return Change.UNEXPLAINED
    result: Any = found.diff_result
    if not isinstance(result, DiffResult) or result.modification_level is ModificationLevel.OTHER:
        # pyHanko knows no annotation that only annotates.
        untold = found.docmdp_level is MDPPerm.ANNOTATE
        return Change.UNTOLD if untold else Change.UNEXPLAINED
    return _explained(found, result)


def _explained(found: EmbeddedPdfSignature, result: DiffResult) -> Change:
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


def _is_filled_in(reader: _Reader, revision: int, *, end: int) -> bool:
    """Say whether what a signed revision left open, to be null, was put in its place later.

    That is a reference to nothing that a later revision defines, or one behind the signed bytes.
    The analysis of changes overlooks both: it takes such objects for new ones without a use.
    """
    later = range(revision + 1, reader.xrefs.total_revisions)
    find = reader.xrefs.get_historical_ref
    for reference in _reached(reader, revision) if later else ():
        place = find(reference, revision)
        if isinstance(place, int) and place >= end:
            return True
        if place is None and any(find(reference, one) is not None for one in later):
            return True
    return False


def _reached(reader: _Reader, revision: int) -> Iterator[generic.Reference]:
    """Yield each reference that leads on from the trailer of a revision, as it stood then."""
    resolver = reader.get_historical_resolver(revision)
    seen: set[generic.Reference] = set()
    waiting: list[Any] = [resolver.trailer_view]
    while waiting:
        value = waiting.pop()
        if isinstance(value, generic.IndirectObject) and value.reference not in seen:
            seen.add(value.reference)
            yield value.reference
            waiting.append(resolver(value.reference))
        elif isinstance(value, generic.DictionaryObject):
            waiting += value.values()
        elif isinstance(value, generic.ArrayObject):
            waiting += value


def _claimed_time(dictionary: generic.DictionaryObject) -> datetime | None:
    try:
        claimed = generic.parse_pdf_date(dictionary["/M"], strict=False)
        return claimed.replace(tzinfo=UTC) if claimed.tzinfo is None else claimed.astimezone(UTC)
    except _UNREADABLE:
        return None


def _values(reader: _Reader) -> Values:
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
