"""Verification: bytes, trust and an instant in; a judgement, or verified bytes, out.

`judge_…` never raises for bad content. `open_…` raises unless everything passed, and returns
the verified bytes; use nothing but what it returned. Neither reads a clock or the network.
"""

from __future__ import annotations

import hashlib
import io
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

from signing import bulk, zipfile
from signing.container import Parts, is_foreign, parts_of
from signing.enveloped import Enveloped, read_xml
from signing.errors import (
    ContentChanged,
    DocumentNotCanonical,
    FileNameRefused,
    SignatureMalformed,
    VerificationFailed,
    VerificationIndeterminate,
    VerificationPending,
    ZipRefused,
)
from signing.foreigncontainer import judge_foreign_container
from signing.foreignfile import judge_foreign_xml
from signing.indication import Indication, SubIndication
from signing.judge import Circumstances, judge_signature, unreadable
from signing.judgement import (
    PASSED,
    FileVerdict,
    Judgement,
    Level,
    Reason,
    SignatureVerdict,
    TimeProof,
    TimestampVerdict,
    Verdict,
    failed,
    gravest,
    whole,
)
from signing.policy import Trust
from signing.proofs import SignedData
from signing.purpose import DOCUMENT_PURPOSES, Purpose
from signing.xades import PROFILE_MARK

__all__ = [
    "XML_SIGNATURE",
    "FileVerdict",
    "Judgement",
    "Level",
    "Reason",
    "SignatureVerdict",
    "TimeProof",
    "TimestampVerdict",
    "VerifiedContainer",
    "VerifiedFile",
    "VerifiedXml",
    "judge_container",
    "judge_own_container",
    "judge_xml",
    "mapped",
    "open_container",
    "open_foreign_xml",
    "open_xml",
    "require_passed",
]

XML_SIGNATURE: Final = "signature"
_CHUNK_BYTES: Final = 256 * 1024
# Said before any work is done: what is opened is opened by the exchange, which takes our own only.
_NOT_OURS: Final = failed(SubIndication.FORMAT_FAILURE, "profile_required")


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedFile:
    """One verified data file. Of a mapped container the digest is checked again when it is read."""

    name: str
    media_type: str  # as signed
    sha256: str  # lower-case hexadecimal
    size: int  # bytes
    view: memoryview  # into the container
    mapped: bool  # the container is a file on disk, which others could change

    @property
    def content(self) -> bytes:
        """Return the bytes; raise `ContentChanged` if the mapped file is not what was verified."""
        content = bytes(self.view)
        if self.mapped and hashlib.sha256(content).hexdigest() != self.sha256:
            raise ContentChanged(
                f"expected {self.name} as verified, got other bytes", name=self.name
            )
        return content

    def open(self) -> BinaryIO:
        """Return a stream; its end raises `ContentChanged` if the mapped file was changed."""
        return io.BufferedReader(_Stream(self), buffer_size=_CHUNK_BYTES)


class _Stream(io.RawIOBase):
    """Read a verified file without holding it in memory, and digest what is read."""

    def __init__(self, file: VerifiedFile) -> None:
        self._file = file
        self._position = 0
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # the Buffer type of the base has no name before Python 3.12
        target = memoryview(buffer).cast("B")
        piece = bytes(self._file.view[self._position : self._position + len(target)])
        target[: len(piece)] = piece
        if self._position // bulk.PIECE_BYTES != (self._position + len(piece)) // bulk.PIECE_BYTES:
            bulk.release(self._file.view)
        self._position += len(piece)
        self._digest.update(piece)
        if not piece and self._digest.hexdigest() != self._file.sha256:
            name = self._file.name
            raise ContentChanged(f"expected {name} as verified, got other bytes", name=name)
        return len(piece)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedContainer:
    """What a container held, all of it verified."""

    judgement: Judgement
    files: Mapping[str, VerifiedFile]  # by name, in the order of the archive
    signatures: tuple[SignatureVerdict, ...]
    documents: Mapping[str, bytes]  # signature documents by entry name, as they stand


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedXml:
    """A verified enveloped document."""

    judgement: Judgement
    content: bytes  # the canonical octets that were signed, without the signature
    signature: SignatureVerdict


