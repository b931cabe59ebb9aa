"""Bulk verification on two processes against bare key operations on two (signing.md §5.1).

Parallel efficiency is the time on one process over twice the time on two. Wall time, because that
is what a second process is for; both pairs take turns in one run.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Bound, Measure
from benchmarks.signing import SMALL, Scene
from exchange.parallel import in_order
from exchange.verifyfolder import Found, Wanted, judge_all
from signing.evidence import TrustGiven
from tests.builders.signing import NOW

_NAME = "signing.bulk_efficiency"
FILES = 4000
DISTINCT = 200  # containers; each stands in the folder under many names
ROUNDS = 5
_BARE_CALLS = 200  # of one piece
_WANTED = Wanted(json=False, reports=True, passed_reports=False)


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    if not _NAME.startswith(only):
        return
    scene = Scene()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        bulk, bare = _bulk(scene, Path(folder)), _bare(scene)
        for _ in range(ROUNDS):
            ours.append(_efficiency(bulk))
            theirs.append(_efficiency(bare))
    value, baseline = statistics.median(ours), statistics.median(theirs)
    yield Measure(
        name=_NAME,
        value=value,
        unit="of two processes",
        baseline=f"bare P-256 verifications on two processes: {baseline:.3f}",
        ratio=value / baseline,
        gate=0.9,
        bound=Bound.AT_LEAST,
    )


def _bulk(scene: Scene, folder: Path) -> Callable[[int], None]:
    found = _folder(scene, folder)
    given = TrustGiven(
        anchors=(scene.pki.root.certificate,),
        certificates=(scene.pki.issuing.certificate,),
        crls=scene.pki.crls(),
    )

    def work(workers: int) -> None:
        judged = judge_all(found, given=given, at=NOW, wanted=_WANTED, workers=workers)
        if any(one.report is not None for one in judged):
            raise RuntimeError("expected sound containers")

    return work


def _bare(scene: Scene) -> Callable[[int], None]:
    def piece(_: int) -> None:
        for _ in range(_BARE_CALLS):
            scene.bare_verify()

    def work(workers: int) -> None:
        pieces = range(FILES * 4 // _BARE_CALLS)
        for _ in map(piece, pieces) if workers == 1 else in_order(pieces, piece, workers=workers):
            pass

    return work


def _folder(scene: Scene, folder: Path) -> list[Found]:
    contents = [scene.container(os.urandom(SMALL), stamped=True) for _ in range(DISTINCT)]
    found = []
    for number in range(FILES):
        path = folder / f"{number:05}.asice"
        path.write_bytes(contents[number % DISTINCT])
        found.append(Found(path=path, name=path.name))
    return found


def _efficiency(work: Callable[[int], None]) -> float:
    one, two = _seconds(work, 1), _seconds(work, 2)
    return one / (2 * two)


def _seconds(work: Callable[[int], None], workers: int) -> float:
    started = time.perf_counter()
    work(workers)
    return time.perf_counter() - started
