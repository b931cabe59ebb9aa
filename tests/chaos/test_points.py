"""A process is killed at every named point; the next one takes up what it left."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import pytest

from exchange import sweep
from exchange.node import Node
from storage import transactions
from tests.builders import chaos
from tests.chaos.faults import POINTS, OneDeath, arm
from tests.chaos.invariants import violations
from worker.children import burst

_ROUNDS = 40
_fork = multiprocessing.get_context("fork")


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_lost_when_a_process_dies(storm_node: Node, tmp_path: Path, point: str) -> None:
    book = tmp_path / "points"
    chaos.clear_work()
    chaos.open_dossiers(storm_node, 1)
    for _ in range(_ROUNDS):
        if not book.exists():
            _burst_in_child(OneDeath(point, book))
            chaos.pass_time()  # what the dead process held may be taken at once
        burst()
        chaos.complete_open_tasks(storm_node)
        if not chaos.count_open():
            break
        chaos.pass_time()
    burst()
    assert book.read_text().split() == [point]
    assert violations(storm_node, pairs=1) == []


def _burst_in_child(death: OneDeath) -> None:
    """Let a process of its own work until it dies at its point or nothing is due."""
    transactions.close()
    child = _fork.Process(target=_work, args=(death,))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    transactions.close()


def _work(death: OneDeath) -> None:
    sweep.forget_connection()
    arm(death)
    burst()
    transactions.close()
