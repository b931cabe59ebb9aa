"""Stored files that no row names go; what any row names stays, wherever it names it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dossier.clock import SystemClock
from dossier.envelope import Assurance, FileKind, ManifestEntry
from dossier.ids import Sha256
from exchange import orphans
from exchange.node import Node
from exchange.settings import Settings, load
from lienthong.main import run
from storage import agencies, inbox
from storage.blobfiles import BlobStore
from storage.orphans import named
from storage.transactions import transaction
from tests.builders.storage import AT, envelope

pytestmark = pytest.mark.usefixtures("database")
OLD = timedelta(hours=25)


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return load({"LIENTHONG_HOME": str(tmp_path)})


def _stored(here: Settings, content: bytes, *, age: timedelta) -> str:
    digest = BlobStore(here.blob_dir).put(content)
    at = (SystemClock().now() - age).timestamp()
    os.utime(here.blob_dir / digest[:2] / digest[2:], (at, at))
    return digest


def test_only_old_files_that_no_row_names_are_found(here: Settings) -> None:
    orphan = _stored(here, b"orphan", age=OLD)
    _stored(here, b"young", age=timedelta(hours=23))
    kept = _stored(here, b"kept", age=OLD)
    agencies.set_node_value("any", f'{{"documents":["{kept}"]}}')
    at = SystemClock().now()
    assert [one.sha256 for one in orphans.find(here, at=at)] == [orphan]
    assert [one.sha256 for one in orphans.collect(here, at=at)] == [orphan]
    assert list(orphans.find(here, at=at)) == []
    assert BlobStore(here.blob_dir).read(kept) == b"kept"


def test_every_file_of_a_received_message_stays(here: Settings) -> None:
    entry = ManifestEntry(
        name="payload.json",
        media_type="application/json",
        size_bytes=2,
        sha256=Sha256("ef" * 32),
        kind=FileKind.PAYLOAD,
    )
    received = replace(envelope(), manifest=(entry,))
    with transaction():
        inbox.reserve(
            inbox.NewMessage(
                envelope=received,
                container_sha256=Sha256("ab" * 32),
                receipt_sha256=Sha256("cd" * 32),
                received=AT,
                assurance=Assurance.SEALED,
            )
        )
    assert {(half * 32).encode() for half in ("ab", "cd", "ef")} <= named()


def test_the_command_says_first_and_removes_then(
    here: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lienthong.blobs.settings", lambda: here)
    orphan = _stored(here, b"orphan", age=OLD)
    assert run(["blobs", "collect", "--dry-run"]) == 0
    assert BlobStore(here.blob_dir).has(orphan)
    assert run(["blobs", "collect"]) == 0
    assert not BlobStore(here.blob_dir).has(orphan)
    assert capsys.readouterr().out == f"{orphan}\t6\n" * 2


def test_the_sweep_collects_once_a_day(here: Settings) -> None:
    now = SystemClock().now()
    node = SimpleNamespace(settings=here, blobs=BlobStore(here.blob_dir), now=lambda: now)
    assert orphans.collect_daily(cast(Node, node)).done == 0  # begins to count
    _stored(here, b"orphan", age=OLD)
    assert orphans.collect_daily(cast(Node, node)).done == 0
    now += timedelta(days=1)
    assert orphans.collect_daily(cast(Node, node)).done == 1
    now -= timedelta(days=9)  # the clock is set right
    assert orphans.collect_daily(cast(Node, node)).done == 0
