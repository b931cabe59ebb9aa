"""SQLite on a disk that fails: full, refusing to sync, or cut in the middle of a write.

What was committed before is there afterwards, what was not is not there at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import multiprocessing
import os
import platform
import random
import shutil
import sqlite3
import struct
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from exchange.node import Node
from exchange.settings import settings
from storage import sql, transactions
from tests.builders import chaos
from tests.chaos.invariants import violations
from worker.children import burst

PAIRS = 2
SEED = 20220411
CUTS = 60
_ROUNDS = 40
_NUMBERS = {"x86_64": {"pwrite64": 18, "fdatasync": 75, "fsync": 74}, "aarch64": {}}
_NUMBERS["aarch64"] = {"pwrite64": 68, "fdatasync": 83, "fsync": 82}
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_fork = multiprocessing.get_context("fork")

pytestmark = pytest.mark.usefixtures("sqlite_only")


@pytest.fixture
def sqlite_only(database_url: str) -> None:
    # The files of PostgreSQL are its server's business: the storm restarts it.
    assert database_url.startswith("sqlite")


# --- A disk that answers with an error ---------------------------------------------------------


def refuse_calls(names: list[str], error: int) -> None:
    """Let the kernel answer these calls of this process with an error from now on (seccomp)."""
    numbers = [_NUMBERS[platform.machine()][name] for name in names]
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]  # load the number of the call
    for place, number in enumerate(numbers):
        code.append(struct.pack("HBBI", 0x15, len(numbers) - place, 0, number))  # equal: refuse
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000))  # allow
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | error))  # refuse
    program = ctypes.create_string_buffer(b"".join(code))
    filtered = struct.pack("HL", len(code), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(filtered)
    assert libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_PR_SET_SECCOMP, _FILTER, held, 0, 0) == 0, ctypes.get_errno()


@pytest.mark.parametrize(
    ("calls", "error"),
    [(["pwrite64"], errno.ENOSPC), (["fdatasync", "fsync"], errno.EIO)],
    ids=["full disk", "error on fsync"],
)
@pytest.mark.parametrize("commits", [3, 9])
def test_a_disk_that_refuses_costs_no_dossier(
    storm_node: Node, calls: list[str], error: int, commits: int
) -> None:
    chaos.clear_work()
    chaos.open_dossiers(storm_node, PAIRS)
    for _ in range(_ROUNDS):
        _in_child(lambda: _work_until_refused(calls, error, commits))
        chaos.pass_time()
        burst()
        chaos.complete_open_tasks(storm_node)
        if not chaos.count_open():
            break
        chaos.pass_time()
    burst()
    assert violations(storm_node, pairs=PAIRS) == []


def _in_child(work: Callable[[], None]) -> None:
    transactions.close()
    child = _fork.Process(target=work)
    child.start()
    child.join(30)
    assert child.exitcode == 0
    transactions.close()


def _work_until_refused(calls: list[str], error: int, commits: int) -> None:
    """Work on; after some commits the disk refuses. The process must survive that."""
    transactions.close()
    seen = count(1)

    def counted() -> None:
        if next(seen) == commits:
            refuse_calls(calls, error)

    _after_each_commit(counted)
    burst()
    os._exit(0)


def _after_each_commit(call: Callable[[], None]) -> None:
    commit = BaseDatabaseWrapper.commit

    def told(wrapper: BaseDatabaseWrapper) -> None:
        commit(wrapper)
        call()

    BaseDatabaseWrapper.commit = told  # type: ignore[method-assign, assignment]  # the fault to be injected


# --- A log that was cut ------------------------------------------------------------------------


def test_every_commit_below_the_cut_of_a_torn_log_is_there(
    storm_node: Node, tmp_path: Path
) -> None:
    database = Path(settings().database_url.removeprefix("sqlite:///"))
    kept = tmp_path / "kept.sqlite"
    chaos.clear_work()
    transactions.close()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sql.execute("PRAGMA wal_autocheckpoint = 0")
    log = database.with_name(database.name + "-wal")
    acknowledged = [(0, 0)]  # size of the log, events in it
    chaos.open_dossiers(storm_node, PAIRS)
    for _ in range(6):
        burst()
        chaos.complete_open_tasks(storm_node)
        chaos.pass_time()
        events = int(sql.the_row("SELECT COUNT(*) FROM history")[0])
        acknowledged.append((log.stat().st_size, events))
    shutil.copy(database, kept)
    whole = log.read_bytes()
    chance = random.Random(SEED)
    sys.stderr.write(f"seed {SEED}: {CUTS} cuts of {len(whole)} bytes\n")
    for _ in range(CUTS):
        cut = chance.randrange(len(whole))
        content = bytearray(whole[:cut])
        is_garbled = cut > 64 and chance.random() < 0.3
        if is_garbled:
            content[-chance.randrange(1, 65)] ^= 1 << chance.randrange(8)
        below = [
            events for size, events in acknowledged if size <= (cut - 64 if is_garbled else cut)
        ]
        assert _reopened(kept, bytes(content), tmp_path) >= below[-1]


def _reopened(kept: Path, log: bytes, folder: Path) -> int:
    """Open a copy with that log; return how many events it has, all of them in whole chains."""
    database = folder / "torn.sqlite"
    shutil.copy(kept, database)
    database.with_name("torn.sqlite-wal").write_bytes(log)
    database.with_name("torn.sqlite-shm").unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        heads = {
            row[0]: (row[1], row[2])
            for row in connection.execute("SELECT id, log_sequence, log_head FROM dossier")
        }
        walked = dict.fromkeys(heads, (0, b""))
        rows = connection.execute("SELECT dossier, leaf FROM history ORDER BY dossier, sequence")
        events = 0
        for dossier, leaf in rows:
            number, head = walked[dossier]
            walked[dossier] = (number + 1, hashlib.sha256(head + leaf).digest())
            events += 1
        assert walked == heads
        logged = [
            connection.execute(
                f"SELECT COUNT(*) FROM {table} WHERE dossier IS NOT NULL"
            ).fetchone()[0]
            for table in ("log_pending", "log_entry")
        ]
        assert sum(logged) == events
    return events
