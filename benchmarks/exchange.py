"""One full signed exchange between two nodes: seal, send, verify, store, receipt, verify.

The sender is this process with the demo's node of Hòa Bình, the receiver that of Bình Định, served
as in production. The baseline is what no implementation can do without: the bare key operations,
the commits, and one empty POST to the same server, each measured in the same turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.measure import Measure
from dossier.clock import SystemClock, VirtualClock
from dossier.ids import parse_message_id
from dossier.model import MessageState
from exchange.boot import boot
from exchange.callsahead import CallsAhead
from exchange.deliver import deliver
from exchange.demo.fixture import load_fixture
from exchange.demo.layout import Home, lay_out
from exchange.doorbell import find_program, own_socket, redis_url
from exchange.settings import load
from exchange.wiring import build
from lienthong.demo import launch
from storage import agencies, outbox
from storage.outbox import NewOutgoing, Outgoing
from storage.transactions import transaction
from tests.builders.demo import NODES, Ports, free_ports, served
from tests.builders.exchange import OneNode
from worker.own_redis import OwnRedis

_NAME: Final = "connectors.full_exchange"
_ROUNDS: Final = 40
_GATE: Final = 8.0
_CONTENT: Final = bytes(range(256)) * 4
_ALGORITHM: Final = ec.ECDSA(hashes.SHA256())
# The seal and the receipt's seal, and a time-stamp for each.
_SIGNED: Final = 4
# The receiver checks the leader's signature, the seal and their two time-stamps, the sender the
# receipt's seal and its time-stamp; each also the certificates (person, seal, time-stamper, issuing
# | seal, time-stamper, issuing) and both CRLs, once.
_CHECKED: Final = 6 + 7 + 4
# The sender: queued, claimed, sealed, answered, attempt noted; the receiver: message with receipt.
_COMMITS: Final = 6


def run(only: str) -> Iterator[Measure]:
    """Yield the figure if its name begins with `only`."""
    if not _NAME.startswith(only):
        return
    with tempfile.TemporaryDirectory() as folder, two_nodes(Home(root=Path(folder))) as exchange:
        own: list[float] = []
        bare: list[float] = []
        # In turns, so that what else the machine does falls on both.
        for _ in range(_ROUNDS):
            own.append(_seconds(exchange.once))
            bare.append(_seconds(exchange.baseline))
    value, least = statistics.median(own), statistics.median(bare)
    yield Measure(
        name=_NAME,
        value=value * 1e3,
        unit="ms",
        baseline=f"{_SIGNED} bare signatures, {_CHECKED} checks, {_COMMITS} commits, an empty POST",
        ratio=value / least,
        gate=_GATE,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A sender with a letter to repeat, and what the baseline needs."""

    sender: OneNode
    letter: Outgoing
    url: str
    bells: str  # URL of the receiver's Redis
    session: requests.Session
    key: ec.EllipticCurvePrivateKey
    signature: bytes

    def once(self) -> None:
        """Send the letter again as a message of its own; its receipt comes back verified."""
        node, letter = self.sender.node, self.letter
        now = node.now()
        token, instance = uuid.uuid4().hex, uuid.uuid4()
        message_id = parse_message_id(f"{node.epoch}-{instance.hex}-1-{letter.message.partner}")
        new = NewOutgoing(
            id=uuid.uuid4(),
            agency=letter.message.agency,
            partner=letter.message.partner,
            dossier=letter.message.dossier or instance,
            dossier_code=letter.message.dossier_code,
            instance=letter.instance or instance,
            ref=instance.hex,
            message_id=message_id,
            message_type=letter.message.message_type,
            conversation_id=letter.conversation_id,
            request=letter.request,
            created=now,
            expires=now + timedelta(days=1),
        )
        outbox.add(new)
        (claimed,) = outbox.claim_due(token=token, lease=timedelta(minutes=1), limit=1, at=now)
        with CallsAhead(node, token=token) as ahead:
            deliver(node, claimed, token=token, ahead=ahead)
        if outbox.get(new.id).message.state is not MessageState.SENT:
            raise SystemExit(f"bench: expected a receipt, got {outbox.get(new.id).message}")

    def baseline(self) -> None:
        """Do only what cannot be left out."""
        for _ in range(_SIGNED):
            self.key.sign(_CONTENT, _ALGORITHM)
        for _ in range(_CHECKED):
            self.key.public_key().verify(self.signature, _CONTENT, _ALGORITHM)
        for _ in range(_COMMITS):
            with transaction():
                agencies.set_node_value("bench", uuid.uuid4().hex)
        self.session.post(self.url, data=b"", timeout=60)


@contextmanager
def two_nodes(home: Home, *, works: bool = True) -> Iterator[Exchange]:
    """Serve the node of Bình Định and be the one of Hòa Bình.

    Unless it `works` the served node receives but does nothing with what it has received.
    """
    fixture, ports = load_fixture(), free_ports()
    now = SystemClock().now()
    lay_out(home, fixture=fixture, ports={n.name: ports.of(n.name) for n in fixture.nodes}, at=now)
    launch.run_everywhere(home.root, NODES, "migrate")
    launch.run_everywhere(home.root, NODES, "demo", "--seed")
    with served(home, "h08", ports=ports) as nodes, ExitStack() as until_the_end:
        if not works:
            until_the_end.enter_context(_only_bells(home, nodes["h08"].processes["work"]))
        yield _exchange(home, ports)


@contextmanager
def _only_bells(home: Home, work: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop a node's workers; its bells still ring, but nobody answers them."""
    work.terminate()
    work.wait(60)
    there = load({"LIENTHONG_HOME": str(home.root), "LIENTHONG_NODE": "h08"})
    program = find_program()
    if program is None:
        raise SystemExit("bench: expected a redis-server, got none")
    redis = OwnRedis(program, socket=own_socket(there), log=there.logs_dir / "redis.log")
    redis.start()
    try:
        yield
    finally:
        redis.stop()


def _exchange(home: Home, ports: Ports) -> Exchange:
    here = load({"LIENTHONG_HOME": str(home.root), "LIENTHONG_NODE": "h28"})
    boot(here)
    sender = OneNode(
        node=build(here),
        clock=VirtualClock(at=SystemClock().now()),  # for tests that let time pass
        home=home,
        logins=json.loads(home.logins.read_text())["h28"],
    )
    sender.send_letter()
    (letter,) = outbox.list_outgoing(sender.node.hosted_agencies(), state=None, limit=1)
    key = ec.generate_private_key(ec.SECP256R1())
    return Exchange(
        sender=sender,
        letter=letter,
        url=f"http://127.0.0.1:{ports.of('h08')}/soap",
        bells=redis_url(load({"LIENTHONG_HOME": str(home.root), "LIENTHONG_NODE": "h08"})),
        session=requests.Session(),
        key=key,
        signature=key.sign(_CONTENT, _ALGORITHM),
    )


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
