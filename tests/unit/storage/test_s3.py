"""The object store's refusals: each named, none hanging, no key in any text."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from storage import s3
from storage.errors import BlobStoreRefused, StorageUnavailable
from storage.s3 import Bucket, S3Blobs
from tests.builders.s3 import ObjectStore, object_store

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.mark.parametrize(
    "wrong",
    [{"secret_key": "s" * 40}, {"access_key": "AKIAUNKNOWN"}, {"name": "another"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_keys_and_buckets_are_for_the_operator(
    objects: ObjectStore, wrong: dict[str, str]
) -> None:
    store = S3Blobs(replace(objects.bucket, **wrong))
    for call in (lambda: store.put(b"x"), lambda: list(store.digests())):
        with pytest.raises(BlobStoreRefused) as caught:
            call()
        assert objects.bucket.secret_key not in repr(caught.value.parameters)


def test_keys_are_in_no_text_of_ours(objects: ObjectStore) -> None:
    assert objects.bucket.secret_key not in repr(objects.bucket)


@contextmanager
def _server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                with peer:
                    answer(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _at(endpoint: str) -> S3Blobs:
    return S3Blobs(
        Bucket(name="b", prefix="", endpoint=endpoint, region="r", access_key="a", secret_key="s")
    )


def test_a_store_that_is_away_is_tried_again_later() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        store = _at(f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(StorageUnavailable):
            store.read(DIGEST)


def test_a_silent_store_does_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    with _server(lambda peer: time.sleep(1)) as endpoint:
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            _at(endpoint).read(DIGEST)
        assert time.monotonic() - started < 3


def test_an_answer_that_breaks_off_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)

    def cut(peer: socket.socket) -> None:
        peer.recv(65_536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\0abc")

    with _server(cut) as endpoint, pytest.raises(StorageUnavailable):
        _at(endpoint).read(DIGEST)
