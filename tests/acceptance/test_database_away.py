"""PostgreSQL down, read-only, or out of connections: named, survived, and over by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.builders.postgresql import postgresql_cluster


@pytest.fixture(scope="module")
def owner() -> Iterator[str]:
    """Give the address of a fresh database, as its superuser."""
    with postgresql_cluster() as url:
        _tell(
            url, "CREATE ROLE node LOGIN PASSWORD 'node'", "ALTER DATABASE lienthong OWNER TO node"
        )
        yield url


@pytest.fixture(scope="module")
def node(owner: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Give the settings of a migrated node on it, as an account without privileges."""
    parts = urlsplit(owner)
    url = urlunsplit(parts._replace(netloc=f"node:node@{parts.hostname}:{parts.port}"))
    home = str(tmp_path_factory.mktemp("node"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    settings = {**plain, "LIENTHONG_HOME": home, "LIENTHONG_DATABASE_URL": url, "LANG": "C.UTF-8"}
    assert _run(settings, "migrate").returncode == 0
    return settings


def _tell(url: str, *statements: str) -> None:
    # Not its own setting: what was made read-only must be told otherwise.
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for statement in statements:
            connection.execute(statement.encode())


def _run(settings: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lienthong", *arguments]
    return subprocess.run(
        command, env=settings, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_database_that_is_down_is_named_and_the_rest_is_looked_at(
    node: Mapping[str, str], tmp_path: Path
) -> None:
    down = {**node, "LIENTHONG_DATABASE_URL": "postgresql://node:hidden@127.0.0.1:1/lienthong"}
    checked = _run(down, "check")
    assert checked.returncode == 1
    assert "BAD The database does not answer" in checked.stdout
    assert "disk are free" in checked.stdout
    assert "hidden" not in checked.stdout + checked.stderr
    listed = _run(down, "migrate")
    assert listed.returncode == 3
    assert "storage_unavailable" in listed.stderr
    assert "Traceback" not in listed.stderr


def test_a_read_only_database_is_named_and_its_work_waits(
    owner: str, node: Mapping[str, str]
) -> None:
    _tell(owner, "ALTER DATABASE lienthong SET default_transaction_read_only = on")
    try:
        assert "BAD The database takes no changes" in _run(node, "check").stdout
        names = ("--name-vi", "Tỉnh", "--name-en", "Province")
        changed = _run(node, "agency", "add", "H28", *names)
        assert changed.returncode == 3
        assert "storage_unavailable" in changed.stderr
    finally:
        _tell(owner, "ALTER DATABASE lienthong RESET default_transaction_read_only")
    assert "takes no changes" not in _run(node, "check").stdout


def test_without_a_free_connection_people_are_asked_to_come_back(
    owner: str, node: Mapping[str, str]
) -> None:
    _tell(owner, "ALTER ROLE node CONNECTION LIMIT 0")
    try:
        refused = _run(node, "migrate")
        assert refused.returncode == 3
        assert "storage_unavailable" in refused.stderr
        assert "too many connections" in _run(node, "check").stdout
    finally:
        _tell(owner, "ALTER ROLE node CONNECTION LIMIT -1")
    assert _run(node, "migrate").returncode == 0


_BUSY_POOL = """
import threading
from exchange.boot import boot
boot(is_pooled=True)
from storage import agencies, transactions
from storage.errors import StorageUnavailable
taken, done = threading.Event(), threading.Event()
def hold():
    with transactions.transaction():
        agencies.node_value("epoch")
        taken.set()
        done.wait(30)
    transactions.close()
thread = threading.Thread(target=hold)
thread.start()
taken.wait(30)
try:
    agencies.node_value("epoch")
except StorageUnavailable as exc:
    print("refused", exc.parameters["detail"])
transactions.close()
done.set()
thread.join()
agencies.node_value("epoch")
print("served")
"""


def test_a_thread_that_finds_no_free_connection_is_refused_and_the_next_one_served(
    node: Mapping[str, str],
) -> None:
    settings = {**node, "LIENTHONG_DATABASE_POOL": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _BUSY_POOL],
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "refused couldn't get a connection after 3.00 sec" in done.stdout, done.stderr
    assert "served" in done.stdout
