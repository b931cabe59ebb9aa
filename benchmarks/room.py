"""Run one module of the benches: `python -m benchmarks.room MODULE PREFIX`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from benchmarks.measure import Measure


def judge(measures: Iterable[Measure]) -> int:
    """Print each figure as it comes; return 1 when one misses its gate."""
    missed = []
    for measure in measures:
        print(measure.as_json(), flush=True)
        if not measure.is_ok:
            missed.append(measure)
    for measure in missed:
        print(
            f"bench: {measure.name}: expected a ratio of {measure.bound.value} {measure.gate} "
            f"to {measure.baseline}, got {measure.ratio:.4g}",
            file=sys.stderr,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    name, prefix = sys.argv[1], sys.argv[2]
    found = importlib.import_module(f"benchmarks.{name}").run(prefix)
    sys.exit(judge(measure for measure in found if measure.name.startswith(prefix)))
