"""Judge whatever an auditor holds: a bundle, a container, a receipt, signed XML, a time-stamp."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from dossier.envelope import Assurance
from dossier.report import Subject, TimeBasis
from signing import bulk, zipfile
from signing.cms import is_cms
from signing.cmsfile import detached_target, judge_cms_file
from signing.container import is_foreign
from signing.errors import FileNameRefused, ZipRefused
from signing.evidence import layout
from signing.evidence.binding import Grounds, find
from signing.evidence.judge import judge_bundle
from signing.evidence.judgement import (
    BundleJudgement,
    MessageVerdict,
    SignatureFinding,
    TrustGiven,
    bare,
    verdict_of,
)
from signing.evidence.message import judge_receipt, judge_sealed, refusal_notice
from signing.evidence.trust import judge_anchors, judge_directory, trust_of
from signing.indication import SubIndication
from signing.judgement import FileVerdict, Judgement, Reason, SignatureVerdict, failed, gravest
from signing.pdf import MARK as PDF_MARK
from signing.pdf import judge_pdf
from signing.purpose import DOCUMENT_PURPOSES, Purpose
from signing.recordfile import is_record, judge_record_file, proved_name
from signing.references import detached_names
from signing.tokenfile import is_token, judge_token
from signing.verify import XML_SIGNATURE, judge_xml, mapped
from signing.xades import PROFILE_MARK

# How far into a file its kind is looked for; the roots of our own XML stand at its very start.
_HEAD_BYTES: Final = 256
_ARCHIVE: Final = b"PK"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_TOKEN_SUFFIXES: Final = ("tsr", "tst")
_TRUST_LIST_ROOT: Final = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?TrustServiceStatusList\s")
_LIST_KEYS: Final = frozenset({Purpose.TRUST_LIST})
_RECEIPT_ROOT: Final = b'<Receipt xmlns="urn:lienthong:receipt:1">'
_DIRECTORY_ROOT: Final = b'<Directory xmlns="urn:lienthong:directory:1">'
# A file in one of these folders makes a container a bundle, whatever else was taken out of it.
_BUNDLE_FOLDERS: Final = (layout.MESSAGES, layout.RECEIPTS, layout.HISTORY, layout.TRUST)

_Judge = Callable[[bytes, str, Grounds], BundleJudgement]


def judge_file(
    content: bytes | Path,
    *,
    name: str,
    given: TrustGiven,
    at: datetime,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> BundleJudgement:
    """Return the judgement of any file at the instant `at`; its kind is read from its bytes.

    `name` only names the file in the answer; `files` are those of `files_wanted` that are at hand.
    Of a path, a container is mapped and not read into memory; others must not change it meanwhile.
    Raises only `OSError`.
    """
    if isinstance(content, Path):
        view = mapped(content)
        if bytes(view[: len(_ARCHIVE)]) == _ARCHIVE and not _is_bundle(view):
            grounds = _grounds(given, at)
            return _under_anchors(_judge_container(view, name, grounds), given, grounds)
    octets = content if isinstance(content, bytes) else content.read_bytes()
    subject = subject_of(octets)
    if subject is Subject.BUNDLE:
        return judge_bundle(octets, given=given, at=at)
    judges: dict[Subject, _Judge] = {
        Subject.CONTAINER: _judge_container,
        Subject.RECEIPT: _judge_receipt,
        Subject.DIRECTORY: _judge_directory,
        Subject.XML: partial(_judge_xml, files),
        Subject.TIMESTAMP: partial(_judge_token, files),
        Subject.CMS: partial(_judge_cms, files),
        Subject.PDF: _judge_pdf,
    }
    if subject not in judges:
        unknown = failed(SubIndication.FORMAT_FAILURE, "file_kind_unknown", name=name)
        return BundleJudgement(subject=subject, verdict=unknown, sha256=_sha256(octets))
    grounds = _grounds(given, at)
    return _under_anchors(judges[subject](octets, name, grounds), given, grounds)


def _under_anchors(found: BundleJudgement, given: TrustGiven, grounds: Grounds) -> BundleJudgement:
    if found.verdict.is_passed:
        return found  # under an anchor, then: one that was given, or named and brought along
    return replace(found, verdict=gravest(judge_anchors(given, grounds.trust), found.verdict))


def files_wanted(content: bytes, *, name: str) -> tuple[str, ...]:
    """Return the names of files beside `name` that its signature or time-stamp may be over."""
    subject = subject_of(content)
    if subject is Subject.XML:
        stem = quote(name.rpartition(".")[0])
        return detached_names(content, unnamed=stem) if PROFILE_MARK not in content else ()
    if subject is Subject.TIMESTAMP:
        if is_record(content):
            return tuple(filter(None, [proved_name(name)]))
        stem, _, suffix = name.rpartition(".")
        return (stem,) if suffix.lower() in _TOKEN_SUFFIXES and stem else ()
    return detached_target(content, name=name) if subject is Subject.CMS else ()


def subject_of(octets: bytes) -> Subject:
    """Return what the bytes claim to be."""
    head = octets[:_HEAD_BYTES].removeprefix(_BYTE_ORDER_MARK).lstrip()
    if octets.startswith(_ARCHIVE):
        return Subject.BUNDLE if _is_bundle(octets) else Subject.CONTAINER
    if head.startswith(_RECEIPT_ROOT):
        return Subject.RECEIPT
    if head.startswith(_DIRECTORY_ROOT):
        return Subject.DIRECTORY
    if octets.startswith(PDF_MARK):
        return Subject.PDF
    if is_token(octets) or is_record(octets):
        return Subject.TIMESTAMP
    if is_cms(octets):
        return Subject.CMS
    return Subject.XML if head.startswith(b"<") else Subject.UNKNOWN


def _is_bundle(octets: bytes | memoryview) -> bool:
    try:
        archive = zipfile.read(octets)
    except (ZipRefused, FileNameRefused):
        return isinstance(octets, bytes) and layout.INDEX.encode() in octets
    # Another tool's container may have a folder of such a name; it cannot be a bundle of ours.
    return not is_foreign(archive) and any(
        one.name.startswith(_BUNDLE_FOLDERS) for one in archive.entries
    )


def _grounds(given: TrustGiven, at: datetime) -> Grounds:
    trust = trust_of(given, {})
    if given.directory is None:
        return Grounds(trust=trust, at=at, directory=None, directory_verdict=None)
    verdict, directory, _ = judge_directory(given.directory, trust=trust, at=at)
    return Grounds(trust=trust, at=at, directory=directory, directory_verdict=verdict)


def _judge_container(octets: bytes | memoryview, name: str, grounds: Grounds) -> BundleJudgement:
    finding = judge_sealed(
        octets, name="", assurance=Assurance.SEALED, received=None, grounds=grounds
    )
    messages = (
        (
            MessageVerdict(
                name=name,
                verdict=finding.verdict,
                envelope=finding.envelope,
                assurance=Assurance.SEALED,
                receipt_name="",
                receipt=None,
                basis=TimeBasis.NONE,
            ),
        )
        if finding.envelope is not None
        else ()
    )
    return BundleJudgement(
        subject=Subject.CONTAINER,
        verdict=finding.verdict,
        # A seal says whose it is only together with a directory.
        notices=_notices(grounds) if _has_seal(finding.signatures) else (),
        signatures=finding.signatures,
        files=finding.files,
        messages=messages,
        directory_number=grounds.directory.number if grounds.directory else None,
        sha256=_sha256(octets),
    )


def _judge_receipt(octets: bytes, name: str, grounds: Grounds) -> BundleJudgement:
    finding = judge_receipt(octets, name=name, grounds=grounds)
    receipt = finding.receipt
    message = MessageVerdict(
        name=name,
        verdict=finding.verdict,
        envelope=None,
        assurance=Assurance.NONE,
        receipt_name=name,
        receipt=receipt,
        basis=TimeBasis.SELF_ASSERTED if receipt else TimeBasis.NONE,
    )
    refused = refusal_notice(message)
    return BundleJudgement(
        subject=Subject.RECEIPT,
        verdict=finding.verdict,
        notices=(*_notices(grounds), *((refused,) if refused else ())),
        signatures=finding.signatures,
        files=(_whole_file(octets, name, finding.signatures),),
        messages=(message,),
        directory_number=grounds.directory.number if grounds.directory else None,
        sha256=_sha256(octets),
    )


def _judge_directory(octets: bytes, name: str, grounds: Grounds) -> BundleJudgement:
    verdict, directory, signatures = judge_directory(
        octets, name=name, trust=grounds.trust, at=grounds.at
    )
    found = tuple(find(one, grounds) for one in signatures)
    return BundleJudgement(
        subject=Subject.DIRECTORY,
        verdict=gravest(verdict, *(bare(verdict_of(one.verdict)) for one in found)),
        signatures=found,
        files=(_whole_file(octets, name, found),),
        directory_number=directory.number if directory else None,
        sha256=_sha256(octets),
    )


def _judge_xml(
    files: Mapping[str, bytes], octets: bytes, name: str, grounds: Grounds
) -> BundleJudgement:
    purposes = _LIST_KEYS if _TRUST_LIST_ROOT.match(octets) else DOCUMENT_PURPOSES
    judgement = judge_xml(
        octets, trust=grounds.trust, at=grounds.at, purposes=purposes, files=files
    )
    ids = {one.id for one in judgement.signatures}
    signatures = tuple(_of_document(one, name, ids) for one in judgement.signatures)
    found = tuple(find(one, grounds) for one in signatures)
    document = _whole_file(octets, name, found)
    beside = [
        replace(one, covered_by=tuple(sig.id for sig in signatures if one.name in sig.covers))
        for one in judgement.files
        if one.name in files
    ]
    return BundleJudgement(
        subject=Subject.XML,
        verdict=gravest(verdict_of(judgement), *(bare(verdict_of(one.verdict)) for one in found)),
        signatures=found,
        # A document that only signs files beside it holds nothing to be covered.
        files=(*((document,) if document.covered_by or not beside else ()), *beside),
        sha256=_sha256(octets),
    )


def _of_document(signature: SignatureVerdict, name: str, ids: Collection[str]) -> SignatureVerdict:
    """Return the signature under the path of its document, which parts of it stand for."""

    def named(identity: str) -> str:
        return name + identity.removeprefix(XML_SIGNATURE)

    inside = any(one == "" or one.startswith("#") for one in signature.covers)
    others = [one for one in signature.covers if one and not one.startswith("#")]
    return replace(
        signature,
        id=named(signature.id),
        covers=(
            *((name,) if inside else ()),
            *(named(one) if one in ids else one for one in others),
        ),
    )


def _judge_cms(
    files: Mapping[str, bytes], octets: bytes, name: str, grounds: Grounds
) -> BundleJudgement:
    judgement = judge_cms_file(octets, name=name, files=files, trust=grounds.trust, at=grounds.at)
    return _of_file(Subject.CMS, judgement, octets, grounds)


def _judge_pdf(octets: bytes, name: str, grounds: Grounds) -> BundleJudgement:
    judgement = judge_pdf(octets, name=name, trust=grounds.trust, at=grounds.at)
    return _of_file(Subject.PDF, judgement, octets, grounds)


def _of_file(
    subject: Subject, judgement: Judgement, octets: bytes, grounds: Grounds
) -> BundleJudgement:
    found = tuple(find(one, grounds) for one in judgement.signatures)
    return BundleJudgement(
        subject=subject,
        verdict=gravest(verdict_of(judgement), *(bare(verdict_of(one.verdict)) for one in found)),
        signatures=found,
        files=judgement.files,
        sha256=_sha256(octets),
    )


def _judge_token(
    files: Mapping[str, bytes], octets: bytes, name: str, grounds: Grounds
) -> BundleJudgement:
    judges = judge_record_file if is_record(octets) else judge_token
    judgement = judges(octets, identity=name, files=files, trust=grounds.trust, at=grounds.at)
    return BundleJudgement(
        subject=Subject.TIMESTAMP,
        verdict=gravest(*(bare(verdict_of(one)) for one in judgement.signatures)),
        signatures=tuple(SignatureFinding(verdict=one) for one in judgement.signatures),
        files=judgement.files,
        sha256=_sha256(octets),
    )


def _has_seal(signatures: tuple[SignatureFinding, ...]) -> bool:
    return any(one.verdict.purpose is Purpose.SEAL for one in signatures)


def _notices(grounds: Grounds) -> tuple[Reason, ...]:
    return (Reason(code="agency_not_checked"),) if grounds.directory_verdict is None else ()


def _whole_file(octets: bytes, name: str, signatures: tuple[SignatureFinding, ...]) -> FileVerdict:
    return FileVerdict(
        name=name,
        sha256=_sha256(octets),
        size=len(octets),
        covered_by=tuple(one.verdict.id for one in signatures if name in one.verdict.covers),
    )


def _sha256(octets: bytes | memoryview) -> str:
    return bulk.sha256(octets).hex()
