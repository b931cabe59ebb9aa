"""Start and stop the demo's processes: for each node its web server and its supervisor.

The nodes share nothing: each has its own environment, folder, database, Redis and keys.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from lienthong.errors import NodeNotReady

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 15.0


@dataclass(kw_only=True, slots=True)
class RunningNode:
    """Mutable, because a killed process is replaced: the processes of one node."""

    name: str
    origin: str
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)


def environment(root: Path, name: str) -> dict[str, str]:
    """Return the environment of one node's processes: ours without any other node's settings."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("LIENTHONG_")}
    own |= {"LIENTHONG_HOME": str(root), "LIENTHONG_NODE": name}
    # A wheel named `workflows` in the current folder or user site must not shadow ours.
    own |= {"PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    return own


def run_command(root: Path, name: str, *arguments: str) -> None:
    """Run `lienthong --node NAME …` to its end; raise `NodeNotReady` when it fails."""
    run_everywhere(root, [name], *arguments)


def run_everywhere(root: Path, names: Sequence[str], *arguments: str) -> None:
    """Run `lienthong --node NAME …` for all nodes at once; raise `NodeNotReady` when one fails."""
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "lienthong", "--node", name, *arguments],
            env=environment(root, name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for name in names
    }
    said = {name: process.communicate()[1] for name, process in running.items()}
    for name, process in running.items():
        if process.returncode:
            lines = said[name].decode(errors="replace").strip().splitlines()
            raise NodeNotReady(
                f"expected {' '.join(arguments)} to work on {name}, got exit "
                f"{process.returncode}: " + (lines[-1] if lines else ""),
                node=name,
            )


def start(root: Path, name: str, *, origin: str) -> RunningNode:
    """Start the web server and the supervisor of a node; `wait_ready` waits for them."""
    logs = root / "nodes" / name / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    node = RunningNode(name=name, origin=origin, logs=logs)
    for noun in ("serve", "work"):
        node.processes[noun] = _spawn(root, name, noun, (logs / f"{noun}.log").open("ab"))
    return node


def restart(root: Path, node: RunningNode, noun: str) -> None:
    """Start one of a node's processes again after it was killed."""
    log = (node.logs / f"{noun}.log").open("ab")
    node.processes[noun] = _spawn(root, node.name, noun, log)


def wait_ready(node: RunningNode) -> None:
    """Return when the node answers; raise `NodeNotReady` when one of its processes ends."""
    limit = time.monotonic() + _READY_SECONDS
    while time.monotonic() < limit:
        for noun, process in node.processes.items():
            if process.poll() is not None:
                raise NodeNotReady(
                    f"expected {noun} of {node.name} to run, got exit {process.returncode}",
                    hint=f"see {node.logs / (noun + '.log')}",
                    node=node.name,
                )
        if _answers(f"{node.origin}/readyz"):
            return
        time.sleep(0.1)
    raise NodeNotReady(
        f"expected {node.name} to answer within {_READY_SECONDS:.0f} s",
        hint=f"see {node.logs}",
        node=node.name,
    )


def stop(nodes: list[RunningNode]) -> None:
    """Stop all processes: politely, then for good."""
    processes = [process for node in nodes for process in node.processes.values()]
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    limit = time.monotonic() + _STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _spawn(root: Path, name: str, noun: str, log: BinaryIO) -> subprocess.Popen[bytes]:
    with log:
        return subprocess.Popen(
            [sys.executable, "-m", "lienthong", "--node", name, noun],
            env=environment(root, name),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - http to our own node
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
