"""What a whole node costs: CPU of one SendMessage, its rate, and what one worker delivers.

The receiver is a node's web server as in production: it verifies, stores, logs and answers with a
sealed receipt, and rings. What workers do with a message comes after its receipt and has figures of
its own (`worker.*`), so here nobody answers the bells: workers would compete for the two things
that are compared, CPU and disk, with one side only. The bare receiver of `benchmarks.connectors`
only hashes, fsyncs and commits one row.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # ships no types
import requests

from benchmarks.connectors import served_app
from benchmarks.exchange import Exchange, two_nodes
from benchmarks.measure import Bound, Measure
from connectors.http import HttpClient, only_hosts
from connectors.soap_client import SoapClient
from dossier.model import MessageState
from dossier.receipt import Outcome, Receipt, write_receipt
from dossier.wire import SendHints
from dossier.xmltext import truncated
from exchange.boot import settle
from exchange.deliver import drain_outbox
from exchange.demo.layout import Home
from exchange.redis_url import open_redis
from signing.asic import DataFile
from signing.enveloped import sign_xml
from signing.verify import open_container
from storage import outbox
from storage.outbox import NewOutgoing
from tests.builders.messages import Draft, hints_for, spooled

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB
_ROUNDS: Final = 5
_SMALL: Final = 10 * _KIB
_CALLS: Final = 40  # they ring fewer bells than may wait
_CPU_CLOCK: Final = 2  # CPUCLOCK_SCHED: user and system time of all threads, ended ones too
_DELIVERIES: Final = 40
_BARE: Final = "POST of the same bytes to a receiver that hashes, fsyncs and commits one row"


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    figures: tuple[tuple[str, Callable[[str, Exchange, Path], Measure]], ...] = (
        ("connectors.server_cpu_10kib", _server_cpu),
        ("connectors.full_send_1mib", _full_send),
        ("connectors.full_send_400mib", _full_send_large),
        ("connectors.server_memory_400mib", _server_memory),
        ("connectors.deliver_10kib", _delivering),
    )
    chosen = [(name, figure) for name, figure in figures if name.startswith(only)]
    if not chosen:
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        two_nodes(Home(root=Path(folder)), works=False) as exchange,
    ):
        for name, figure in chosen:
            yield figure(name, exchange, Path(folder))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sealed:
    """One message that nobody has sent yet."""

    path: Path
    hints: SendHints


def _sealed(exchange: Exchange, folder: Path, size_bytes: int) -> _Sealed:
    node = exchange.sender.node
    letter = DataFile(name="a.pdf", media_type="application/pdf", content=os.urandom(size_bytes))
    draft = Draft(node=node, at=node.now(), letter=letter)
    container = spooled(folder, draft.container())
    return _Sealed(path=container.path, hints=hints_for(draft, container))


def _letter_bytes(exchange: Exchange, folder: Path) -> int:
    """Return how large a letter makes a container of ten KiB."""
    empty = _sealed(exchange, folder, 0)
    return max(1, _SMALL - empty.hints.size_bytes)


def _server_cpu(name: str, exchange: Exchange, folder: Path) -> Measure:
    """Compare the CPU of the server with that of its own verification and receipt.

    Both on one processor core: what else the machine does with it falls on both alike.
    """
    size = _letter_bytes(exchange, folder)
    client = SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")))
    bells = open_redis(exchange.bells, seconds=5)
    own, least = [], []
    cores = os.sched_getaffinity(0)
    _run_on({min(cores)}, exchange)
    for _ in range(2 * _ROUNDS + 1):
        waiting = [_sealed(exchange, folder, size) for _ in range(_CALLS)]
        bells.flushall()
        before, bare = _cpu_seconds(exchange.url), 0.0
        # In turns, so that what else the machine does, caches included, falls on both.
        for one in waiting:
            client.send(exchange.url, one.hints, one.path)
            bare += _least_cpu(exchange, one)
        own.append((_cpu_seconds(exchange.url) - before) / _CALLS)
        least.append(bare / _CALLS)
    _run_on(cores, exchange)
    del own[0], least[0]  # both sides warmed up
    return Measure(
        name=name,
        value=statistics.median(own) * 1e3,
        unit="ms",
        baseline="CPU of verifying the same containers and sealing their receipts, in one process",
        ratio=statistics.median(own) / statistics.median(least),
        gate=2.5,
    )


def _run_on(cores: set[int], exchange: Exchange) -> None:
    """Let this process and the web server run on these processor cores only."""
    for process in (psutil.Process(), *_servers(exchange.url)):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)


def _least_cpu(exchange: Exchange, sealed: _Sealed) -> float:
    """Return the CPU of what cannot be left out; each container is verified once, as over there."""
    node = exchange.sender.node
    at = node.now()
    receipt = _receipt(sealed.hints, at)
    started = time.process_time()
    open_container(sealed.path, trust=node.trust(), at=at)
    signer = node.seal(sealed.hints.from_agency)
    sign_xml(receipt, signer=signer, timestamper=node.timestamper, at=at)
    return time.process_time() - started


def _receipt(hints: SendHints, at: datetime) -> bytes:
    return write_receipt(
        Receipt(
            outcome=Outcome.ACCEPTED,
            code="accepted",
            message_id=hints.message_id,
            from_agency=hints.from_agency,
            to_agency=hints.to_agency,
            container_sha256=hints.container_sha256,
            received=truncated(at),
            contract_sha256=hints.container_sha256,
            directory_number=1,
        )
    )


def _cpu_seconds(url: str) -> float:
    """Return the CPU time of the web server's processes.

    Read from the clock that Linux keeps of each process (clock_getcpuclockid(3)) to the
    nanosecond; the figures of /proc come in hundredths of a second, more than a call takes.
    """
    clocks = (~process.pid << 3 | _CPU_CLOCK for process in _servers(url))
    return sum(time.clock_gettime(clock) for clock in clocks)


def _servers(url: str) -> list[psutil.Process]:
    """Return the web server's processes: those of ours that listen on the port."""
    port = urlsplit(url).port
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            open_ports = {one.laddr.port for one in process.net_connections("tcp") if one.laddr}
        except psutil.NoSuchProcess:  # a worker's forked job that is done
            continue
        if port in open_ports:
            found.append(process)
    return found


