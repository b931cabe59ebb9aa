"""Back a node up into one tar file, and restore it as a node with a new epoch.

The file holds every row as of one instant and every blob, never a private key. It is made without
stopping the node. After a restore the log goes on under a new name, because the old one may have
signed more than the backup knows (docs/decisions/0011).
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dossier import xmltext
from dossier.errors import IdentifierRefused
from dossier.ids import parse_sha256
from exchange import chronicle
from exchange.settings import Settings
from signing.log.checkpoint import parse_checkpoint
from signing.log.leaf import LeafKind
from signing.log.tiles import root_at
from storage import agencies, dump, log
from storage.blobs import BlobStore
from storage.errors import BackupRefused, RestoreNotEmpty
from storage.transactions import transaction

FORMAT: Final = "lienthong-backup-1"
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
class Restored:
    """What a restore brought back."""

    manifest: Manifest
    epoch: str  # the new one
    behind: int  # entries that the given checkpoint has and the backup has not


def back_up(settings: Settings, target: Path, *, at: datetime, progress: Progress) -> Manifest:
    """Write the backup to a new file, which appears under its name only when it is whole."""
    blobs = BlobStore(settings.blob_dir)
    unfinished = target.with_name(target.name + ".new")
    with tarfile.open(unfinished, "w") as archive:
        with dump.snapshot():
            manifest = _describe(at)
            _add(archive, _MANIFEST, json.dumps(asdict(manifest), indent=2).encode())
            names = dump.tables()
            for number, table in enumerate(names, start=1):
                _add(archive, f"tables/{table}", b"".join(dump.lines(table)))
                progress("tables", number, len(names))
        # After the rows: what they refer to is stored before them and never changes.
        digests = list(blobs.digests())
        for number, digest in enumerate(digests, start=1):
            _add(archive, f"blobs/{digest}", blobs.read(digest))
            progress("blobs", number, len(digests))
    unfinished.chmod(0o600)
    unfinished.replace(target)
    return manifest


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
    manifest = _read_manifest(source)
    blobs = BlobStore(settings.blob_dir)
    for digest, content in _parts(source, "blobs"):
        if blobs.put(content) != digest:
            raise BackupRefused("expected bytes with their digest", part=digest)
        progress("blobs", 1, 1)
    with transaction():
        dump.forget_start()
        for table, content in _parts(source, "tables"):
            dump.write(table, content.splitlines())
            progress("tables", 1, 1)
        dump.continue_counting()
        dump.forget_leases()
        _check_log(manifest)
        epoch = _begin_epoch(manifest, at=at)
    claimed = parse_checkpoint(checkpoint)[0].size if checkpoint else manifest.log_size
    return Restored(manifest=manifest, epoch=epoch, behind=max(0, claimed - manifest.log_size))


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


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _read_manifest(source: Path) -> Manifest:
    try:
        fields = json.loads(next(_contents(source))[1])
        manifest = Manifest(**fields)
    except (StopIteration, ValueError, TypeError) as exc:
        raise BackupRefused("expected a manifest first", part=_MANIFEST) from exc
    if manifest.format != FORMAT or manifest.migrations != dump.migrations():
        raise BackupRefused("expected a backup of this version", part=_MANIFEST)
    return manifest


def _parts(source: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    for name, content in _contents(source):
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


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    # Parts are read one after the other and never written under their names.
    try:
        with tarfile.open(source, "r:") as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is None:
                    raise BackupRefused("expected plain files", part=entry.name[:80])
                yield entry.name, file.read()
    except tarfile.TarError as exc:
        raise BackupRefused("expected a whole tar file", part=source.name) from exc


def _check_log(manifest: Manifest) -> None:
    state = log.state()
    root = root_at(log.Tiles(), size=state.size) if state.size else b""
    if (state.size, root.hex()) != (manifest.log_size, manifest.log_root) or root != state.root:
        raise BackupRefused("expected the log whose root the manifest states", part="log")


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
