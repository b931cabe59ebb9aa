"""What every blob store must do: one suite, run on files and on an S3-compatible server."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from dossier.errors import IdentifierRefused
from dossier.ids import Sha256
from storage import blobs, orphans, s3
from storage.blobfiles import BlobStore
from storage.blobs import Blobs, Given
from storage.errors import BlobBusy, BlobCorrupt, BlobMissing
from storage.orphans import Orphan
from storage.s3 import S3Blobs
from tests.builders.s3 import ObjectStore

CONTENT = "Công văn".encode() * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
GRACE = timedelta(hours=24)
TOMORROW = datetime.now(UTC) + timedelta(hours=48)  # when everything stored now is old


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A store, and a way to what it stores behind its back."""

    store: Blobs
    stored: Callable[[], bytes]
    overwrite: Callable[[bytes], object]


@pytest.fixture(params=["files", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty store of each kind."""
    if request.param == "files":
        path = tmp_path / "blobs" / DIGEST[:2] / DIGEST[2:]
        yield Place(
            store=BlobStore(tmp_path / "blobs"),
            stored=path.read_bytes,
            overwrite=path.write_bytes,
        )
        return
    server: ObjectStore = request.getfixturevalue("objects")
    bucket = replace(server.bucket, prefix=f"{secrets.token_hex(4)}/")
    client, at = server.client(), {"Bucket": bucket.name, "Key": f"{bucket.prefix}sha256/{DIGEST}"}
    yield Place(
        store=S3Blobs(bucket),
        stored=lambda: bytes(client.get_object(**at)["Body"].read()),
        overwrite=lambda content: client.put_object(**at, Body=content),
    )


@pytest.fixture
def store(place: Place) -> Blobs:
    """Give the empty store alone."""
    return place.store


def test_bytes_come_back_by_their_digest(store: Blobs) -> None:
    assert store.put(CONTENT) == DIGEST
    assert store.put(CONTENT) == DIGEST
    assert store.read(DIGEST) == CONTENT
    with store.open(DIGEST) as file:
        assert file.read() == CONTENT
    assert store.size(DIGEST) == len(CONTENT)
    assert list(store.digests()) == [DIGEST]


@pytest.mark.parametrize("content", [b"", b"\0", secrets.token_bytes(20 * 1024**2)])
def test_a_file_of_any_size_is_stored_by_the_digest_of_its_bytes(
    store: Blobs, tmp_path: Path, content: bytes
) -> None:
    source, target = tmp_path / "spooled", tmp_path / "out"
    source.write_bytes(content)
    digest = store.put_file(source)
    assert digest == hashlib.sha256(content).hexdigest()
    store.export(digest, target)
    assert target.read_bytes() == content


def test_several_are_stored_together_in_their_order(store: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "spooled"
    source.write_bytes(b"file")
    many = [b"%d" % number for number in range(40)]
    digests = store.put_all([*many, source, partial(io.BytesIO, b"stream"), many[0]])
    assert [store.read(one) for one in digests] == [*many, b"file", b"stream", many[0]]
    assert store.put_all([]) == ()


@pytest.mark.parametrize("content", [b"", b"\0", b"x", b"P", b"PK\3\4" + bytes(20 * 1024**2)])
def test_a_given_file_is_stored_and_stays_the_givers(
    store: Blobs, tmp_path: Path, content: bytes
) -> None:
    source, target = tmp_path / "spooled", tmp_path / "out"
    source.write_bytes(content)
    given = Given(path=source, sha256=Sha256(hashlib.sha256(content).hexdigest()))
    for _ in range(2):
        assert store.put_all([given, b"beside"])[0] == given.sha256
    source.unlink()
    store.export(given.sha256, target)
    assert target.read_bytes() == content
    assert store.read(given.sha256) == content
    assert store.size(given.sha256) == len(content)
    with store.open(given.sha256) as stored:
        assert stored.read() == content


def test_what_is_stored_begins_with_the_format_byte(place: Place) -> None:
    place.store.put(CONTENT)
    assert place.stored() == b"\x00" + CONTENT


@pytest.mark.parametrize("position", [0, 1, 500])
def test_a_changed_byte_is_named_on_every_way_of_reading(
    place: Place, tmp_path: Path, position: int
) -> None:
    place.store.put(CONTENT)
    stored = bytearray(place.stored())
    stored[position] ^= 1
    place.overwrite(bytes(stored))
    for read in (place.store.read, place.store.open):
        with pytest.raises(BlobCorrupt) as caught:
            read(DIGEST)
        assert caught.value.parameters["sha256"] == DIGEST
    with pytest.raises(BlobCorrupt):
        place.store.export(DIGEST, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_shortened_blob_is_named(place: Place) -> None:
    place.store.put(CONTENT)
    place.overwrite(place.stored()[:-1])
    with pytest.raises(BlobCorrupt):
        place.store.read(DIGEST)


def test_missing_bytes_are_named(store: Blobs, tmp_path: Path) -> None:
    for call in (store.read, store.open, store.size, store.stored_at):
        with pytest.raises(BlobMissing) as caught:
            call(DIGEST)
        assert caught.value.parameters["sha256"] == DIGEST
    with pytest.raises(BlobMissing):
        store.export(DIGEST, tmp_path / "out")
    assert not store.has(DIGEST)


def test_a_digest_never_becomes_another_place(store: Blobs) -> None:
    for call in (store.read, store.has, store.condemn, store.remove):
        with pytest.raises(IdentifierRefused):
            call("../../etc/passwd")


def test_many_writers_of_the_same_bytes_store_them_once(store: Blobs) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(store.put, [CONTENT] * 12)) == {DIGEST}
    assert list(store.digests()) == [DIGEST]
    assert store.read(DIGEST) == CONTENT


def test_a_stored_blob_tells_when(store: Blobs) -> None:
    store.put(CONTENT)
    assert abs(store.stored_at(DIGEST) - datetime.now(UTC)) < timedelta(minutes=1)


# --- Orphans -----------------------------------------------------------------------------------


def _remove(store: Blobs, *, at: datetime) -> list[str]:
    orphan = Orphan(sha256=store.put(CONTENT), size_bytes=len(CONTENT))
    return [one.sha256 for one in orphans.remove(store, [orphan], at=at, grace=GRACE)]


def test_an_old_orphan_is_removed_and_leaves_no_mark(store: Blobs) -> None:
    assert _remove(store, at=TOMORROW) == [DIGEST]
    assert not store.has(DIGEST)
    assert list(store.condemned()) == []


def test_what_was_stored_again_meanwhile_stays(store: Blobs) -> None:
    assert _remove(store, at=datetime.now(UTC)) == []
    assert store.read(DIGEST) == CONTENT
    assert list(store.condemned()) == []


def test_only_one_removes_at_a_time(store: Blobs) -> None:
    store.put(CONTENT)
    assert store.condemn(DIGEST)
    assert not store.condemn(DIGEST)
    assert [digest for digest, _ in store.condemned()] == [DIGEST]
    orphan = Orphan(sha256=Sha256(DIGEST), size_bytes=len(CONTENT))
    assert list(orphans.remove(store, [orphan], at=TOMORROW, grace=GRACE)) == []
    assert store.has(DIGEST)


def test_who_stores_what_is_being_removed_waits_and_stores_it_again(
    store: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_YOUNG", timedelta(0))
    source = tmp_path / "spooled"
    source.write_bytes(CONTENT)
    ways: Sequence[Callable[[], str]] = [
        lambda: store.put(CONTENT),
        lambda: store.put_file(source),
    ]
    for put in ways:
        put()
        assert store.condemn(DIGEST)
        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(put)
            assert not wait([writer], timeout=0.3).done
            store.remove(DIGEST)
            store.acquit(DIGEST)
            assert writer.result(timeout=10) == DIGEST
        assert store.read(DIGEST) == CONTENT


def test_who_stores_what_stays_condemned_is_told_to_try_later(
    store: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_YOUNG", timedelta(0))
    monkeypatch.setattr(blobs, "_PATIENCE_SECONDS", 0.2)
    store.put(CONTENT)
    store.condemn(DIGEST)
    with pytest.raises(BlobBusy):
        store.put(CONTENT)
    assert orphans.forget_abandoned(store, at=datetime.now(UTC)) == 0
    assert orphans.forget_abandoned(store, at=TOMORROW) == 1
    assert store.put(CONTENT) == DIGEST
