"""Bytes found by their SHA-256: written once, whole and durably, checked each time they are read.

`Blobs` is what every store can do; `BlobStore` keeps files, `storage.s3` objects. What is stored
begins with a format byte, so that encryption can come without migration; 0 means plain. Nobody but
the stores opens it.

A blob is stored before the row that names it is committed, so an orphan cannot be told from a blob
whose row is still to come but by its age. Therefore a store that is given bytes which it has makes
them young again, and looks afterwards whether somebody is removing them (`condemn`): whoever
removes condemns first and looks at the age then, so one of the two always sees the other.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from dossier.ids import Sha256, parse_sha256
from storage.errors import BlobBusy, BlobCorrupt, BlobMissing, StorageFull, StorageUnavailable

PLAIN: Final = b"\x00"
CHUNK_BYTES: Final = 1024 * 1024
IN_MEMORY_BYTES: Final = 16 * CHUNK_BYTES  # larger ones pass through a temporary file
_PATIENCE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.05
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Writable(Protocol):
    """What takes bytes."""

    def write(self, content: bytes, /) -> object:
        """Append bytes."""
        ...


class Blobs(Protocol):
    """A content-addressed store; `tests/contract` says what each one must do."""

    def put(self, content: bytes) -> Sha256:
        """Store bytes durably and return their digest."""
        ...

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes durably and return their digest."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Return a stream of the verified bytes."""
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

    def stored_at(self, sha256: str) -> datetime:
        """Return when the bytes were stored last."""
        ...

    def digests(self) -> Iterator[Sha256]:
        """Yield every stored digest, in order."""
        ...

    def condemned(self) -> Iterator[tuple[Sha256, datetime]]:
        """Yield what is being removed, and since when."""
        ...

    def condemn(self, sha256: str) -> bool:
        """Announce that a digest will be removed; False when somebody else has done so."""
        ...

    def acquit(self, sha256: str) -> None:
        """Take the announcement back: the digest is removed or stays."""
        ...

    def remove(self, sha256: str) -> None:
        """Forget a condemned digest."""
        ...


class BlobStore:
    """Blobs as files in a folder of the node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> Sha256:
        """Store bytes durably and return their digest; the same bytes again cost one look-up."""
        digest = Sha256(hashlib.sha256(content).hexdigest())

        def store() -> None:
            if not self._rejuvenate(digest):
                with self._new_file() as (file, path):
                    file.write(content)
                    self._keep(file, path, digest)

        settle(self, digest, store, is_condemned=self._is_condemned)
        return digest

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes durably and return the digest of what was stored."""
        digest = self._copied(source)
        settle(self, digest, lambda: self._copied(source), is_condemned=self._is_condemned)
        return digest

    def open(self, sha256: str) -> BinaryIO:
        """Return a stream of the verified bytes; raise `BlobMissing` or `BlobCorrupt`."""
        with self._stored(sha256) as file, contextlib.ExitStack() as unless_kept:
            checked = unless_kept.enter_context(
                tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)
            )
            copy_checked(file, checked, sha256)
            checked.seek(0)
            unless_kept.pop_all()
        return checked  # type: ignore[return-value]  # it is one in all but name

    def read(self, sha256: str) -> bytes:
        """Return all bytes of a digest; raise `BlobMissing` or `BlobCorrupt`."""
        with self._stored(sha256) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise corrupt(sha256)
        return content

    def export(self, sha256: str, target: Path) -> None:
        """Write the verified bytes to a new file; nothing is left there when they are corrupt."""
        try:
            with self._stored(sha256) as file, _translated(), target.open("xb") as out:
                copy_checked(file, out, sha256)
        except BlobCorrupt:
            target.unlink(missing_ok=True)
            raise

    def has(self, sha256: str) -> bool:
        """Tell whether the digest is stored."""
        return self._path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a digest; raise `BlobMissing`."""
        try:
            return self._path(sha256).stat().st_size - len(PLAIN)
        except FileNotFoundError as exc:
            raise missing(sha256) from exc

    def stored_at(self, sha256: str) -> datetime:
        """Return when the bytes were stored last; raise `BlobMissing`."""
        try:
            return datetime.fromtimestamp(self._path(sha256).stat().st_mtime, tz=UTC)
        except FileNotFoundError as exc:
            raise missing(sha256) from exc

    def digests(self) -> Iterator[Sha256]:
        """Yield every stored digest, in order."""
        for folder in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                yield parse_sha256(folder.name + path.name)

    def condemned(self) -> Iterator[tuple[Sha256, datetime]]:
        """Yield what is being removed, and since when."""
        for path in sorted(self._folder.glob("condemned/*")):
            with contextlib.suppress(FileNotFoundError):  # acquitted meanwhile
                since = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
                yield parse_sha256(path.name), since

    def condemn(self, sha256: str) -> bool:
        """Announce that a digest will be removed; False when somebody else has done so."""
        mark = self._mark(sha256)
        with _translated():
            mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                mark.touch(exist_ok=False, mode=0o600)
            except FileExistsError:
                return False
        return True

    def acquit(self, sha256: str) -> None:
        """Take the announcement back."""
        self._mark(sha256).unlink(missing_ok=True)

    def remove(self, sha256: str) -> None:
        """Forget a condemned digest."""
        self._path(sha256).unlink(missing_ok=True)

    def _mark(self, sha256: str) -> Path:
        return self._folder / "condemned" / parse_sha256(sha256)

    def _is_condemned(self, sha256: str) -> bool:
        return self._mark(sha256).exists()

    def _rejuvenate(self, sha256: str) -> bool:
        try:
            os.utime(self._path(sha256))
        except FileNotFoundError:
            return False
        return True

    def _copied(self, source: Path) -> Sha256:
        hasher = hashlib.sha256()
        with _translated(), source.open("rb") as given, self._new_file() as (file, path):
            while chunk := given.read(CHUNK_BYTES):
                hasher.update(chunk)
                file.write(chunk)
            digest = Sha256(hasher.hexdigest())
            self._keep(file, path, digest)
        return digest

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
                    file.write(PLAIN)
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
            raise missing(sha256) from exc
        with _translated(), file:
            if file.read(len(PLAIN)) != PLAIN:
                raise corrupt(sha256)
            yield file


def settle(
    store: Blobs, digest: Sha256, put: Callable[[], object], *, is_condemned: Callable[[str], bool]
) -> None:
    """Put until the bytes are there and nobody is removing them; raise `BlobBusy` after a while.

    The order counts: put, then look for a mark, then look for the bytes (see the module's text).
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    put()
    while True:
        if not is_condemned(digest):
            if store.has(digest):
                return
            put()
        elif time.monotonic() > deadline:
            raise BlobBusy("expected bytes that nobody is removing", sha256=digest)
        else:
            time.sleep(_LOOK_SECONDS)


def copy_checked(source: BinaryIO, target: Writable, sha256: str) -> None:
    """Copy a stream in chunks; raise `BlobCorrupt` at its end unless it had the digest."""
    hasher = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        hasher.update(chunk)
        target.write(chunk)
    if hasher.hexdigest() != sha256:
        raise corrupt(sha256)


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


def missing(sha256: str) -> BlobMissing:
    """Return the error that names a digest without bytes."""
    return BlobMissing("expected stored bytes for the digest, got none", sha256=sha256)


def corrupt(sha256: str) -> BlobCorrupt:
    """Return the error that names a digest whose bytes are others."""
    return BlobCorrupt("expected stored bytes to have their digest", sha256=sha256)
