"""Judging ASiC containers of other tools (EN 319 162-1): XAdES, CAdES and time-stamps inside.

A CMS signature or a time-stamp is over the one file of an ASiC-S, or over an ASiCManifest, which
names the files. A time-stamp over signatures is an archive time-stamp of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from signing import asicmanifest, zipfile
from signing.asic import MANIFEST_NAME
from signing.asicmanifest import Manifest, parse_manifest
from signing.cades import Signed, judge_cms, unsupported
from signing.cms import parse_cms
from signing.errors import SignatureMalformed, TimestampMalformed
from signing.foreignfile import file_verdicts, judge_document
from signing.indication import SubIndication
from signing.judge import Circumstances, unreadable
from signing.judgement import (
    PASSED,
    Judgement,
    SignatureVerdict,
    Verdict,
    failed,
    gravest,
    indeterminate,
    remark,
    whole,
)
from signing.proofs import Stamp, digester
from signing.timestamp import Imprint, parse_foreign_token
from signing.tokenfile import judge_stamp_file, token_in

_ASIC_S: Final = b"application/vnd.etsi.asic-s+zip"
_MIME_TYPES: Final = (b"application/vnd.etsi.asic-e+zip", _ASIC_S)
_XML: Final = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml", re.IGNORECASE)
_CMS: Final = re.compile(r"META-INF/[^/]*\.p7[sm]", re.IGNORECASE)
_TOKEN: Final = re.compile(r"META-INF/[^/]*\.tst", re.IGNORECASE)
_RECORD: Final = re.compile(r"META-INF/[^/]*(?:\.ers|evidencerecord[^/]*\.xml)", re.IGNORECASE)
MAX_SIGNATURES: Final = 128  # and manifests
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stamped:
    """A time-stamp of the container and what it is over."""

    name: str
    octets: bytes  # the token, DER or BER
    time: datetime
    over: _Over


@dataclass(frozen=True, kw_only=True, slots=True)
class _Over:
    """What a CMS signature or a time-stamp of the container is over."""

    name: str  # of the octets that are signed: the manifest, or the one file
    imprint: Imprint | None
    held: tuple[str, ...]  # entries that it covers
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class _Container:
    contents: Mapping[str, bytes | memoryview]  # all entries, by name
    files: Mapping[str, bytes | memoryview]  # the data among them
    manifests: Mapping[str, Manifest]  # by the name of the signature or time-stamp over it
    over: Mapping[str, _Over]  # by the name of the CMS signature or time-stamp
    faults: tuple[Verdict, ...]


def judge_foreign_container(archive: zipfile.Archive, circumstances: Circumstances) -> Judgement:
    """Judge an ASiC-E or ASiC-S container of another tool; what is not supported is named."""
    signatures = [one for one in archive.entries if _is_signature(one.name)]
    if len(signatures) > MAX_SIGNATURES:
        many = SignatureMalformed(f"expected at most {MAX_SIGNATURES}", reason="signatures")
        return whole(unsupported(many), (), ())
    container = _taken_apart(archive)
    stamps = sorted(_stamps(container), key=lambda one: one.time)
    found: list[SignatureVerdict] = []
    named: set[str] = set()
    for name, content in container.contents.items():
        if _XML.fullmatch(name):
            documents = judge_document(
                name, bytes(content), files=container.files, circumstances=circumstances
            )
            found += [one.verdict for one in documents]
            named.update(file for one in documents for file in one.named)
        elif _CMS.fullmatch(name):
            found += _judge_cms(name, container, stamps, circumstances)
        elif _TOKEN.fullmatch(name):
            found.append(_judge_token(name, container, stamps, circumstances))
        elif _RECORD.fullmatch(name):
            problem = indeterminate(SubIndication.GENERIC, "binary_unsupported", name=name)
            found.append(unreadable(name, problem))
    # A file that one of these is over alone is named, whether it holds or not.
    named.update(one.name for one in container.over.values())
    named.update(file.name for one in container.manifests.values() for file in one.files)
    faults = _container_faults(archive, container, named, found)
    return whole(gravest(PASSED, *faults), found, file_verdicts(container.files, found))


def _is_signature(name: str) -> bool:
    return any(one.fullmatch(name) for one in (_XML, _CMS, _TOKEN, _RECORD, asicmanifest.NAME))


def _taken_apart(archive: zipfile.Archive) -> _Container:
    contents = {one.name: one.content for one in archive.entries}
    manifests: dict[str, Manifest] = {}
    faults: list[Verdict] = []
    for name, content in contents.items():
        if not asicmanifest.NAME.fullmatch(name):
            continue
        try:
            manifest = parse_manifest(name, content)
        except SignatureMalformed as exc:
            faults.append(unsupported(exc))
            continue
        if manifest.signature not in contents:
            faults.append(
                indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "manifest_unsigned", name=name)
            )
        elif manifests.setdefault(manifest.signature, manifest) is not manifest:
            faults.append(failed(SubIndication.FORMAT_FAILURE, "manifest_twice", name=name))
    files = {
        name: content
        for name, content in contents.items()
        if name != "mimetype" and not name.startswith("META-INF/")
    }
    return _Container(
        contents=contents,
        files=files,
        manifests=manifests,
        over={
            name: _over(name, contents, files, manifests.get(name))
            for name in contents
            if _CMS.fullmatch(name) or _TOKEN.fullmatch(name)
        },
        faults=tuple(faults),
    )


def _over(
    name: str,
    contents: Mapping[str, bytes | memoryview],
    files: Mapping[str, bytes | memoryview],
    manifest: Manifest | None,
) -> _Over:
    """Return what the signature or time-stamp `name` is over."""
    if manifest is not None:
        held, verdict = manifest.judge(contents)
        imprint = digester(manifest.content)
        return _Over(name=manifest.name, imprint=imprint, held=held, verdict=verdict)
    if len(files) != 1:
        missing = indeterminate(SubIndication.SIGNED_DATA_NOT_FOUND, "manifest_missing", name=name)
        return _Over(name=name, imprint=None, held=(), verdict=missing)
    ((file, content),) = files.items()
    return _Over(name=file, imprint=digester(content), held=(file,), verdict=PASSED)


def _container_faults(
    archive: zipfile.Archive,
    container: _Container,
    named: set[str],
    found: Sequence[SignatureVerdict],
) -> Iterator[Verdict]:
    entries = archive.entries
    if any(one.name == "mimetype" for one in entries):
        # Row 24: a mimetype comes first and is one of ASiC.
        kind = bytes(entries[0].content[:80]) if entries[0].name == "mimetype" else b""
        if kind not in _MIME_TYPES:
            yield failed(SubIndication.FORMAT_FAILURE, "profile_mimetype")
        if kind == _ASIC_S and len(container.files) > 1:
            yield failed(SubIndication.FORMAT_FAILURE, "simple_with_many")
    for name in container.files:
        if name not in named:
            yield failed(SubIndication.FORMAT_FAILURE, "file_not_covered", name=name)
    if not container.files:
        yield failed(SubIndication.FORMAT_FAILURE, "no_file")
    yield from container.faults
    yield from _judge_listing(container)
    if not found:
        yield failed(SubIndication.FORMAT_FAILURE, "no_signature")


def _judge_listing(container: _Container) -> Iterator[Verdict]:
    """Row 31: nothing signs the listing, so what is wrong with it is told and spoils nothing."""
    content = container.contents.get(MANIFEST_NAME)
    if content is None:
        return
    listed = asicmanifest.listed_files(content)
    if listed is None:
        yield remark("listing_unreadable")
    for name in listed or ():
        if name not in container.contents:
            yield remark("listing_lies", name=name[:200])
            return


def _stamps(container: _Container) -> Iterator[_Stamped]:
    for name, content in container.contents.items():
        if _TOKEN.fullmatch(name):
            octets = token_in(bytes(content))
            try:
                time = parse_foreign_token(octets).time
            except TimestampMalformed:
                time = _NEVER
            yield _Stamped(name=name, octets=octets, time=time, over=container.over[name])


def _archives(name: str, stamps: Sequence[_Stamped]) -> tuple[Stamp, ...]:
    """Return the time-stamps over the entry `name`, oldest first, each over those before it.

    One that leaves out an older one counts for nothing: the older could have been put in later.
    """
    found: list[Stamp] = []
    names: list[str] = []
    for one in stamps:
        if {name, *names} <= set(one.over.held) and one.over.imprint is not None:
            found.append(Stamp(token=one.octets, imprint=one.over.imprint))
            names.append(one.name)
    return tuple(found)


def _judge_cms(
    name: str, container: _Container, stamps: Sequence[_Stamped], circumstances: Circumstances
) -> list[SignatureVerdict]:
    over = container.over[name]
    signed = Signed(
        covers=tuple(one for one in over.held if one in container.files),
        imprint=over.imprint,
        name=over.name,
        verdict=over.verdict,
        archives=_archives(name, stamps),
    )
    try:
        data = parse_cms(bytes(container.contents[name]))
        if data.content is not None:
            raise SignatureMalformed("expected a detached signature, got content", reason="content")
    except SignatureMalformed as exc:
        return [unreadable(name, unsupported(exc))]
    return judge_cms(name, data, signed=signed, circumstances=circumstances)


def _judge_token(
    name: str, container: _Container, stamps: Sequence[_Stamped], circumstances: Circumstances
) -> SignatureVerdict:
    over = container.over[name]
    return judge_stamp_file(
        bytes(container.contents[name]),
        identity=name,
        imprint=over.imprint,
        covers=over.held,
        verdict=over.verdict,
        trust=circumstances.trust,
        at=circumstances.at,
        archives=_archives(name, stamps),
    )
