"""The spool: unverified bytes are hashed, bounded and deleted."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.intake import bytes_of
from storage import spool as spool_module
from storage.errors import SpoolFull, SpoolTooLarge
from storage.spool import FileSpool

LIMIT = 100


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileSpool:
    monkeypatch.setattr(spool_module, "_CHECK_BYTES", 10)
    return FileSpool(tmp_path, total_bytes=50, per_peer_bytes=30)


def _fill(spool: FileSpool, *, peer: str, count: int) -> None:
    writer = spool.open(peer=peer, limit_bytes=LIMIT)
    try:
        writer.write(b"x" * count)
    except SpoolFull:
        writer.abort()
        raise
    writer.close()


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_was_written_lies_there_with_its_digest(spool: FileSpool, tmp_path: Path) -> None:
    writer = spool.open(peer="10.0.0.1", limit_bytes=LIMIT)
    writer.write(b"abc")
    writer.write(b"def")
    spooled = writer.close()
    assert bytes_of(spooled) == b"abcdef"
    assert (spooled.size_bytes, spooled.sha256) == (6, hashlib.sha256(b"abcdef").hexdigest())
    spooled.drop()
    spooled.drop()
    assert _files(tmp_path) == []


def test_more_than_announced_is_refused_in_mid_stream(spool: FileSpool, tmp_path: Path) -> None:
    writer = spool.open(peer="p", limit_bytes=5)
    writer.write(b"12345")
    with pytest.raises(SpoolTooLarge):
        writer.write(b"6")
    writer.abort()
    writer.abort()
    assert _files(tmp_path) == []


def test_one_peer_cannot_use_the_room_of_all(spool: FileSpool) -> None:
    _fill(spool, peer="greedy", count=20)
    with pytest.raises(SpoolFull):
        _fill(spool, peer="greedy", count=20)
    _fill(spool, peer="modest", count=10)


def test_all_peers_together_are_bounded(spool: FileSpool) -> None:
    _fill(spool, peer="a", count=25)
    _fill(spool, peer="b", count=20)
    with pytest.raises(SpoolFull):
        _fill(spool, peer="c", count=20)


def test_leftovers_of_a_dead_process_are_swept(spool: FileSpool, tmp_path: Path) -> None:
    _fill(spool, peer="p", count=20)
    assert spool.sweep(older_than=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert spool.sweep(older_than=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert _files(tmp_path) == []


def test_few_bytes_wait_in_memory(tmp_path: Path) -> None:
    small = FileSpool(tmp_path, total_bytes=50, per_peer_bytes=30, memory_bytes=10)
    writer = small.open(peer="10.0.0.1", limit_bytes=10)
    writer.write(b"abc")
    writer.write(b"def")
    spooled = writer.close()
    assert spooled.content == b"abcdef"
    assert (spooled.size_bytes, spooled.sha256) == (6, hashlib.sha256(b"abcdef").hexdigest())
    spooled.drop()
    assert _files(tmp_path) == []


def test_more_than_announced_is_refused_in_memory_too(tmp_path: Path) -> None:
    small = FileSpool(tmp_path, total_bytes=50, per_peer_bytes=30, memory_bytes=10)
    writer = small.open(peer="10.0.0.1", limit_bytes=5)
    with pytest.raises(SpoolTooLarge):
        writer.write(b"abcdef")
    writer.abort()


def test_what_is_going_out_takes_no_peers_room(spool: FileSpool, tmp_path: Path) -> None:
    (tmp_path / "outgoing").mkdir()
    (tmp_path / "outgoing" / "large.asice").write_bytes(b"x" * 60)
    _fill(spool, peer="10.0.0.1", count=5)
