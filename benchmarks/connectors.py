"""What the SOAP wire costs: extracting by MTOM, whole messages against bare POSTs, memory.

The bare receiver only hashes, fsyncs and commits one row; both run in the same gunicorn, and the
use case behind the SOAP endpoint does exactly that, so the difference is the connectors' own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import psutil  # type: ignore[import-untyped]  # ships no types
import requests
import zeep
from lxml import etree

from benchmarks.measure import Bound, Measure, seconds_per_call
from connectors import contract
from connectors.http import HttpClient, only_hosts
from connectors.soap_client import SoapClient
from connectors.soap_server import SoapServer
from dossier.ids import Sha256
from dossier.wire import SendHints, Spooled, WireRequest
from portal.soap import WireApp
from tests.builders.connectors import (
    DiskSpool,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    path_of,
    root_part,
    send_xml,
)

_ROOT: Final = Path(__file__).parent.parent
_MIB: Final = 1024 * 1024
_ROUNDS: Final = 5
_BOUNDARY: Final = "lt-0123456789abcdef0123456789abcdef"  # as long as clients make theirs


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    figures: tuple[tuple[str, Callable[[str], Measure]], ...] = (
        ("connectors.mtom_extract_1mib", _extracting),
        ("connectors.send_10kib", lambda name: _sending(name, 10 * 1024, calls=100, gate=0.5)),
        ("connectors.send_1mib", lambda name: _sending(name, _MIB, calls=20, gate=0.4)),
        ("connectors.send_400mib", lambda name: _sending(name, 400 * _MIB, calls=1, gate=0.5)),
        ("connectors.memory_1_to_400mib", _memory),
    )
    for name, figure in figures:
        if name.startswith(only):
            yield figure(name)


# --- CPU of one process --------------------------------------------------------------------------


class _Hashing:
    """A `Receiving` that does what the bare receiver does."""

    def __init__(self, folder: Path) -> None:
        self._rows = _Rows(folder)

    def before(self, hints: SendHints) -> bytes | None:
        """Know no duplicates."""
        return None

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        """Sync the file and commit a row."""
        with path_of(container).open("rb") as file:
            os.fsync(file.fileno())
        self._rows.commit(container.sha256)
        return b"<Receipt/>"


class _Rows:
    """One table in a database of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rows.sqlite"
        with self._open() as database:
            database.execute("create table if not exists inbox (digest text)")

    def commit(self, digest: str) -> None:
        """Commit one row durably."""
        with self._open() as database:
            database.execute("insert into inbox values (?)", (digest,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=30)
        try:
            database.execute("pragma journal_mode=wal")
            database.execute("pragma synchronous=full")
            with database:
                yield database
        finally:
            database.close()


class _Forgetting:
    """A `Receiving` that does nothing, to see the connectors alone."""

    def before(self, hints: SendHints) -> bytes | None:
        """Know no duplicates."""
        return None

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        """Answer."""
        return b"<Receipt/>"


class _MemorySpool:
    """A `Spool` whose content is hashed and forgotten."""

    def open(self, *, peer: str, limit_bytes: int) -> _MemorySpooled:
        """Start."""
        return _MemorySpooled()


class _MemorySpooled:
    """Writer and result in one."""

    content: Final = Path("/nowhere")

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> Sha256:
        """Of all that was written."""
        return Sha256(self._digest.hexdigest())

    def write(self, chunk: bytes) -> None:
        """Hash."""
        self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def close(self) -> Spooled:
        """Return itself."""
        return self

    def abort(self) -> None:
        """Do nothing."""

    def drop(self) -> None:
        """Do nothing."""


def _extracting(name: str) -> Measure:
    """Take a container of 1 MiB out of its request, against zeep's own decoding of base64."""
    content = os.urandom(_MIB)
    hints = hints_for(content)
    parts = (root_part(send_xml(hints, include())), PartSpec(content=content, content_id="c@x"))
    body = multipart(*parts, boundary=_BOUNDARY)
    inline = send_xml(hints, base64.b64encode(content).decode())
    model: Any = zeep.Client(str(contract.wsdl_path()))  # type: ignore[no-untyped-call]  # as is
    operation = model.wsdl.bindings[f"{{{contract.NAMESPACE}}}ExchangeSoap11"].get("SendMessage")

    def decode() -> None:
        envelope = etree.fromstring(inline)
        request = operation.input.body.parse(envelope[-1][0], model.wsdl.types)
        hashlib.sha256(request.Container).hexdigest()

    server = SoapServer(receiving=_Forgetting(), spool=_MemorySpool())

    def extract() -> None:
        server(
            WireRequest(
                method="POST",
                path="/soap",
                query="",
                headers={"content-type": mtom_type(boundary=_BOUNDARY)},
                stream=cast(BinaryIO, io.BytesIO(body)),
                peer="bench",
            )
        )

    ours, theirs = seconds_per_call(extract), seconds_per_call(decode)
    return Measure(
        name=name,
        value=ours * 1e3,
        unit="ms",
        baseline="zeep parses and maps the same container inline; both hash it, neither stores it",
        ratio=ours / theirs,
        gate=0.2,
    )


# --- Two processes over loopback -----------------------------------------------------------------


def soap_app(folder: str) -> WireApp:
    """Return the SOAP endpoint as gunicorn loads it."""
    path = Path(folder)
    return WireApp(SoapServer(receiving=_Hashing(path), spool=DiskSpool(path)))


def bare_app(folder: str) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Return the receiver that only hashes, fsyncs and commits one row."""
    path = Path(folder)
    rows = _Rows(path)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=path) as file:
            while chunk := environ["wsgi.input"].read(64 * 1024):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            rows.commit(digest.hexdigest())
        start_response("200 OK", [("Content-Length", "0")])
        return ()

    return app


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A running server."""

    url: str
    process: psutil.Process

    def rss_bytes(self) -> int:
        """Resident memory of the server and its workers."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(int(one.memory_info().rss) for one in family)


@contextmanager
def served_app(app: str) -> Iterator[Served]:
    """Serve an app of this module by gunicorn."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        command = [
            sys.executable, "-m", "gunicorn", "--log-level", "error", "--threads", "4",
            "--worker-class", "gthread", "--bind", f"fd://{listener.fileno()}",
            f"benchmarks.connectors:{app}({folder!r})",
        ]  # fmt: skip
        started = subprocess.Popen(command, cwd=_ROOT, pass_fds=(listener.fileno(),))
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/soap"
            requests.post(url, data=b"", timeout=60)
            yield Served(url=url, process=psutil.Process(started.pid))
        finally:
            started.terminate()
            started.wait(timeout=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Load:
    """One container on disk and the two ways of sending it."""

    path: Path
    hints: SendHints

    def send(self, client: SoapClient, url: str) -> None:
        """Send it as a message."""
        client.send(url, self.hints, self.path)

    def post(self, session: requests.Session, url: str) -> None:
        """POST its bytes."""
        with self.path.open("rb") as file:
            session.post(url, data=file, timeout=300).raise_for_status()


@contextmanager
def _load(size_bytes: int) -> Iterator[_Load]:
    block = os.urandom(min(size_bytes, _MIB))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "container.asice"
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for _ in range(max(1, size_bytes // len(block))):
                file.write(block)
                digest.update(block)
        small = hints_for(b"")
        hints = SendHints(
            from_agency=small.from_agency,
            to_agency=small.to_agency,
            message_id=small.message_id,
            container_sha256=Sha256(digest.hexdigest()),
            size_bytes=path.stat().st_size,
        )
        yield _Load(path=path, hints=hints)


def _sending(name: str, size_bytes: int, *, calls: int, gate: float) -> Measure:
    """Send whole messages one after the other, against POSTs of the same bytes."""
    client = SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")))
    session = requests.Session()
    with _load(size_bytes) as load, served_app("soap_app") as soap, served_app("bare_app") as bare:
        ours, theirs = [], []
        load.send(client, soap.url)
        load.post(session, bare.url)
        # Interleaved, so that what else the machine does falls on both.
        for _ in range(_ROUNDS):
            ours.append(_seconds(lambda: load.send(client, soap.url), calls))
            theirs.append(_seconds(lambda: load.post(session, bare.url), calls))
    own, bare_seconds = statistics.median(ours), statistics.median(theirs)
    return Measure(
        name=name,
        value=1 / own,
        unit="messages/s",
        baseline="POST of the same bytes to a receiver that hashes, fsyncs and commits one row",
        ratio=bare_seconds / own,
        gate=gate,
        bound=Bound.AT_LEAST,
    )


def _memory(name: str) -> Measure:
    """Compare the server's memory after 400 MiB with that after 1 MiB."""
    client = SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")))
    with served_app("soap_app") as soap:
        with _load(_MIB) as small:
            small.send(client, soap.url)
        before = soap.rss_bytes()
        with _load(400 * _MIB) as large:
            large.send(client, soap.url)
        grown = max(0, soap.rss_bytes() - before)
    return Measure(
        name=name,
        value=grown / _MIB,
        unit="MiB",
        baseline="growth of 100 MiB when a message grows from 1 to 400 MiB",
        ratio=grown / (100 * _MIB),
        gate=1.0,
    )


def _seconds(call: Callable[[], None], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls
