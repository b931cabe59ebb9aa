"""Taking a container apart: which entries are data, which are signatures, and is all canonical.

No byte of a container of our profile is free: what no signature covers (ZIP headers, mimetype,
manifest, the frame of the signature documents) is rebuilt and compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from signing import bulk, zipfile
from signing.asic import (
    DOCUMENT_CLOSE,
    DOCUMENT_OPEN,
    MANIFEST_NAME,
    MIME_TYPE,
    MIME_TYPE_NAME,
    SIMPLE_MIME_TYPE,
    SIMPLE_SIGNATURE_NAME,
    encode_name,
    manifest_xml,
    signature_name,
)
from signing.errors import SignatureMalformed
from signing.indication import SubIndication
from signing.judgement import PASSED, Verdict, failed
from signing.xades import PROFILE_MARK, OwnSignature, read_signature

_SIGNATURE_NAME: Final = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml", re.IGNORECASE)
_FEW: Final = 16
_BINARY_NAME: Final = re.compile(r"META-INF/[^/]*\.(p7s|tst|ers)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """A container taken apart; nothing in it is proved yet."""

    files: tuple[zipfile.Entry, ...]  # data files, in the order of the archive
    documents: tuple[tuple[str, OwnSignature | SignatureMalformed], ...]  # by entry name
    raw_documents: tuple[tuple[str, bytes], ...]  # the same, as they stand
    digests: Mapping[str, bytes]  # SHA-256 by file name
    names: Mapping[str, str]  # file name by reference URI
    media_types: Mapping[str, str]  # by file name, as signed
    layout: Verdict  # faults of the container itself
    is_simple: bool  # ASiC-S: one file, one signature, no manifest


def take_apart(content: bytes | memoryview, *, caps: zipfile.Caps = zipfile.DEFAULT_CAPS) -> Parts:
    """Return the parts; raise `ZipRefused` or `FileNameRefused` when it is no archive."""
    return parts_of(zipfile.read(content, caps=caps))


def is_foreign(archive: zipfile.Archive) -> bool:
    """Return whether other tools' signatures stand in the archive, and none of our profile."""
    found = False
    for _, content in _documents(archive):
        if PROFILE_MARK in content:
            return False
        found = True
    return found or any(_BINARY_NAME.fullmatch(one.name) for one in archive.entries)


def _documents(archive: zipfile.Archive) -> Iterator[tuple[str, bytes]]:
    for one in archive.entries:
        if one.name.startswith("META-INF/") and _SIGNATURE_NAME.fullmatch(one.name):
            yield one.name, bytes(one.content)


def parts_of(archive: zipfile.Archive) -> Parts:
    """Return the parts of an archive, judged by our profile."""
    files = tuple(
        one
        for one in archive.entries
        if one.name != MIME_TYPE_NAME and not one.name.startswith("META-INF/")
    )
    names = {encode_name(one.name): one.name for one in files}
    raw_documents = tuple(_documents(archive))
    documents = tuple((name, _read_document(content)) for name, content in raw_documents)
    media_types, layout = _media_types(documents, names)
    is_simple = any(
        one.name == MIME_TYPE_NAME and one.content == SIMPLE_MIME_TYPE.encode()
        for one in archive.entries[:1]
    )
    if layout.is_passed and is_simple:
        layout = _judge_simple_layout(archive, files)
    elif layout.is_passed:
        layout = _judge_layout(archive, files, documents, media_types)
    return Parts(
        files=files,
        documents=documents,
        raw_documents=raw_documents,
        digests={one.name: bulk.sha256(one.content) for one in files},
        names=names,
        media_types=media_types,
        layout=layout,
        is_simple=is_simple,
    )


@lru_cache(maxsize=256)  # the messages of one kind have the same files
def _manifest_of_few(told: tuple[tuple[str, str], ...]) -> bytes:
    return manifest_xml(told)


def _read_document(document: bytes) -> OwnSignature | SignatureMalformed:
    framed = document.startswith(DOCUMENT_OPEN) and document.endswith(DOCUMENT_CLOSE)
    if not framed:
        return SignatureMalformed("expected a signature of our profile", reason="shape")
    try:
        signature = read_signature(document[len(DOCUMENT_OPEN) : -len(DOCUMENT_CLOSE)])
    except SignatureMalformed as exc:
        return exc
    if not all(one.uri for one in signature.references):
        return SignatureMalformed("expected references to files", reason="references")
    return signature


def _media_types(
    documents: Sequence[tuple[str, OwnSignature | SignatureMalformed]],
    names: Mapping[str, str],
) -> tuple[dict[str, str], Verdict]:
    """Return the signed media type of each file; two signatures must not tell two."""
    by_uri: dict[str, str] = {}
    for _, document in documents:
        if isinstance(document, SignatureMalformed):
            continue
        for one in document.references:
            if by_uri.setdefault(one.uri, one.media_type) != one.media_type:
                verdict = failed(SubIndication.FORMAT_FAILURE, "media_type_conflict", name=one.uri)
                return {}, verdict
    found = {name: by_uri[uri] for uri, name in names.items() if uri in by_uri}
    return found, PASSED


def _judge_simple_layout(archive: zipfile.Archive, files: Sequence[zipfile.Entry]) -> Verdict:
    if not archive.is_canonical:
        return failed(SubIndication.FORMAT_FAILURE, "profile_zip")
    if len(files) > 1:
        return failed(SubIndication.FORMAT_FAILURE, "simple_with_many")
    expected = [MIME_TYPE_NAME, *(one.name for one in files), SIMPLE_SIGNATURE_NAME]
    if [one.name for one in archive.entries] != expected:
        return failed(SubIndication.FORMAT_FAILURE, "profile_entries")
    return PASSED


def _judge_layout(
    archive: zipfile.Archive,
    files: Sequence[zipfile.Entry],
    documents: Sequence[tuple[str, object]],
    media_types: Mapping[str, str],
) -> Verdict:
    """Rebuild what no signature covers and compare (signing.md §8, last point)."""
    if not archive.is_canonical:
        return failed(SubIndication.FORMAT_FAILURE, "profile_zip")
    expected = [
        MIME_TYPE_NAME,
        *(one.name for one in files),
        MANIFEST_NAME,
        *(signature_name(number) for number in range(1, len(documents) + 1)),
    ]
    entries = archive.entries
    if [one.name for one in entries] != expected:
        return failed(SubIndication.FORMAT_FAILURE, "profile_entries")
    if entries[0].content != MIME_TYPE.encode():
        return failed(SubIndication.FORMAT_FAILURE, "profile_mimetype")
    uncovered = [one.name for one in files if one.name not in media_types]
    if uncovered:
        return PASSED  # the manifest cannot be rebuilt; coverage fails it by name
    told = tuple((one.name, media_types[one.name]) for one in files)
    manifest = _manifest_of_few(told) if len(told) <= _FEW else manifest_xml(told)
    if entries[len(files) + 1].content != manifest:
        return failed(SubIndication.FORMAT_FAILURE, "profile_manifest")
    return PASSED
