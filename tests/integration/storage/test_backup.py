"""Backup and restore: the same rows, blobs and log come back, as a node with a new epoch."""

from __future__ import annotations

import errno
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dossier.envelope import Assurance
from dossier.errors import LienThongError
from dossier.ids import Sha256
from exchange import backup
from exchange.settings import Settings, load
from storage import agencies, dump, history, inbox
from storage.blobfiles import BlobStore
from storage.errors import (
    BackupRefused,
    BackupTargetRefused,
    BlobCorrupt,
    RestoreNotEmpty,
    StorageFull,
)
from tests.builders.storage import AT, empty_database, envelope, store_instances
from tests.integration.storage.test_history_and_log import append, new_dossier

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return load({"LIENTHONG_HOME": str(tmp_path / "old")})


@pytest.fixture
def made(here: Settings, tmp_path: Path) -> Path:
    """Return the backup of a node with a dossier, instances, a blob and an epoch."""
    of = new_dossier("H28-220411-9999")
    append(of, 3)
    store_instances(2)
    agencies.set_node_value("epoch", "0123456789ab")
    BlobStore(here.blob_dir).put(b"a document")
    target = tmp_path / "node.tar"
    backup.back_up(here, target, at=AT, progress=_quiet)
    return target


def test_writers_go_on_while_a_backup_is_made(
    made: Path, here: Settings, tmp_path: Path, in_threads: Callable[..., list[object]]
) -> None:
    def write(what: str, done: int, total: int) -> None:
        if (what, done) == ("tables", 1):
            in_threads(lambda: agencies.set_node_value("meanwhile", "1"))

    target = tmp_path / "second.tar"
    backup.back_up(here, target, at=AT, progress=write)
    assert agencies.node_value("meanwhile") == "1"
    with tarfile.open(target) as archive:
        rows = archive.extractfile("tables/node_value")
        assert rows is not None
        assert b"meanwhile" not in rows.read()


def test_a_file_that_is_named_and_not_stored_is_told(here: Settings, tmp_path: Path) -> None:
    received = inbox.NewMessage(
        envelope=envelope(),
        container_sha256=Sha256("ab" * 32),
        receipt_sha256=BlobStore(here.blob_dir).put(b"a receipt"),
        received=AT,
        assurance=Assurance.SEALED,
    )
    assert inbox.reserve(received) is None
    done = backup.back_up(here, tmp_path / "x.tar", at=AT, progress=_quiet)
    assert done.missing == ("ab" * 32,)


def test_a_backup_that_fails_leaves_no_file(here: Settings, made: Path, tmp_path: Path) -> None:
    (damaged,) = here.blob_dir.glob("[0-9a-f][0-9a-f]/*")
    damaged.write_bytes(b"\0other bytes")
    with pytest.raises(BlobCorrupt):
        backup.back_up(here, tmp_path / "x.tar", at=AT, progress=_quiet)
    assert [path.name for path in tmp_path.glob("*.tar*")] == ["node.tar"]


def _quiet(what: str, done: int, total: int) -> None:
    assert 0 < done <= total, what


def _rows() -> dict[str, list[bytes]]:
    return {table: list(dump.lines(table)) for table in dump.tables()}


def _elsewhere(tmp_path: Path) -> Settings:
    return load({"LIENTHONG_HOME": str(tmp_path / "new")})


def test_everything_comes_back_under_a_new_epoch(made: Path, tmp_path: Path) -> None:
    before = _rows()
    empty_database()
    there = _elsewhere(tmp_path)
    restored = backup.restore(there, made, at=AT, progress=_quiet)
    after = _rows()
    changed = {table for table in before if before[table] != after[table]}
    assert changed == {"node_value", "log_pending"}
    assert agencies.node_value("epoch") == restored.epoch != "0123456789ab"
    assert len(after["log_pending"]) == len(before["log_pending"]) + 1
    assert [BlobStore(there.blob_dir).read(one) for one in BlobStore(there.blob_dir).digests()] == [
        b"a document"
    ]


def test_a_restored_node_counts_on(made: Path, tmp_path: Path) -> None:
    empty_database()
    backup.restore(_elsewhere(tmp_path), made, at=AT, progress=_quiet)
    of = new_dossier("H28-220411-9998")
    append(of, 1)
    assert len(history.rows(of)) == 1


def test_a_database_in_use_is_never_overwritten(made: Path, tmp_path: Path) -> None:
    with pytest.raises(RestoreNotEmpty):
        backup.restore(_elsewhere(tmp_path), made, at=AT, progress=_quiet)


def test_no_private_key_is_in_a_backup(made: Path) -> None:
    with tarfile.open(made) as archive:
        folders = {name.partition("/")[0] for name in archive.getnames()}
    assert folders == {"manifest.json", "tables", "blobs"}
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_backup_says_the_same_whichever_database_it_is_of(made: Path) -> None:
    with tarfile.open(made) as archive:
        rows = archive.extractfile("tables/dossier")
        assert rows is not None
        assert {json.loads(line)["is_open"] for line in rows} <= {True, False}
        assert all(isinstance(json.loads(line)["is_open"], bool) for line in dump.lines("dossier"))


def _changed(made: Path, tmp_path: Path, name: str, content: bytes) -> Path:
    target = tmp_path / "changed.tar"
    with tarfile.open(made) as archive, tarfile.open(target, "w") as changed:
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None
            chosen = content if entry.name.startswith(name) else file.read()
            copy = tarfile.TarInfo(entry.name)
            copy.size = len(chosen)
            changed.addfile(copy, io.BytesIO(chosen))
    return target


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", b"{}"),
        ("manifest.json", b"[]"),
        ("tables/dossier", b"{}\n"),
        ("tables/dossier", b"not json\n"),
        ("blobs/", b"another document"),
    ],
)
def test_a_damaged_part_is_refused_and_nothing_is_restored(
    made: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    changed = _changed(made, tmp_path, name, content)
    empty_database()
    with pytest.raises(BackupRefused):
        backup.restore(_elsewhere(tmp_path), changed, at=AT, progress=_quiet)
    assert dump.is_empty()


def test_a_log_that_does_not_fit_the_manifest_is_refused(made: Path, tmp_path: Path) -> None:
    with tarfile.open(made) as archive:
        manifest = json.load(archive.extractfile("manifest.json") or io.BytesIO())
    lying = json.dumps({**manifest, "log_size": 7}).encode()
    changed = _changed(made, tmp_path, "manifest.json", lying)
    empty_database()
    with pytest.raises(BackupRefused) as caught:
        backup.restore(_elsewhere(tmp_path), changed, at=AT, progress=_quiet)
    assert caught.value.parameters["part"] == "log"


def test_a_truncated_file_is_refused(made: Path, tmp_path: Path) -> None:
    made.write_bytes(made.read_bytes()[:700])
    empty_database()
    with pytest.raises(LienThongError):
        backup.restore(_elsewhere(tmp_path), made, at=AT, progress=_quiet)
    assert dump.is_empty()


def test_a_backup_needs_a_file_and_room(
    made: Path, here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for target in (Path(os.devnull), tmp_path, tmp_path / "away" / "node.tar"):
        with pytest.raises(BackupTargetRefused):
            backup.back_up(here, target, at=AT, progress=_quiet)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(StorageFull):
        backup.back_up(here, tmp_path / "third.tar", at=AT, progress=_quiet)
    assert not list(tmp_path.glob("third*"))
