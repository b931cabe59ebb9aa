"""Add a signature to a container, and sign in two steps with a key that is elsewhere.

A container of our profile takes further signatures without a change of what is there: they are
over the same files. In two steps, first the digest goes out, then the value comes back.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dossier.clock import SystemClock
from exchange.errors import FileUnreadable
from exchange.signfiles import (
    KeyFiles,
    TokenKey,
    TsaAddress,
    signing_with,
    timestamper_of,
)
from exchange.verify import read_file
from signing import zipfile
from signing.asic import (
    MANIFEST_NAME,
    MIME_TYPE,
    MIME_TYPE_NAME,
    DataFile,
    manifest_xml,
    sign_files,
    signature_name,
)
from signing.container import take_apart
from signing.errors import ContainerRefused, SignatureMalformed
from signing.external import (
    complete_files,
    digest_of,
    dump_prepared,
    parse_prepared,
    prepare_files,
)
from signing.keys import read_certificates
from signing.xades import SignatureRole


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the holder of the key is asked to sign."""

    algorithm: str  # URI of the signature method
    digest: bytes  # of the octets to sign, by the hash of the algorithm
    octets: bytes  # canonical SignedInfo, for keys that take the message


def sign_again(
    container: Path,
    target: Path,
    *,
    key: KeyFiles | TokenKey,
    tsa: KeyFiles | TsaAddress | None,
    role: str,
) -> int:
    """Write a container with one more signature over all its files; return the new size.

    Raises `ContainerRefused` unless it is an ASiC-E of our profile, and what the key raises.
    """
    content = read_file(container)
    with signing_with(key) as signer:
        document = sign_files(
            _files_of(content),
            signer=signer,
            timestamper=timestamper_of(tsa),
            at=SystemClock().now(),
            role=SignatureRole(role),
        )
    return _replace(target, _with_document(content, document))


def prepare(paths: Sequence[Path], state: Path, *, certificate: Path, role: str) -> Asked:
    """Return what is to be signed over files, or over those of one container; keep `state`.

    Raises `KeyUnusable` for a certificate that is not for documents, and `FileUnreadable`.
    """
    prepared = prepare_files(
        _data_files(paths),
        certificate=read_certificates(read_file(certificate))[0],
        at=SystemClock().now(),
        role=SignatureRole(role),
    )
    state.write_bytes(dump_prepared(prepared))
    return Asked(
        algorithm=prepared.algorithm.value,
        digest=digest_of(prepared),
        octets=prepared.signed_info,
    )


def complete(
    paths: Sequence[Path],
    target: Path,
    *,
    state: Path,
    signature: bytes,
    tsa: KeyFiles | TsaAddress | None,
) -> int:
    """Write the container with the value that came back; return its size.

    `signature` is as it came: raw or base64. Raises `ExternalSignatureRefused` unless it fits.
    """
    prepared = parse_prepared(read_file(state))
    document = complete_files(prepared, _decoded(signature), timestamper=timestamper_of(tsa))
    content = _container(paths)
    if content is not None:
        return _replace(target, _with_document(content, document))
    files = _data_files(paths)
    entries = [
        (MIME_TYPE_NAME, MIME_TYPE.encode()),
        *((one.name, _octets(one)) for one in files),
        (MANIFEST_NAME, manifest_xml([(one.name, one.media_type) for one in files])),
        (signature_name(1), document),
    ]
    return _replace(target, zipfile.write(entries))


def _decoded(signature: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(signature.split()), validate=True)
    except ValueError:
        return signature


def _data_files(paths: Sequence[Path]) -> list[DataFile]:
    content = _container(paths)
    if content is not None:
        return _files_of(content)
    return [
        DataFile(
            name=path.name,
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            content=read_file(path),
        )
        for path in paths
    ]


def _container(paths: Sequence[Path]) -> bytes | None:
    """Return the container when it alone was named, to take one more signature."""
    if len(paths) == 1 and paths[0].suffix.lower() in (".asice", ".sce"):
        return read_file(paths[0])
    return None


def _octets(file: DataFile) -> bytes:
    if isinstance(file.content, bytes):
        return file.content
    raise FileUnreadable("expected the bytes of a file, got a path", name=file.name)


def _files_of(content: bytes) -> list[DataFile]:
    parts = take_apart(content)
    sound = parts.layout.is_passed and not parts.is_simple
    if not sound or any(isinstance(one, SignatureMalformed) for _, one in parts.documents):
        raise ContainerRefused("expected an ASiC-E of our profile", reason="profile")
    return [
        DataFile(name=one.name, media_type=parts.media_types[one.name], content=bytes(one.content))
        for one in parts.files
    ]


def _with_document(content: bytes, document: bytes) -> bytes:
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(content).entries]
    number = 1 + sum(1 for name, _ in entries if name.startswith("META-INF/signatures"))
    return zipfile.write([*entries, (signature_name(number), document)])


def _replace(target: Path, content: bytes) -> int:
    temporary = target.with_name(target.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(target)
    return len(content)