def judge_container(
    content: bytes | memoryview | Path,
    *,
    trust: Trust,
    at: datetime,
    purposes: frozenset[Purpose] = DOCUMENT_PURPOSES,
    caps: zipfile.Caps = zipfile.DEFAULT_CAPS,
) -> Judgement:
    """Judge a container at the instant `at`; any bytes get a judgement. Raises only `OSError`."""
    circumstances = Circumstances(
        trust=trust, at=at, purposes=purposes, foreign_allowed=True, simple_allowed=True
    )
    view = mapped(content) if isinstance(content, Path) else memoryview(content)
    return _judge_container(view, circumstances, caps)[0]


def judge_own_container(
    content: bytes, *, trust: Trust, at: datetime, purposes: frozenset[Purpose]
) -> Judgement:
    """Judge a container of our profile, ASiC-E or ASiC-S, by whatever authority's keys.

    Other profiles fail.
    """
    circumstances = Circumstances(
        trust=trust, at=at, purposes=purposes, foreign_keys_allowed=True, simple_allowed=True
    )
    return _judge_container(memoryview(content), circumstances, zipfile.DEFAULT_CAPS)[0]


def open_container(
    content: bytes | Path,
    *,
    trust: Trust,
    at: datetime,
    purposes: frozenset[Purpose] = DOCUMENT_PURPOSES,
    caps: zipfile.Caps = zipfile.DEFAULT_CAPS,
) -> VerifiedContainer:
    """Return the verified content of a container that is TOTAL-PASSED.

    Raises `VerificationPending` (revocation data missing or stale), `VerificationIndeterminate`
    or `VerificationFailed`, each carrying the judgement.
    """
    view = mapped(content) if isinstance(content, Path) else memoryview(content)
    judgement, parts = _judge_container(
        view, Circumstances(trust=trust, at=at, purposes=purposes), caps
    )
    require_passed(judgement)
    if parts is None:
        raise VerificationFailed(judgement)
    files = {
        one.name: VerifiedFile(
            name=one.name,
            media_type=parts.media_types[one.name],
            sha256=parts.digests[one.name].hex(),
            size=len(one.content),
            view=one.content,
            mapped=isinstance(content, Path),
        )
        for one in parts.files
    }
    return VerifiedContainer(
        judgement=judgement,
        files=MappingProxyType(files),
        signatures=judgement.signatures,
        documents=MappingProxyType(dict(parts.raw_documents)),
    )


def judge_xml(
    content: bytes,
    *,
    trust: Trust,
    at: datetime,
    purposes: frozenset[Purpose] = DOCUMENT_PURPOSES,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Judgement:
    """Judge a signed XML document; any bytes get a judgement.

    `files` are those that a detached signature of another tool names, by name.
    """
    circumstances = Circumstances(trust=trust, at=at, purposes=purposes, foreign_allowed=True)
    return _judge_xml(content, circumstances, files)[0]


def open_xml(
    content: bytes, *, trust: Trust, at: datetime, purposes: frozenset[Purpose]
) -> VerifiedXml:
    """Return the verified octets of an enveloped document; raises as `open_container` does."""
    judgement, parts = _judge_xml(content, Circumstances(trust=trust, at=at, purposes=purposes))
    require_passed(judgement)
    if parts is None:
        raise VerificationFailed(judgement)
    return VerifiedXml(
        judgement=judgement, content=parts.content, signature=judgement.signatures[0]
    )


def open_foreign_xml(
    content: bytes, *, trust: Trust, at: datetime, purposes: frozenset[Purpose]
) -> VerifiedXml:
    """Return the canonical octets of a document that another tool's signature covers as a whole.

    Raises as `open_container` does; a signature that leaves a part uncovered does not pass.
    """
    circumstances = Circumstances(trust=trust, at=at, purposes=purposes, foreign_allowed=True)
    judgement, octets = judge_foreign_xml(content, {}, circumstances)
    require_passed(judgement)
    if octets is None:
        raise VerificationFailed(judgement)
    return VerifiedXml(judgement=judgement, content=octets, signature=judgement.signatures[0])


def mapped(path: Path) -> memoryview:
    """Return a file's bytes without reading them; raise `OSError`."""
    with path.open("rb") as source:
        if not path.stat().st_size:
            return memoryview(b"")  # an empty file cannot be mapped
        return memoryview(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ))


