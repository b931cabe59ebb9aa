"""Blobs: found by digest, whole or not at all, checked each time."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from dossier.errors import IdentifierRefused
from storage.blobs import BlobStore
from storage.errors import BlobCorrupt, BlobMissing, StorageFull

CONTENT = "Công văn".encode() * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def _file(tmp_path: Path) -> Path:
    return tmp_path / "blobs" / DIGEST[:2] / DIGEST[2:]


def test_bytes_come_back_by_their_digest(store: BlobStore) -> None:
    assert store.put(CONTENT) == DIGEST
    assert store.put(CONTENT) == DIGEST
    assert store.read(DIGEST) == CONTENT
    with store.open(DIGEST) as file:
        assert file.read() == CONTENT
    assert store.size(DIGEST) == len(CONTENT)
    assert list(store.digests()) == [DIGEST]


def test_a_file_is_stored_by_the_digest_of_its_bytes(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "spooled"
    source.write_bytes(CONTENT)
    assert store.put_file(source) == DIGEST
    target = tmp_path / "out"
    store.export(DIGEST, target)
    assert target.read_bytes() == CONTENT


def test_stored_files_begin_with_the_format_byte(store: BlobStore, tmp_path: Path) -> None:
    store.put(CONTENT)
    assert _file(tmp_path).read_bytes() == b"\x00" + CONTENT


@pytest.mark.parametrize("position", [0, 1, 500])
def test_a_changed_byte_is_named_on_every_way_of_reading(
    store: BlobStore, tmp_path: Path, position: int
) -> None:
    store.put(CONTENT)
    stored = bytearray(_file(tmp_path).read_bytes())
    stored[position] ^= 1
    _file(tmp_path).write_bytes(stored)
    for read in (store.read, store.open):
        with pytest.raises(BlobCorrupt) as caught:
            read(DIGEST)
        assert caught.value.parameters["sha256"] == DIGEST
    with pytest.raises(BlobCorrupt):
        store.export(DIGEST, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_bytes_are_named(store: BlobStore, tmp_path: Path) -> None:
    for call in (store.read, store.open, store.size):
        with pytest.raises(BlobMissing):
            call(DIGEST)
    assert not store.has(DIGEST)


def test_a_digest_never_becomes_another_path(store: BlobStore) -> None:
    with pytest.raises(IdentifierRefused):
        store.read("../../etc/passwd")


def test_nothing_appears_when_the_disk_is_full(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        store.put(CONTENT)
    assert not store.has(DIGEST)
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


def test_a_removed_blob_is_gone(store: BlobStore) -> None:
    store.put(CONTENT)
    store.remove(DIGEST)
    assert not store.has(DIGEST)
