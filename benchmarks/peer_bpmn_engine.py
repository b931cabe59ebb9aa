"""The npm package bpmn-engine on the same five tasks, saved and restored at each step too.

It is installed below build/ from the lock file beside its script, for the bench alone.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).parent / "bpmn_engine"
_PLACE = Path(__file__).parents[1] / "build" / "bench" / "bpmn-engine"


def seconds_of_five_tasks(model: bytes, *, rounds: int) -> float:
    """Return the median seconds of one run of the model."""
    _PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "five.mjs"):
        shutil.copy(_SOURCE / name, _PLACE / name)
    if not (_PLACE / "node_modules").is_dir():
        _run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    (_PLACE / "five.bpmn").write_bytes(model)
    return float(_run("node", "five.mjs", "five.bpmn", str(rounds))) / 1000


def _run(*command: str) -> str:
    done = subprocess.run(
        command, cwd=_PLACE, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout
