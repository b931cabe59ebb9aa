"""Blobs as files, beyond the contract of every store: whole or not at all on a full disk."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from storage.blobfiles import BlobStore
from storage.errors import StorageFull

CONTENT = "Công văn".encode() * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def _file(tmp_path: Path) -> Path:
    return tmp_path / "blobs" / DIGEST[:2] / DIGEST[2:]


def test_stored_files_begin_with_the_format_byte(store: BlobStore, tmp_path: Path) -> None:
    store.put(CONTENT)
    assert _file(tmp_path).read_bytes() == b"\x00" + CONTENT


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


def test_nothing_of_several_appears_before_all_are_durable(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def full_at_last(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_at_last)
    with pytest.raises(StorageFull):
        store.put_all([CONTENT, b"another"])
    assert not store.has(DIGEST)
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


def test_a_removed_blob_is_gone(store: BlobStore) -> None:
    store.put(CONTENT)
    store.remove(DIGEST)
    assert not store.has(DIGEST)
