"""A copy of this tree as a fresh clone has it: no environment, no data, no caches."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.builders.demo import ROOT, Performance, Ports, environment


def copy_tree(target: Path) -> Path:
    """Copy every file that git knows or would add, as it stands now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def make_run(clone: Path, *, ports: Ports) -> Performance:
    """Start `make run ARGS=--once` there, on ports of its own."""
    command = ("make", "run", f"ARGS=--once --port {ports.first}")
    return Performance(command, environment=environment(), folder=clone)
