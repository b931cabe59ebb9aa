"""Writing containers: ASiC-E and ASiC-S with XAdES (EN 319 162-1) in our profile.

The profile is `docs/formats/container.md`.

A person's signature document is made first (`sign_files`); the agency's seal comes last and
covers every data file (`seal_container`). Big files are read twice and never held in memory.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from urllib.parse import quote

from signing import zipfile
from signing.errors import ContainerRefused, ContentChanged
from signing.filenames import check_names
from signing.keys import Signer
from signing.tsa import Timestamper
from signing.xades import (
    MAX_REFERENCES,
    MEDIA_TYPE,
    Reference,
    SignatureRole,
    write_signature,
)

MIME_TYPE: Final = "application/vnd.etsi.asic-e+zip"
SIMPLE_MIME_TYPE: Final = "application/vnd.etsi.asic-s+zip"
MIME_TYPE_NAME: Final = "mimetype"
MANIFEST_NAME: Final = "META-INF/manifest.xml"
SIMPLE_SIGNATURE_NAME: Final = "META-INF/signatures.xml"
ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
DOCUMENT_OPEN: Final = f'<asic:XAdESSignatures xmlns:asic="{ASIC}">'.encode()
DOCUMENT_CLOSE: Final = b"</asic:XAdESSignatures>"
_MANIFEST_NAMESPACE: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_MEDIA_TYPE: Final = re.compile(MEDIA_TYPE)
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~/-]+")
_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFile:
    """A file to be signed: its name inside the container, its media type, and bytes or a path."""

    name: str
    media_type: str
    content: bytes | Path


class _Digested(NamedTuple):
    file: DataFile
    sha256: bytes
    stored: zipfile.Stored


def _stored(name: str, content: bytes) -> zipfile.Stored:
    return zipfile.Stored(name=name, size=len(content), crc32=zlib.crc32(content))


def _begun(mime_type: str) -> tuple[bytes, tuple[bytes, int]]:
    """Return how a container of this type begins, and that as its first local header and size."""
    content = mime_type.encode()
    head = zipfile.local_header(_stored(MIME_TYPE_NAME, content))
    return head + content, (head, len(content))


_MIME_TYPE_BEGUN, _MIME_TYPE_HEAD = _begun(MIME_TYPE)
_SIMPLE_BEGUN, _SIMPLE_HEAD = _begun(SIMPLE_MIME_TYPE)


def signature_name(number: int) -> str:
    """Return the name of the container's `number`-th signature document, counted from 1."""
    return f"META-INF/signatures{number:03d}.xml"


def encode_name(name: str) -> str:
    """Return the reference URI of a file name: UTF-8, percent-encoded (row 30)."""
    return name if _UNRESERVED.fullmatch(name) else quote(name, safe="/")


def manifest_xml(files: Sequence[tuple[str, str]]) -> bytes:
    """Return META-INF/manifest.xml for (name, media type) pairs, in its only spelling."""
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{_escaped(name)}" '
        f'manifest:media-type="{media_type}"></manifest:file-entry>'
        for name, media_type in (("/", MIME_TYPE), *files)
    )
    return (
        f'<manifest:manifest xmlns:manifest="{_MANIFEST_NAMESPACE}" manifest:version="1.2">'
        f"{entries}</manifest:manifest>"
    ).encode()


