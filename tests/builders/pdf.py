"""PDF documents as another tool signs them: made and signed by pyHanko with the keys of tests."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import datetime
from functools import cache

from asn1crypto import crl, keys, tsp, x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import BasePdfFileWriter, PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.purpose import Purpose
from signing.tsa import TimestampAuthority
from tests.builders.cms import holder
from tests.builders.signing import NOW, pki


class OwnAuthority(TimeStamper):
    """Our own authority, asked by pyHanko."""

    def __init__(self, at: datetime) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library left it untyped
        self._at = at

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        authority = TimestampAuthority(pki().signers[Purpose.TSA])
        return tsp.TimeStampResp.load(authority.respond(req.dump(), at=self._at))


@cache
def blank() -> bytes:
    """Return an unsigned PDF of one page with a text field."""
    writer = PdfFileWriter()
    writer.insert_page(_page(writer))
    return _written(writer)


def _page(writer: PdfFileWriter) -> PageObject:
    content = writer.add_object(generic.StreamObject(stream_data=b"0 0 100 100 re f"))
    page = PageObject(
        contents=content, media_box=generic.ArrayObject(map(generic.NumberObject, (0, 0, 200, 200)))
    )
    field = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): pdf_string("note"),
            pdf_name("/V"): pdf_string(""),
            pdf_name("/Rect"): _numbers(0, 0, 9, 9),
        }
    )
    reference = writer.add_object(field)
    page["/Annots"] = generic.ArrayObject([reference])
    writer.root["/AcroForm"] = generic.DictionaryObject(
        {pdf_name("/Fields"): generic.ArrayObject([reference])}
    )
    return page


def _numbers(*values: int) -> generic.ArrayObject:
    return generic.ArrayObject(generic.NumberObject(value) for value in values)


def _written(writer: BasePdfFileWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def signed(
    content: bytes,
    *,
    field: str = "Sig1",
    pades: bool = True,
    kind: str = "ec",
    pss: bool = False,
    at: datetime | None = None,
    allow: int | None = None,
    long_term: bool = False,
    archive: bool = False,
) -> bytes:
    """Return the PDF with one more signature; `at` stamps it, `allow` certifies with DocMDP."""
    meta = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES if pades else SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
        certify=allow is not None,
        docmdp_permissions=MDPPerm(allow or 2),
        embed_validation_info=long_term,
        use_pades_lta=archive,
        validation_context=_context() if long_term else None,
    )
    signer = signers.PdfSigner(
        meta, signer=_signer(kind, pss), timestamper=None if at is None else OwnAuthority(at)
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(content), strict=False)
    out = asyncio.run(signer.async_sign_pdf(writer, in_place=False))
    return bytes(out.getvalue())


def _signer(kind: str, pss: bool) -> signers.SimpleSigner:
    store = SimpleCertificateStore()
    store.register(x509.Certificate.load(pki().issuing.certificate))
    key = load_pem_private_key(holder(kind).key, password=None)
    info = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return signers.SimpleSigner(
        signing_cert=x509.Certificate.load(holder(kind).certificate),
        signing_key=keys.PrivateKeyInfo.load(info),
        cert_registry=store,
        prefer_pss=pss,
    )


def _context() -> ValidationContext:
    return ValidationContext(
        trust_roots=[x509.Certificate.load(pki().root.certificate)],
        other_certs=[x509.Certificate.load(pki().issuing.certificate)],
        crls=[crl.CertificateList.load(one) for one in pki().crls()],
        moment=NOW,
        allow_fetching=False,
        revocation_mode="hard-fail",
    )


def filled(content: bytes) -> bytes:
    """Return the PDF with its text field filled in by an incremental update."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/V"] = pdf_string("điền sau")
    writer.update_container(field)
    return _written(writer)


def overlaid(content: bytes) -> bytes:
    """Return the PDF with other content on its page: the incremental saving attack."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 0 9 9 re f"))
    writer.update_container(page)
    return _written(writer)


def encrypted() -> bytes:
    """Return an encrypted PDF."""
    writer = PdfFileWriter()
    writer.encrypt("owner", "user")
    writer.insert_page(_page(writer))
    return _written(writer)


def pointing_nowhere(number: int = 900, key: str = "/Contents") -> bytes:
    """Return a PDF whose page refers to an object that does not exist."""
    writer = IncrementalPdfFileWriter(io.BytesIO(blank()))
    page = writer.root["/Pages"]["/Kids"][0]
    page[key] = generic.IndirectObject(number, 0, writer)
    writer.update_container(page)
    return _written(writer)


_DRAWN = b"<< /Length 16 >>\nstream\n0 0 9 9 re f    \nendstream\nendobj\n"


def updated(content: bytes, number: int, *, extra: bytes = b"") -> bytes:
    """Return the PDF with an update that defines object `number`; `extra` is for the trailer."""
    start = len(content) + 1
    drawn = b"\n%d 0 obj\n" % number + _DRAWN
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, start)
    return content + drawn + _closed(content, table, number, len(content) + len(drawn), extra)


def hybrid(content: bytes, number: int, *, table: bytes = b"xref\n0 0\n") -> bytes:
    """Return the PDF with a hybrid update: object `number` is in its cross-reference stream."""
    start = len(content) + 1
    drawn = b"\n%d 0 obj\n" % number + _DRAWN
    place = len(content) + len(drawn)
    rows = b"\x01" + start.to_bytes(4) + b"\0\0" + b"\x01" + place.to_bytes(4) + b"\0\0"
    stream = b"%d 0 obj\n<< /Type /XRef /W [1 4 2] /Index [%d 2] /Size %d /Length %d >>\n" % (
        number + 1,
        number,
        number + 2,
        len(rows),
    )
    stream += b"stream\n" + rows + b"\nendstream\nendobj\n"
    extra = b"/XRefStm %d" % place
    end = _closed(content, table, number + 1, place + len(stream), extra)
    return content + drawn + stream + end


def _closed(content: bytes, table: bytes, highest: int, at: int, extra: bytes) -> bytes:
    root = re.findall(rb"/Root (\d+ 0 R)", content)[-1]
    previous = int(content.rsplit(b"startxref", 1)[1].split()[0])
    trailer = b"trailer\n<< /Size %d /Root %b /Prev %d %b >>\n" % (
        highest + 1,
        root,
        previous,
        extra,
    )
    return table + trailer + b"startxref\n%d\n%%%%EOF\n" % at
