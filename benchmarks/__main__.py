"""Run the benches and print one JSON line per figure: `python -m benchmarks [PREFIX]`.

Exit 0 when every gate is kept, 1 when one is not, 2 when the prefix names no figure.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

from benchmarks.measure import Measure

# A room and where its figures are taken: the whole exchange needs more than the connectors.
ROOMS = (
    ("engine", "engine"),
    ("feel", "feel"),
    ("signing", "signing"),
    ("connectors", "connectors"),
    ("connectors", "exchange"),
    ("worker", "worker"),
)


def main(arguments: list[str]) -> int:
    """Print every figure whose name begins with the prefix given, and judge the gates."""
    only = arguments[0] if arguments else ""
    printed = 0
    missed = []
    for measure in _measures(only):
        print(measure.as_json(), flush=True)
        printed += 1
        if not measure.is_ok:
            missed.append(measure)
    for measure in missed:
        print(
            f"bench: {measure.name}: expected a ratio of {measure.bound.value} {measure.gate} "
            f"to {measure.baseline}, got {measure.ratio:.4g}",
            file=sys.stderr,
        )
    if not printed:
        print(f"bench: error: no figure begins with {only!r}", file=sys.stderr)
        return 2
    return 1 if missed else 0


def _measures(only: str) -> Iterator[Measure]:
    """Yield the figures whose name begins with `only`, opening only the rooms that can have any."""
    for room, module in ROOMS:
        if not room.startswith(only.split(".")[0]):
            continue
        measures = importlib.import_module(f"benchmarks.{module}").run(only)
        yield from (measure for measure in measures if measure.name.startswith(only))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