def _escaped(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def sign_files(
    files: Sequence[DataFile],
    *,
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
    role: SignatureRole,
) -> bytes:
    """Return one signature document over `files`, to be placed as META-INF/signaturesNNN.xml.

    Level B-T; B-B without a time-stamper. Raises what the time-stamper raises (`Unavailable`).
    """
    seal = _Seal(signer=signer, timestamper=timestamper, at=at, role=role)
    return _signed(_digested(files), seal)


def seal_container(
    files: Sequence[DataFile],
    *,
    signatures: Sequence[tuple[str, bytes]] = (),
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
    role: SignatureRole = SignatureRole.SEALED,
) -> bytes:
    """Return the container as bytes; see `write_container`."""
    pieces: list[bytes] = []
    _write(
        lambda piece: pieces.append(bytes(piece)),
        files,
        signatures=signatures,
        seal=_Seal(signer=signer, timestamper=timestamper, at=at, role=role),
    )
    return b"".join(pieces)


def write_container(
    out: BinaryIO,
    files: Sequence[DataFile],
    *,
    signatures: Sequence[tuple[str, bytes]] = (),
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
    role: SignatureRole = SignatureRole.SEALED,
) -> None:
    """Write the container: mimetype, files, manifest, `signatures` as given, the seal last.

    `signatures` are documents of `sign_files`, named `signature_name(1)` and so on. The seal
    references every file. Raises `ContainerRefused` or `FileNameRefused` before a byte is
    written, `ContentChanged` when a file changes while it is being written.
    """
    _write(
        out.write,
        files,
        signatures=signatures,
        seal=_Seal(signer=signer, timestamper=timestamper, at=at, role=role),
    )


def write_simple_container(
    out: BinaryIO,
    file: DataFile,
    *,
    signer: Signer,
    timestamper: Timestamper | None,
    at: datetime,
    role: SignatureRole = SignatureRole.SEALED,
) -> None:
    """Write an ASiC-S of one file: mimetype, file, signature; raises as `write_container` does."""
    digested = _digested([file])
    seal = _Seal(signer=signer, timestamper=timestamper, at=at, role=role)
    tail = [(SIMPLE_SIGNATURE_NAME, _signed(digested, seal))]
    out.write(_SIMPLE_BEGUN)
    _write_entries(out.write, _SIMPLE_HEAD, digested, tail)


class _Seal(NamedTuple):
    signer: Signer
    timestamper: Timestamper | None
    at: datetime
    role: SignatureRole


def _write(
    write: Callable[[bytes | memoryview], object],
    files: Sequence[DataFile],
    *,
    signatures: Sequence[tuple[str, bytes]],
    seal: _Seal,
) -> None:
    for number, (name, _) in enumerate(signatures, start=1):
        if name != signature_name(number):
            raise ContainerRefused(
                f"expected {signature_name(number)}, got {name}", reason="signature_name"
            )
    digested = _digested(files)
    tail = [
        (MANIFEST_NAME, manifest_xml([(one.file.name, one.file.media_type) for one in digested])),
        *signatures,
        (signature_name(len(signatures) + 1), _signed(digested, seal)),
    ]
    write(_MIME_TYPE_BEGUN)
    _write_entries(write, _MIME_TYPE_HEAD, digested, tail)


def _write_entries(
    write: Callable[[bytes | memoryview], object],
    first: tuple[bytes, int],
    digested: Sequence[_Digested],
    tail: Sequence[tuple[str, bytes]],
) -> None:
    """Write what follows the mimetype: data files, `tail`, the directory.

    `first` is the local header of the mimetype and its size.
    """
    heads = [first]
    for one in digested:
        head = zipfile.local_header(one.stored)
        heads.append((head, one.stored.size))
        write(head)
        _copy(one, write)
    for name, content in tail:
        head = zipfile.local_header(_stored(name, content))
        heads.append((head, len(content)))
        write(head)
        write(content)
    write(zipfile.trailer(heads))


def _digested(files: Sequence[DataFile]) -> list[_Digested]:
    if not 0 < len(files) <= MAX_REFERENCES:
        raise ContainerRefused(
            f"expected 1 to {MAX_REFERENCES} files, got {len(files)}",
            reason="files",
            limit=MAX_REFERENCES,
        )
    check_names([MIME_TYPE_NAME, "META-INF", *(file.name for file in files)])
    for file in files:
        if not _MEDIA_TYPE.fullmatch(file.media_type):
            raise ContainerRefused(
                f"expected a media type, got {file.media_type!r}", reason="media_type"
            )
    return [_digest(file) for file in files]


def _digest(file: DataFile) -> _Digested:
    content = file.content
    if isinstance(content, bytes):
        digest, crc32, size = hashlib.sha256(content), zlib.crc32(content), len(content)
    else:
        digest, crc32, size = hashlib.sha256(), 0, 0
        for chunk in _chunks(content):
            digest.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size += len(chunk)
    stored = zipfile.Stored(name=file.name, size=size, crc32=crc32)
    return _Digested(file=file, sha256=digest.digest(), stored=stored)


def _chunks(path: Path) -> Iterator[memoryview]:
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as source:
        while count := source.readinto(buffer):
            yield view[:count]


def _copy(one: _Digested, write: Callable[[bytes | memoryview], object]) -> None:
    content = one.file.content
    if isinstance(content, bytes):
        write(content)
        return
    # The checksum was computed in the first pass; a second one shows that the bytes are the same.
    size = crc32 = 0
    for chunk in _chunks(content):
        size += len(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        write(chunk)
    if (size, crc32) != (one.stored.size, one.stored.crc32):
        raise ContentChanged(
            f"expected {one.file.name} to stay as it was signed, got other bytes",
            name=one.file.name,
        )


def references_of(files: Sequence[DataFile]) -> list[Reference]:
    """Return the references over `files`; raises as `sign_files` does for what cannot be signed."""
    return _references(_digested(files))


def _references(digested: Sequence[_Digested]) -> list[Reference]:
    return [
        Reference(
            uri=encode_name(one.file.name),
            media_type=one.file.media_type,
            sha256=one.sha256,
        )
        for one in digested
    ]


def _signed(digested: Sequence[_Digested], seal: _Seal) -> bytes:
    signature = write_signature(
        _references(digested),
        signer=seal.signer,
        timestamper=seal.timestamper,
        at=seal.at,
        role=seal.role,
    )
    return DOCUMENT_OPEN + signature + DOCUMENT_CLOSE