def _full_send(name: str, exchange: Exchange, folder: Path) -> Measure:
    """Send whole messages of one MiB, verified and receipted, against bare POSTs."""
    return _sending(name, exchange, folder, size_bytes=_MIB, rounds=2 * _ROUNDS, gate=0.4)


def _full_send_large(name: str, exchange: Exchange, folder: Path) -> Measure:
    """Send whole messages of 400 MiB, as above."""
    return _sending(name, exchange, folder, size_bytes=400 * _MIB, rounds=_ROUNDS, gate=0.5)


def _sending(
    name: str, exchange: Exchange, folder: Path, *, size_bytes: int, rounds: int, gate: float
) -> Measure:
    client = SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")))
    session = requests.Session()
    own, bare = [], []
    with served_app("bare_app") as receiver:
        for _ in range(rounds + 1):
            one = _sealed(exchange, folder, size_bytes)
            own.append(_seconds(partial(client.send, exchange.url, one.hints, one.path)))
            bare.append(_seconds(partial(_post, session, receiver.url, one.path)))
            one.path.unlink()
    del own[0], bare[0]  # both sides warmed up
    return _rate(name, own, bare, gate=gate)


def _server_memory(name: str, exchange: Exchange, folder: Path) -> Measure:
    """Compare the peak of the server's resident memory before and after a container of 400 MiB."""
    client = SoapClient(http=HttpClient(may_call=only_hosts("127.0.0.1")))
    peaks = []
    for size_bytes in (_MIB, 400 * _MIB):
        for process in _servers(exchange.url):  # the peak from here on (proc(5), clear_refs)
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        one = _sealed(exchange, folder, size_bytes)
        client.send(exchange.url, one.hints, one.path)
        one.path.unlink()
        peaks.append(sum(_peak_mib(process) for process in _servers(exchange.url)))
    small, large = peaks
    return Measure(
        name=name,
        value=large - small,
        unit="MiB more at the peak",
        baseline=f"100 MiB; resident with 1 MiB: {small:.0f} MiB",
        ratio=(large - small) / 100,
        gate=1.0,
    )


