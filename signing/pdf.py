"""Judging signed PDF documents (PAdES, EN 319 142-1, ISO 32000-2 §12.8).

pyHanko reads the structure (`signing.pdfreader`, extra `pdf`); byte ranges are compared here once
more, octet by octet; the CMS inside is judged as any other. Document time-stamps are archive
time-stamps of every signature before them.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, assert_never

from signing.ber import first_value
from signing.cades import Signed, judge_cms, unsupported
from signing.cms import SignedData, parse_cms
from signing.errors import DerRefused, PdfRefused, SignatureMalformed
from signing.foreignfile import file_verdicts
from signing.indication import SubIndication
from signing.judge import Circumstances, unreadable
from signing.judgement import (
    PASSED,
    Judgement,
    SignatureVerdict,
    Verdict,
    failed,
    indeterminate,
    remark,
    whole,
)
from signing.pdfparts import Change, PdfParts, PdfSignature
from signing.policy import Trust
from signing.proofs import Stamp
from signing.purpose import DOCUMENT_PURPOSES
from signing.timestamp import Imprint
from signing.tokenfile import judge_stamp_file

MARK: Final = b"%PDF-"
_STAMP: Final = "/ETSI.RFC3161"
_CMS: Final = ("/adbe.pkcs7.detached", "/ETSI.CAdES.detached")
_GAP: Final = re.compile(rb"<((?:[0-9A-Fa-f]{2})*)>")
_WHITE_SPACE: Final = b"\r\n\t \0\f"


class _Reader(Protocol):
    def read_pdf(self, content: bytes) -> PdfParts: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """A signature field whose byte range holds: what it signs, and the octets in the gap."""

    signature: PdfSignature
    identity: str
    octets: bytes  # CMS or token, without the padding
    imprint: Imprint
    end: int  # of the signed bytes
    change: Verdict


def judge_pdf(content: bytes, *, name: str, trust: Trust, at: datetime) -> Judgement:
    """Judge every signature of a PDF called `name`; any bytes get a judgement."""
    reader = _reader()
    if reader is None:
        problem = indeterminate(SubIndication.GENERIC, "pdf_reader_missing", name=name)
        return whole(problem, (), file_verdicts({name: content}, ()))
    try:
        parts = reader.read_pdf(content)
    except PdfRefused as exc:
        return whole(_refused(exc), (), file_verdicts({name: content}, ()))
    circumstances = Circumstances(
        trust=trust.extended(parts.values),
        at=at,
        purposes=DOCUMENT_PURPOSES,
        foreign_allowed=True,
    )
    opened = [_open(one, content, name) for one in parts.signatures]
    stamps = sorted(
        (one for one in opened if isinstance(one, _Field) and one.signature.kind == _STAMP),
        key=lambda one: one.end,
    )
    verdicts: list[SignatureVerdict] = []
    for one in opened:
        if isinstance(one, SignatureVerdict):
            verdicts.append(one)
        elif one.signature.kind == _STAMP:
            verdicts.append(_judge_stamp(one, stamps, name, circumstances))
        else:
            verdicts += _judge_signature(one, stamps, name, parts, circumstances)
    own = PASSED if verdicts else failed(SubIndication.FORMAT_FAILURE, "pdf_unsigned")
    return whole(own, verdicts, file_verdicts({name: content}, verdicts))


def _reader() -> _Reader | None:
    """Return the reader, None without the extra. It is loaded late, as it takes its time."""
    try:
        module: _Reader = importlib.import_module("signing.pdfreader")
    except ImportError:
        return None
    return module


def _refused(problem: PdfRefused) -> Verdict:
    reason = str(problem.parameters.get("reason", ""))
    if reason == "malformed":
        return failed(SubIndication.FORMAT_FAILURE, "pdf_malformed", detail=problem.message[:200])
    return indeterminate(SubIndication.SIG_CONSTRAINTS_FAILURE, "pdf_unsupported", what=reason)


def _open(signature: PdfSignature, content: bytes, name: str) -> _Field | SignatureVerdict:
    identity = f"{name}#{signature.name[:80]}"
    if signature.fault:
        detail = signature.fault
        return unreadable(
            identity, failed(SubIndication.FORMAT_FAILURE, "pdf_malformed", detail=detail)
        )
    if signature.kind not in (*_CMS, _STAMP):
        what = signature.kind.removeprefix("/")[:80] or "SubFilter"
        problem = indeterminate(SubIndication.SIG_CONSTRAINTS_FAILURE, "pdf_unsupported", what=what)
        return unreadable(identity, problem)
    try:
        return _field(signature, content, identity)
    except SignatureMalformed as exc:
        return unreadable(identity, unsupported(exc))


def _field(signature: PdfSignature, content: bytes, identity: str) -> _Field:
    if len(signature.byte_range) != 4:
        raise SignatureMalformed("expected a byte range of two parts", reason="byte_range")
    start, size, second, more = signature.byte_range
    end = second + more
    if start or not 0 < size < second < end <= len(content) or more < 0:
        raise SignatureMalformed("expected a byte range from the beginning", reason="byte_range")
    # The gap is the hexadecimal string of the signature and not one octet more.
    gap = _GAP.fullmatch(content[size:second])
    held = bytes.fromhex(gap.group(1).decode("ascii")) if gap else b""
    if gap is None or held != signature.contents:
        raise SignatureMalformed("expected the signature alone in the gap", reason="byte_range")
    try:
        octets, padding = first_value(held)
    except DerRefused as exc:
        raise SignatureMalformed(f"expected CMS: {exc.message}", reason="cms") from exc
    if padding.strip(b"\0"):
        raise SignatureMalformed("expected zeros behind the signature", reason="padding")
    view = memoryview(content)

    def imprint(hash_name: str) -> bytes:
        digest = hashlib.new(hash_name, view[:size])
        digest.update(view[second:end])
        return digest.digest()

    rest = content[end:].strip(_WHITE_SPACE)
    trailing = rest if signature.is_last else rest[rest.rfind(b"%%EOF") + 5 :]
    return _Field(
        signature=signature,
        identity=identity,
        octets=octets,
        imprint=imprint,
        end=end,
        change=_judge_change(Change.NOT_COVERED if trailing else signature.change),
    )


def _judge_change(change: Change) -> Verdict:
    """Judge what happened after a signature (ISO 32000-2 §12.8.2.2)."""
    match change:
        case Change.NONE:
            return PASSED
        case Change.ARCHIVED | Change.SIGNED | Change.ALLOWED:
            return remark(f"pdf_{change.value}")
        case Change.UNSTATED | Change.UNTOLD:
            return indeterminate(SubIndication.SIG_CONSTRAINTS_FAILURE, f"pdf_{change.value}")
        case Change.FORBIDDEN | Change.UNEXPLAINED | Change.NOT_COVERED:
            return failed(SubIndication.FORMAT_FAILURE, f"pdf_{change.value}")
        case _:
            assert_never(change)


def _judge_signature(
    field: _Field,
    stamps: Sequence[_Field],
    name: str,
    parts: PdfParts,
    circumstances: Circumstances,
) -> list[SignatureVerdict]:
    later = [one for one in stamps if one.end > field.end]
    signed = Signed(
        covers=(name,) if field.change.is_passed else (),
        imprint=field.imprint,
        name=name,
        verdict=field.change,
        values=parts.values,
        stamps=tuple(_stamp(one) for one in later if not one.signature.has_values),
        archives=tuple(_stamp(one) for one in later if one.signature.has_values),
        stamps_suffice=True,
        claimed_time=field.signature.claimed_time,
    )
    try:
        data = _cms(field.octets)
    except SignatureMalformed as exc:
        return [unreadable(field.identity, unsupported(exc))]
    return judge_cms(field.identity, data, signed=signed, circumstances=circumstances)


def _cms(octets: bytes) -> SignedData:
    data = parse_cms(octets)
    if data.content is not None:
        # What such a signature is over need not be the document.
        raise SignatureMalformed("expected a detached signature, got content", reason="content")
    if len(data.signers) != 1:
        raise SignatureMalformed("expected one signer of a PDF signature", reason="signers")
    return data


def _judge_stamp(
    field: _Field, stamps: Sequence[_Field], name: str, circumstances: Circumstances
) -> SignatureVerdict:
    found = judge_stamp_file(
        field.octets,
        identity=field.identity,
        imprint=field.imprint,
        covers=(name,),
        verdict=field.change,
        trust=circumstances.trust,
        at=circumstances.at,
        archives=tuple(_stamp(one) for one in stamps if one.end > field.end),
    )
    return found if field.change.is_passed else replace(found, covers=())


def _stamp(field: _Field) -> Stamp:
    return Stamp(token=field.octets, imprint=field.imprint)
