"""Back a node up into one tar file, and restore it as a node with a new epoch.

The file holds every row as of one instant and every blob, never a private key. It is made without
stopping the node. After a restore the log goes on under a new name, because the old one may have
signed more than the backup knows (docs/decisions/0011).
"""

from __future__ import annotations

import base64
import contextlib
import errno
import io
import json
import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

from dossier import xmltext
from dossier.errors import IdentifierRefused
from dossier.ids import Sha256, parse_sha256
from exchange import chronicle
from exchange.settings import Settings
from exchange.stores import blob_store
from signing.log.checkpoint import Checkpoint, parse_checkpoint
from signing.log.leaf import LeafKind
from signing.log.tiles import root_at
from storage import agencies, arrivals, documents, dump, log
from storage.blobs import Blobs
from storage.errors import (
    BackupRefused,
    BackupTargetRefused,
    BlobMissing,
    RestoreNotEmpty,
    StorageFull,
)
from storage.transactions import transaction

FORMAT: Final = "lienthong-backup-1"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MANIFEST: Final = "manifest.json"
_EPOCH: Final = "epoch"
Progress = Callable[[str, int, int], None]  # what is being done, how much is, of how much


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a backup says about itself, in its first part."""

    format: str
    created: str
    migrations: list[str]
    epoch: str
    log_size: int
    log_root: str  # hexadecimal
    checkpoint: str  # the newest signed one, base64; empty when there was none


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What a backup holds."""

    manifest: Manifest
    missing: tuple[Sha256, ...]  # files that rows name and the store does not have


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore brought back."""

    manifest: Manifest
    epoch: str  # the new one
    behind: int  # entries that the given checkpoint has and the backup has not


def back_up(settings: Settings, target: Path, *, at: datetime, progress: Progress) -> Made:
    """Write the backup to a new file, which appears under its name only when it is whole."""
    if target.exists() and not target.is_file():
        raise BackupTargetRefused("expected the name of a file", path=str(target))
    unfinished = target.with_name(target.name + ".new")
    try:
        with _written(target), tarfile.open(unfinished, "w") as archive:
            unfinished.chmod(0o600)
            manifest, named = _add_rows(archive, at=at, progress=progress)
            # After the rows: what they refer to is stored before them and never changes.
            stored = _add_blobs(archive, blob_store(settings), progress)
        with _written(target):
            unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return Made(manifest=manifest, missing=tuple(sorted(named - stored)))


def restore(
    settings: Settings,
    source: Path,
    *,
    at: datetime,
    progress: Progress,
    checkpoint: bytes = b"",
) -> Restored:
    """Fill an empty, migrated database and the blob store from a backup.

    `checkpoint` is the newest one of the old log that anybody kept. Raises `RestoreNotEmpty`, and
    `BackupRefused` naming the part that is damaged; then nothing has changed but stored blobs.
    """
    if not dump.is_empty():
        raise RestoreNotEmpty("expected an empty database")
    kept = parse_checkpoint(checkpoint)[0] if checkpoint else None
    with _whole(source):
        manifest = _read_manifest(source)
        epoch = _fill(settings, source, manifest, at=at, progress=progress, kept=kept)
    claimed = kept.size if kept else manifest.log_size
    return Restored(manifest=manifest, epoch=epoch, behind=max(0, claimed - manifest.log_size))


def _fill(
    settings: Settings,
    source: Path,
    manifest: Manifest,
    *,
    at: datetime,
    progress: Progress,
    kept: Checkpoint | None,
) -> str:
    blobs = blob_store(settings)
    for digest, content in _parts(source, "blobs", progress):
        _store(blobs, digest, content)
    with transaction():
        dump.forget_start()
        for table, content in _parts(source, "tables", progress):
            dump.write(table, content)
        dump.continue_counting()
        dump.forget_leases()
        _check_log(manifest, kept)
        return _begin_epoch(manifest, at=at)


def _add_rows(
    archive: tarfile.TarFile, *, at: datetime, progress: Progress
) -> tuple[Manifest, set[Sha256]]:
    with dump.snapshot():
        manifest = _describe(at)
        stated = io.BytesIO(json.dumps(asdict(manifest), indent=2).encode())
        _add(archive, _MANIFEST, stated)
        names = dump.tables()
        for number, table in enumerate(names, start=1):
            with tempfile.TemporaryFile() as rows:
                rows.writelines(dump.lines(table))
                _add(archive, f"tables/{table}", rows)
            progress("tables", number, len(names))
        return manifest, documents.stored_files() - arrivals.waiting_files()


def _add_blobs(archive: tarfile.TarFile, blobs: Blobs, progress: Progress) -> set[Sha256]:
    digests = list(blobs.digests())
    added = set()
    for number, digest in enumerate(digests, start=1):
        # One that no row names may be collected meanwhile.
        with contextlib.suppress(BlobMissing), blobs.open(digest) as content:
            _add(archive, f"blobs/{digest}", content)
            added.add(digest)
        progress("blobs", number, len(digests))
    return added


def _store(blobs: Blobs, digest: str, content: BinaryIO) -> None:
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(content, copy)
        copy.flush()
        if blobs.put_file(Path(copy.name)) != digest:
            raise BackupRefused("expected bytes with their digest", part=digest)


def _describe(at: datetime) -> Manifest:
    state, newest = log.state(), log.last_checkpoint()
    return Manifest(
        format=FORMAT,
        created=xmltext.instant(xmltext.truncated(at)),
        migrations=dump.migrations(),
        epoch=agencies.node_value(_EPOCH) or "",
        log_size=state.size,
        log_root=state.root.hex(),
        checkpoint=base64.b64encode(newest.note).decode() if newest else "",
    )


def _add(archive: tarfile.TarFile, name: str, content: BinaryIO) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    archive.addfile(entry, content)


def _read_manifest(source: Path) -> Manifest:
    parts = _contents(source, _silent)
    try:
        manifest = Manifest(**json.loads(next(parts)[1].read()))
    except (StopIteration, ValueError, TypeError) as exc:
        raise BackupRefused("expected a manifest first", part=_MANIFEST) from exc
    if manifest.format != FORMAT or manifest.migrations != dump.migrations():
        raise BackupRefused("expected a backup of this version", part=_MANIFEST)
    return manifest


def _parts(source: Path, folder: str, progress: Progress) -> Iterator[tuple[str, BinaryIO]]:
    def show(what: str, done: int, total: int) -> None:
        progress(folder, done, total)

    for name, content in _contents(source, show):
        kind, _, inner = name.partition("/")
        if name != _MANIFEST and kind not in ("tables", "blobs"):
            raise BackupRefused("expected a manifest, tables and blobs", part=name[:80])
        if kind == folder:
            yield _checked(folder, inner), content


def _checked(folder: str, name: str) -> str:
    try:
        return parse_sha256(name) if folder == "blobs" else name
    except IdentifierRefused as exc:
        raise BackupRefused("expected a digest as the name of a blob", part=name[:80]) from exc


def _contents(source: Path, progress: Progress) -> Iterator[tuple[str, BinaryIO]]:
    # Parts are read one after the other and never written under their names.
    total = source.stat().st_size
    with tarfile.open(source, "r:") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is None:
                raise BackupRefused("expected plain files", part=entry.name[:80])
            yield entry.name, cast("BinaryIO", file)
            progress("", min(total, entry.offset_data + entry.size), total)
            # tarfile keeps what it has seen, which is a lot for a node of many documents.
            archive.members = []  # type: ignore[attr-defined]  # typeshed lacks it


@contextlib.contextmanager
def _written(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in _NO_ROOM:
            raise StorageFull("expected room for the backup, got none") from exc
        raise BackupTargetRefused(
            f"expected to write, got {exc.strerror}", path=str(target)
        ) from exc


@contextlib.contextmanager
def _whole(source: Path) -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as exc:
        raise BackupRefused("expected a whole tar file", part=source.name) from exc
    except OSError as exc:
        if exc.errno in _NO_ROOM:
            raise StorageFull("expected room for what is restored, got none") from exc
        raise BackupRefused(f"expected to read, got {exc.strerror}", part=source.name) from exc


def _silent(what: str, done: int, total: int) -> None:
    pass


def _check_log(manifest: Manifest, kept: Checkpoint | None) -> None:
    state = log.state()
    root = root_at(log.Tiles(), size=state.size) if state.size else b""
    if (state.size, root.hex()) != (manifest.log_size, manifest.log_root) or root != state.root:
        raise BackupRefused("expected the log whose root the manifest states", part="log")
    is_within = kept is not None and 0 < kept.size <= state.size
    if kept and is_within and root_at(log.Tiles(), size=kept.size) != kept.root:
        raise BackupRefused("expected the log that the checkpoint was signed of", part="checkpoint")


def _begin_epoch(manifest: Manifest, *, at: datetime) -> str:
    epoch = secrets.token_hex(6)
    agencies.set_node_value(_EPOCH, epoch)
    chronicle.write_node_event(
        LeafKind.EPOCH,
        {"epoch": epoch, "previous": manifest.epoch, "checkpoint": manifest.checkpoint},
        at=at,
    )
    return epoch


def default_name(at: datetime) -> str:
    """Return the name of a backup made at that instant."""
    return f"lienthong-{at:%Y%m%dT%H%M%SZ}.tar"
