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
import itertools
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeAlias

from dossier.ids import Sha256, parse_sha256
from storage.errors import BlobBusy, BlobCorrupt, BlobMissing, StorageFull, StorageUnavailable

PLAIN: Final = b"\x00"
CHUNK_BYTES: Final = 1024 * 1024
IN_MEMORY_BYTES: Final = 16 * CHUNK_BYTES  # larger ones pass through a temporary file
_AT_ONCE: Final = 32  # files that one call holds open
_PATIENCE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.05
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

Content: TypeAlias = bytes | Path | Callable[[], BinaryIO]
"""What is stored: bytes, a file, or what opens a stream of them, again each time it is called."""


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

    def put_all(self, contents: Iterable[Content]) -> tuple[Sha256, ...]:
        """Store several durably, for less than one by one, and return their digests in order."""
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
        self._root = str(folder)

    def put(self, content: bytes) -> Sha256:
        """Store bytes durably and return their digest; the same bytes again cost one look-up."""
        return self.put_all([content])[0]

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes durably and return the digest of what was stored."""
        return self.put_all([source])[0]

    def put_all(self, contents: Iterable[Content]) -> tuple[Sha256, ...]:
        """Store several durably and return their digests, in the same order."""
        digests: list[Sha256] = []
        left = iter(contents)
        while batch := list(itertools.islice(left, _AT_ONCE)):
            stored = self._store(batch)
            for content, digest in zip(batch, stored, strict=True):
                again = partial(self._store, [content])
                settle(self, digest, again, is_condemned=self._is_condemned)
            digests += stored
        return tuple(digests)

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
        return os.path.isfile(self._name(sha256))

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
        return os.path.exists(f"{self._root}/condemned/{parse_sha256(sha256)}")

    def _rejuvenate(self, sha256: str) -> bool:
        try:
            os.utime(self._name(sha256))
        except FileNotFoundError:
            return False
        return True

    def _store(self, contents: Sequence[Content]) -> list[Sha256]:
        """Write all, sync all, name all, sync their folders: so a journal commits few times."""
        digests: list[Sha256] = []
        with _translated(), contextlib.ExitStack() as ended:
            new: dict[Sha256, tuple[BinaryIO, str]] = {}
            for content in contents:
                digest = _digest(content) if isinstance(content, bytes) else None
                if digest is None or (digest not in new and not self._rejuvenate(digest)):
                    file, name = self._new_file(ended)
                    digest = _write(content, file)
                    new[digest] = file, name
                digests.append(digest)
            for file, _ in new.values():
                os.fsync(file.fileno())
            for digest, (_, name) in new.items():
                self._appear(name, digest)
            # Of known bytes too: whoever named them may not have come so far.
            for folder in {self._name(digest).rpartition("/")[0] for digest in digests}:
                _sync_folder(folder)
        return digests

    def _path(self, sha256: str) -> Path:
        return Path(self._name(sha256))

    def _name(self, sha256: str) -> str:
        # Parsed again: a digest from anywhere must never become another path.
        digest = parse_sha256(sha256)
        return f"{self._root}/{digest[:2]}/{digest[2:]}"

    def _new_file(self, ended: contextlib.ExitStack) -> tuple[BinaryIO, str]:
        """Open a file that is removed at the end unless it was renamed."""
        name = f"{self._root}/incoming/{secrets.token_hex(16)}"
        try:
            descriptor = os.open(name, _NEW, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(name), mode=0o700, exist_ok=True)
            descriptor = os.open(name, _NEW, 0o600)
        ended.callback(_forget, name)
        return ended.enter_context(os.fdopen(descriptor, "wb")), name

    def _appear(self, name: str, digest: Sha256) -> None:
        """Let a durable file appear under its digest as a whole."""
        target = self._name(digest)
        try:
            os.replace(name, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            _sync_folder(self._root)
            os.replace(name, target)

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
    """Put again until the bytes are there and nobody removes them; raise `BlobBusy` after a while.

    The caller has put them once. The order counts: put, then look for a mark, then look for the
    bytes (see the module's text).
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
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


def opened(content: Path | Callable[[], BinaryIO]) -> BinaryIO:
    """Return a stream of what is not bytes yet."""
    return content.open("rb") if isinstance(content, Path) else content()


def _digest(content: bytes) -> Sha256:
    return Sha256(hashlib.sha256(content).hexdigest())


def _write(content: Content, file: BinaryIO) -> Sha256:
    """Write content behind the format byte and return its digest; nothing waits in buffers."""
    file.write(PLAIN)
    if isinstance(content, bytes):
        file.write(content)
        digest = _digest(content)
    else:
        hasher = hashlib.sha256()
        with opened(content) as given:
            while chunk := given.read(CHUNK_BYTES):
                hasher.update(chunk)
                file.write(chunk)
        digest = Sha256(hasher.hexdigest())
    file.flush()
    return digest


def _forget(name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name)


def _sync_folder(folder: str) -> None:
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
