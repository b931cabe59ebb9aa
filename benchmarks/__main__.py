"""Run the benches and print one JSON line per figure: `python -m benchmarks [PREFIX]`.

Each module runs in a process of its own: a node is booted once per process, and no figure may
depend on what was measured before it. Exit 0 when every gate is kept, 1 when one is not or a bench
did not end, 2 when the prefix names no figure.
"""

from __future__ import annotations

import subprocess
import sys

# The first word of a figure's name, and where it is taken: the whole exchange needs more than the
# connectors.
ROOMS = (
    ("engine", "engine"),
    ("feel", "feel"),
    ("signing", "signing"),
    ("signing", "bulk"),
    ("signing", "streamed"),
    ("signing", "rivals"),
    ("connectors", "connectors"),
    ("connectors", "exchange"),
    ("connectors", "receiving"),
    ("worker", "worker"),
    ("worker", "steady"),
    ("procedures", "procedures"),
)
# Takes minutes, so only when it is named.
LONG_ROOMS = (("soak", "steady"),)


def main(arguments: list[str]) -> int:
    """Print every figure whose name begins with the prefix given, and judge the gates."""
    only = arguments[0] if arguments else ""
    printed, failed = 0, False
    for room, module in ROOMS + (LONG_ROOMS if only.startswith("soak") else ()):
        if room.startswith(only.split(".")[0]):
            lines, code = _run(module, only)
            printed += lines
            failed = failed or code != 0
    if failed:
        return 1
    if not printed:
        print(f"bench: error: no figure begins with {only!r}", file=sys.stderr)
        return 2
    return 0


def _run(module: str, only: str) -> tuple[int, int]:
    """Pass on what one module prints; return the number of its lines and its exit code."""
    lines = 0
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.room", module, only], stdout=subprocess.PIPE, text=True
    ) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            lines += 1
    return lines, running.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
