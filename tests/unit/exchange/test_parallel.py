"""Work on several processes: in order, each piece once, and no loss unseen."""

from __future__ import annotations

import os
import time

import pytest

from exchange.parallel import in_order
from exchange.parallel_errors import WorkerLost


def _slow_when_even(piece: int) -> tuple[int, int]:
    if piece % 2 == 0:
        time.sleep(0.02)
    return piece, os.getpid()


def _ends_the_process(piece: int) -> int:
    if piece == 2:
        os._exit(1)
    return piece


def test_results_come_in_order_from_several_processes() -> None:
    found = list(in_order(range(12), _slow_when_even, workers=2))

    assert [piece for piece, _ in found] == list(range(12))
    assert os.getpid() not in {process for _, process in found}
    assert len({process for _, process in found}) == 2


def test_a_worker_that_is_gone_is_told() -> None:
    with pytest.raises(WorkerLost):
        list(in_order(range(6), _ends_the_process, workers=1))


def test_a_consumer_may_stop_early() -> None:
    results = in_order(range(1000), _slow_when_even, workers=2)

    assert next(results)[0] == 0
    results.close()  # type: ignore[attr-defined]  # it is a generator