def require_passed(judgement: Judgement) -> None:
    """Return when the judgement passed, else raise it as `open_container` does."""
    if judgement.is_passed:
        return
    if judgement.indication is Indication.TOTAL_FAILED:
        raise VerificationFailed(judgement)
    if judgement.sub_indication is SubIndication.TRY_LATER:
        raise VerificationPending(judgement)
    raise VerificationIndeterminate(judgement)


def _judge_container(
    view: memoryview, circumstances: Circumstances, caps: zipfile.Caps
) -> tuple[Judgement, Parts | None]:
    try:
        archive = zipfile.read(view, caps=caps)
    except (ZipRefused, FileNameRefused) as exc:
        verdict = failed(
            SubIndication.FORMAT_FAILURE,
            exc.code,
            reason=str(exc.parameters.get("reason", "")),
            name=str(exc.parameters.get("name", "")),
        )
        return whole(verdict, (), ()), None
    if is_foreign(archive):
        if not circumstances.foreign_allowed:
            return whole(_NOT_OURS, (), ()), None
        return judge_foreign_container(archive, circumstances), None
    parts = parts_of(archive)
    if parts.is_simple and not circumstances.simple_allowed:
        return whole(_NOT_OURS, (), ()), None
    data = SignedData(
        names=parts.names,
        digests=parts.digests,
        contents={one.name: one.content for one in parts.files},
    )
    signatures = tuple(
        unreadable(name, _malformed(document))
        if isinstance(document, SignatureMalformed)
        else judge_signature(
            name,
            document,
            data=data,
            circumstances=circumstances,
        )
        for name, document in parts.documents
    )
    files = tuple(
        FileVerdict(
            name=one.name,
            sha256=parts.digests[one.name].hex(),
            size=len(one.content),
            covered_by=tuple(sig.id for sig in signatures if one.name in sig.covers),
        )
        for one in parts.files
    )
    verdict = gravest(parts.layout, *_coverage(parts, signatures))
    return whole(verdict, signatures, files), parts


def _malformed(problem: SignatureMalformed | DocumentNotCanonical) -> Verdict:
    return failed(
        SubIndication.FORMAT_FAILURE,
        problem.code,
        reason=str(problem.parameters.get("reason", "")),
    )


def _coverage(parts: Parts, signatures: tuple[SignatureVerdict, ...]) -> list[Verdict]:
    """Return what is wrong with who covers what; a changed file is its signature's fault."""
    faults: list[Verdict] = []
    if not signatures:
        faults.append(failed(SubIndication.FORMAT_FAILURE, "no_signature"))
    if not parts.files:
        faults.append(failed(SubIndication.FORMAT_FAILURE, "no_file"))
    faults += [
        failed(SubIndication.FORMAT_FAILURE, "file_not_covered", name=one.name)
        for one in parts.files
        if one.name not in parts.media_types
    ]
    return faults


def _judge_xml(
    content: bytes,
    circumstances: Circumstances,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> tuple[Judgement, Enveloped | None]:
    if PROFILE_MARK not in content and not circumstances.foreign_allowed:
        return whole(_NOT_OURS, (unreadable(XML_SIGNATURE, _NOT_OURS),), ()), None
    if PROFILE_MARK not in content:
        return judge_foreign_xml(content, files, circumstances)[0], None
    try:
        parts = read_xml(content)
    except (SignatureMalformed, DocumentNotCanonical) as exc:
        verdict = _malformed(exc)
        return whole(verdict, (unreadable(XML_SIGNATURE, verdict),), ()), None
    digest = hashlib.sha256(parts.content).digest()
    signature = judge_signature(
        XML_SIGNATURE,
        parts.signature,
        data=SignedData(
            names={"": ""}, digests={"": digest}, contents={"": memoryview(parts.content)}
        ),
        circumstances=circumstances,
    )
    file = FileVerdict(
        name="",
        sha256=digest.hex(),
        size=len(parts.content),
        covered_by=(signature.id,) if signature.covers else (),
    )
    return whole(PASSED, (signature,), (file,)), parts
