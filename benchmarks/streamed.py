"""What sealing and verifying a large file holds in memory, against a small one.

Counted are the allocations of Python, whose peak shows a file that was read as a whole; the pages
of a mapped file are the operating system's to keep or to drop.
"""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Measure
from benchmarks.signing import MIB, Scene
from signing.asic import DataFile, write_container
from tests.builders.signing import NOW

LARGE = 50


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    scene = Scene()
    with tempfile.TemporaryDirectory() as folder:
        paths = {size: _file(Path(folder), size) for size in (1, LARGE)}
        targets = {size: path.with_suffix(".asice") for size, path in paths.items()}

        def seal(size: int) -> None:
            with targets[size].open("wb") as out:
                write_container(
                    out,
                    [
                        DataFile(
                            name="big.bin",
                            media_type="application/octet-stream",
                            content=paths[size],
                        )
                    ],
                    signer=scene.seal,
                    timestamper=None,
                    at=NOW,
                )

        works: tuple[tuple[str, Callable[[int], None]], ...] = (
            ("signing.memory_seal_50m", seal),
            ("signing.memory_verify_50m", lambda size: scene.judge(targets[size])),
        )
        for name, work in works:
            for size in (1, LARGE):
                work(size)  # what is kept for good is kept before it is measured
            small, large = _peak(work, 1), _peak(work, LARGE)
            if name.startswith(only):
                yield Measure(
                    name=name,
                    value=large / 1024,
                    unit="KiB at the peak",
                    baseline=f"the same with 1 MiB: {small / 1024:.0f} KiB",
                    ratio=large / small,
                    gate=1.5,
                )


def _file(folder: Path, size: int) -> Path:
    path = folder / f"{size}.bin"
    with path.open("wb") as out:
        for _ in range(size):
            out.write(os.urandom(MIB))
    return path


def _peak(work: Callable[[int], None], size: int) -> int:
    tracemalloc.start()
    work(size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak
