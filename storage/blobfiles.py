"""Blobs as files: written under names of their own, synced, then named by their digest."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from dossier.ids import Sha256, parse_sha256
from storage.blobs import (
    CHUNK_BYTES,
    IN_MEMORY_BYTES,
    PLAIN,
    ZIPPED,
    Content,
    Given,
    copy_checked,
    corrupt,
    missing,
    opened,
    settle,
)
from storage.errors import BlobCorrupt, StorageFull, StorageUnavailable

_AT_ONCE: Final = 32  # files that one call holds open
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


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
            with self._path(sha256).open("rb") as file:
                prefix = 0 if file.read(1) == ZIPPED else len(PLAIN)
                return os.fstat(file.fileno()).st_size - prefix
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
                digest = _digest(content)
                if digest is None or (digest not in new and not self._rejuvenate(digest)):
                    linked = self._linked(content, ended)
                    file, name = linked or self._new_file(ended)
                    digest = digest if digest and linked else _write(content, file)
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

    def _linked(self, content: Content, ended: contextlib.ExitStack) -> tuple[BinaryIO, str] | None:
        """Give a file that is given a second name here instead of copying it, where that works."""
        if not isinstance(content, Given):
            return None
        file = ended.enter_context(content.path.open("rb"))
        name = f"{self._root}/incoming/{secrets.token_hex(16)}"
        try:
            if file.read(1) != ZIPPED:
                return None
            os.makedirs(os.path.dirname(name), mode=0o700, exist_ok=True)
            os.link(content.path, name)
        except OSError:  # another file system, or one without links
            return None
        ended.callback(_forget, name)
        return file, name

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
                file.seek(0)
                if file.read(1) != ZIPPED:
                    raise corrupt(sha256)
                file.seek(0)
            yield file


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


def _digest(content: Content) -> Sha256 | None:
    """Return the digest where it is known without reading."""
    if isinstance(content, Given):
        return content.sha256
    return Sha256(hashlib.sha256(content).hexdigest()) if isinstance(content, bytes) else None


def _write(content: Content, file: BinaryIO) -> Sha256:
    """Write content behind the format byte and return its digest; nothing waits in buffers."""
    file.write(PLAIN)
    if isinstance(content, bytes):
        file.write(content)
        digest = Sha256(hashlib.sha256(content).hexdigest())
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