def _peak_mib(process: psutil.Process) -> float:
    (line,) = [
        line
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1]) / 1024


def _delivering(name: str, exchange: Exchange, folder: Path) -> Measure:
    """Let one worker deliver sealed containers of ten KiB, against as many bare POSTs."""
    node, session = exchange.sender.node, requests.Session()
    size = _letter_bytes(exchange, folder)
    own, bare = [], []
    settle()  # as a worker does before its first job
    with served_app("bare_app") as receiver:
        for _ in range(2 * _ROUNDS + 1):
            sealed = [_sealed(exchange, folder, size) for _ in range(_DELIVERIES)]
            queued = _queue(exchange, sealed)
            own.append(_seconds(lambda: drain_outbox(node, budget=timedelta(minutes=2))))
            paths = [one.path for one in sealed]
            bare.append(_seconds(partial(_post_all, session, receiver.url, paths)))
            states = {outbox.get(one).message.state for one in queued}
            if states != {MessageState.SENT}:
                raise SystemExit(f"bench: expected receipts, got {states}")
    del own[0], bare[0]  # both sides warmed up
    return _rate(name, own, bare, gate=0.5, each=_DELIVERIES)


def _queue(exchange: Exchange, waiting: Sequence[_Sealed]) -> list[uuid.UUID]:
    """Queue messages whose containers are sealed already, as at a retry."""
    node, letter, now = exchange.sender.node, exchange.letter, exchange.sender.node.now()
    for one in waiting:
        instance, hints = uuid.uuid4(), one.hints
        outbox.add(
            NewOutgoing(
                id=uuid.uuid4(),
                agency=hints.from_agency,
                partner=hints.to_agency,
                dossier=letter.message.dossier or instance,
                dossier_code=letter.message.dossier_code,
                instance=letter.instance or instance,
                ref=instance.hex,
                message_id=hints.message_id,
                message_type=letter.message.message_type,
                conversation_id=letter.conversation_id,
                request=letter.request,
                created=now,
                expires=now + timedelta(days=1),
            )
        )
    claim = uuid.uuid4().hex
    claimed = outbox.claim_due(token=claim, lease=timedelta(), limit=len(waiting), at=now)
    known = {one.hints.message_id: one for one in waiting}
    for outgoing in claimed:
        one = known[outgoing.message.message_id]
        digest, size = one.hints.container_sha256, one.hints.size_bytes
        outbox.keep_container(outgoing.message.id, token=claim, sha256=digest, size_bytes=size)
        node.blobs.put(one.path.read_bytes())
    return [outgoing.message.id for outgoing in claimed]


def _post(session: requests.Session, url: str, path: Path) -> None:
    with path.open("rb") as file:
        session.post(url, data=file, timeout=300).raise_for_status()


def _post_all(session: requests.Session, url: str, paths: Sequence[Path]) -> None:
    for path in paths:
        _post(session, url, path)


def _rate(
    name: str, own: Sequence[float], bare: Sequence[float], *, gate: float, each: int = 1
) -> Measure:
    seconds = statistics.median(own) / each
    return Measure(
        name=name,
        value=1 / seconds,
        unit="messages/s",
        baseline=_BARE,
        ratio=statistics.median(bare) / each / seconds,
        gate=gate,
        bound=Bound.AT_LEAST,
    )


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
