"""Bytes found by their SHA-256: written once, whole and durably, checked each time they are read.

Each stored file begins with a format byte, so that encryption can come without migration; 0 means
plain. Nobody but this module opens these files.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from dossier.ids import Sha256, parse_sha256
from storage.errors import BlobCorrupt, BlobMissing, StorageFull, StorageUnavailable

_PLAIN: Final = b"\x00"
_CHUNK_BYTES: Final = 1024 * 1024
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Blobs(Protocol):
    """A content-addressed store; `tests/contract` says what each one must do."""

    def put(self, content: bytes) -> Sha256:
        """Store bytes durably and return their digest."""
        ...

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes durably and return their digest."""
        ...

    def read(self, sha256: str) -> bytes:
        """Return all bytes of a digest, verified."""
        ...

    def export(self, sha256: str, target: Path) -> None:
        """Write the verified bytes of a digest to a new file."""
        ...

    def has(self, sha256: str) -> bool:
        """Tell whether the digest is stored."""
        ...

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a digest."""
        ...


class BlobStore:
    """Blobs as files in a folder of the node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> Sha256:
        """Store bytes durably and return their digest; the same bytes again cost one look-up."""
        digest = Sha256(hashlib.sha256(content).hexdigest())
        if not self.has(digest):
            with self._new_file() as (file, path):
                file.write(content)
                self._keep(file, path, digest)
        return digest

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes durably and return the digest of what was stored."""
        hasher = hashlib.sha256()
        with _translated(), source.open("rb") as given, self._new_file() as (file, path):
            while chunk := given.read(_CHUNK_BYTES):
                hasher.update(chunk)
                file.write(chunk)
            digest = Sha256(hasher.hexdigest())
            self._keep(file, path, digest)
        return digest

    def open(self, sha256: str) -> BinaryIO:
        """Return a stream of the verified bytes; raise `BlobMissing` or `BlobCorrupt`."""
        with self._stored(sha256) as file, contextlib.ExitStack() as unless_kept:
            checked = unless_kept.enter_context(
                tempfile.SpooledTemporaryFile(max_size=16 * _CHUNK_BYTES)
            )
            self._copy(file, checked, sha256)
            checked.seek(0)
            unless_kept.pop_all()
        return checked  # type: ignore[return-value]  # it is one in all but name

    def read(self, sha256: str) -> bytes:
        """Return all bytes of a digest; raise `BlobMissing` or `BlobCorrupt`."""
        with self._stored(sha256) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _corrupt(sha256)
        return content

    def export(self, sha256: str, target: Path) -> None:
        """Write the verified bytes to a new file; nothing is left there when they are corrupt."""
        try:
            with self._stored(sha256) as file, _translated(), target.open("xb") as out:
                self._copy(file, out, sha256)
        except BlobCorrupt:
            target.unlink(missing_ok=True)
            raise

    def has(self, sha256: str) -> bool:
        """Tell whether the digest is stored."""
        return self._path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a digest; raise `BlobMissing`."""
        try:
            return self._path(sha256).stat().st_size - len(_PLAIN)
        except FileNotFoundError as exc:
            raise _missing(sha256) from exc

    def digests(self) -> Iterator[Sha256]:
        """Yield every stored digest, in order."""
        for path in sorted(self._folder.glob("[0-9a-f][0-9a-f]/*")):
            yield parse_sha256(path.parent.name + path.name)

    def remove(self, sha256: str) -> None:
        """Forget a digest that nothing refers to any more."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        # Parsed again: a digest from anywhere must never become another path.
        digest = parse_sha256(sha256)
        return self._folder / digest[:2] / digest[2:]

    @contextlib.contextmanager
    def _new_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        with _translated():
            incoming = self._folder / "incoming"
            incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(dir=incoming)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_PLAIN)
                    yield file, Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    def _keep(self, file: BinaryIO, path: Path, digest: Sha256) -> None:
        """Make the file durable, then let it appear under its digest as a whole."""
        file.flush()
        os.fsync(file.fileno())
        target = self._path(digest)
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_folder(self._folder)
        os.replace(path, target)
        _sync_folder(target.parent)

    @contextlib.contextmanager
    def _stored(self, sha256: str) -> Iterator[BinaryIO]:
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError as exc:
            raise _missing(sha256) from exc
        with _translated(), file:
            if file.read(len(_PLAIN)) != _PLAIN:
                raise _corrupt(sha256)
            yield file

    def _copy(self, source: BinaryIO, target: object, sha256: str) -> None:
        hasher = hashlib.sha256()
        while chunk := source.read(_CHUNK_BYTES):
            hasher.update(chunk)
            target.write(chunk)  # type: ignore[attr-defined]  # two kinds of writable file
        if hasher.hexdigest() != sha256:
            raise _corrupt(sha256)


def free_bytes(folder: Path) -> int:
    """Return how many bytes the disk under a folder still takes."""
    return shutil.disk_usage(folder).free


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise StorageFull("expected room on the disk, got none") from exc
        raise StorageUnavailable(
            "expected a disk that reads and writes", detail=exc.strerror or "?"
        ) from exc


def _sync_folder(folder: Path) -> None:
    # A rename is durable only when its folder is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(sha256: str) -> BlobMissing:
    return BlobMissing("expected stored bytes for the digest, got none", sha256=sha256)


def _corrupt(sha256: str) -> BlobCorrupt:
    return BlobCorrupt("expected stored bytes to have their digest", sha256=sha256)
