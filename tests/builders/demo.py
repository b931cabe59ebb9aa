"""The demo as people start it: a process of its own that plays while other tests run.

Also interpreters that lack something: a machine without Redis, an auditor without Django.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from exchange.demo.layout import Home
from lienthong.demo import launch

ROOT: Final = Path(__file__).resolve().parents[2]
NODES: Final = ("h28", "h08")  # in the order of their ports
_PATIENCE_SECONDS: Final = 240.0

# Python imports a module of this name at its start, before anything of ours.
_SITE: Final = """
import importlib.machinery
import sys

ABSENT = {absent!r}
found = importlib.machinery.PathFinder.find_spec


def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in ABSENT else found(name, path, target)


importlib.machinery.PathFinder.find_spec = find_spec


def refuse_calls(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError("no network here: " + event)


if {offline!r}:
    sys.addaudithook(refuse_calls)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What a command printed, both streams as people see them, and how it ended."""

    code: int
    output: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Two free ports in a row, as the demo takes them."""

    first: int

    def of(self, node: str) -> int:
        """Return the port of a node."""
        return self.first + NODES.index(node)


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A demo that was played to its end."""

    home: Home
    ports: Ports
    finished: Finished

    def bundles(self) -> list[Path]:
        """Return the evidence it left, in the order of names."""
        return sorted(self.home.evidence.glob("*.asice"))

    @property
    def anchor(self) -> Path:
        """The certificate that an auditor was given by other means."""
        return self.home.evidence / "anchor.pem"


class Performance:
    """A command that runs in the background; what it prints goes to a file."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path
    ) -> None:
        self._printed = folder / "printed.txt"
        with self._printed.open("wb") as printed:
            self._process = _spawn(command, environment, folder, printed)

    def finished(self) -> Finished:
        """Wait for the end."""
        code = self._process.wait(_PATIENCE_SECONDS)
        return Finished(code=code, output=self.output())

    def output(self) -> str:
        """Return what has been printed so far."""
        return self._printed.read_text()

    def wait_for(self, words: str) -> None:
        """Wait until these words are printed; raise `AssertionError` when the command ends."""
        limit = time.monotonic() + _PATIENCE_SECONDS
        while words not in self.output():
            assert self._process.poll() is None, self.output()
            assert time.monotonic() < limit, self.output()
            time.sleep(0.05)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal, as Ctrl-C or an operator would."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """End the command if it still runs."""
        if self._process.poll() is None:
            self.interrupt()
            self._process.wait(60)


def free_ports() -> Ports:
    """Return two free ports in a row, below those that the system gives to callers."""
    while True:
        first = random.randrange(20_000, 30_000)
        with socket.socket() as one, socket.socket() as two:
            try:
                one.bind(("127.0.0.1", first))
                two.bind(("127.0.0.1", first + 1))
            except OSError:
                continue
            return Ports(first=first)


def environment(**own: str) -> dict[str, str]:
    """Return this process's environment without settings of ours, and with these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LIENTHONG_")}
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1", "LANG": "C.UTF-8", **own}


def perform(
    *arguments: str, home: Path, ports: Ports, folder: Path, changed: Mapping[str, str]
) -> Performance:
    """Start `lienthong demo` in a folder of its own."""
    command = (sys.executable, "-m", "lienthong", "demo", "--port", str(ports.first), *arguments)
    own = environment(LIENTHONG_HOME=str(home), **changed)
    return Performance(command, environment=own, folder=folder)


def run_to_end(
    *arguments: str, home: Path, folder: Path, changed: Mapping[str, str] | None = None
) -> Finished:
    """Run `lienthong …` to its end."""
    own = environment(LIENTHONG_HOME=str(home), **(changed or {}))
    done = subprocess.run(
        [sys.executable, "-m", "lienthong", *arguments],
        cwd=folder,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    return Finished(code=done.returncode, output=done.stdout)


def interpreter_without(*absent: str, folder: Path, offline: bool = False) -> dict[str, str]:
    """Return the environment in which Python finds none of these packages, nor a network."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SITE.format(absent=set(absent), offline=offline))
    return {"PYTHONPATH": str(folder)}


@contextmanager
def served(home: Home, *names: str, ports: Ports) -> Iterator[dict[str, launch.RunningNode]]:
    """Serve nodes of a home that was laid out, and stop those that run at the end."""
    nodes: dict[str, launch.RunningNode] = {}
    try:
        for name in names:
            nodes[name] = serve(home, name, ports=ports)
        yield nodes
    finally:
        launch.stop(list(nodes.values()))


def serve(home: Home, name: str, *, ports: Ports) -> launch.RunningNode:
    """Start one node and wait until it answers."""
    node = launch.start(home.root, name, origin=f"http://127.0.0.1:{ports.of(name)}")
    launch.wait_ready(node)
    return node


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on a port of this machine."""
    with socket.socket() as caller:
        caller.settimeout(5)
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _spawn(
    command: Sequence[str], own: Mapping[str, str], folder: Path, printed: BinaryIO
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(own),
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=subprocess.STDOUT,
    )
