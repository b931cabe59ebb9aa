"""Upkeep: what dead uploads and ended sessions left goes, what is in use stays."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dossier.clock import SystemClock
from exchange import upkeep
from exchange.node import Node
from storage import sql
from storage.spool import FileSpool
from tests.builders.connectors import path_of

pytestmark = pytest.mark.usefixtures("database")


def test_dead_uploads_and_ended_sessions_go(tmp_path: Path) -> None:
    now = SystemClock().now()
    sql.execute("DELETE FROM django_session")
    for key, hours in (("ended", -1), ("open", 1)):
        until = sql.from_django(now + timedelta(hours=hours))
        sql.execute(
            sql.insert_into("django_session", "session_key session_data expire_date"),
            (key, "", until),
        )
    spool = FileSpool(tmp_path, total_bytes=100, per_peer_bytes=100)
    dead = spool.open(peer="10.0.0.1", limit_bytes=10).close()
    spool.open(peer="10.0.0.1", limit_bytes=10).close()
    os.utime(path_of(dead), (0, 0))
    node = cast(Node, SimpleNamespace(spool=spool, now=lambda: now))
    assert upkeep.clean(node).done == 2
    assert sql.all_rows("SELECT session_key FROM django_session") == [("open",)]
    assert not path_of(dead).exists()
    assert upkeep.clean(node).done == 0
