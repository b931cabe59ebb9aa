"""A node that is its own partner over real HTTP, and copies of a letter to send to it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from connectors.http import HttpClient
from connectors.soap_client import SoapCall, SoapClient
from dossier.ids import AgencyCode, parse_message_id
from dossier.wire import SendHints
from exchange.wiring import soap_endpoint
from portal.soap import WireApp
from storage import outbox, transactions
from storage.outbox import NewOutgoing, Outgoing
from tests.builders.exchange import OneNode


class OverHttp:
    """A `SendingAhead` that delivers to one address, whatever the directory says."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._client = SoapClient(http=HttpClient(may_call=lambda _host, _port: True))

    def send(self, endpoint: str, hints: SendHints, container: bytes | Path) -> bytes:
        """Send to the address."""
        return self._client.send(self._endpoint, hints, container)

    def call(self, endpoint: str, hints: SendHints, container: bytes | Path) -> SoapCall:
        """Send to the address, and return before the answer comes."""
        return self._client.call(self._endpoint, hints, container)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def served(one: OneNode) -> Iterator[str]:
    """Yield the address of the node's endpoint, which answers one request after the other."""
    app = WireApp(soap_endpoint(one.node))
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/soap"
        server.shutdown()
        thread.join(10)


def _serve(server: WSGIServer) -> None:
    try:
        server.serve_forever(0.05)
    finally:
        transactions.close()


def queue_copies(one: OneNode, letter: Outgoing, count: int, *, to: AgencyCode) -> list[uuid.UUID]:
    """Queue messages like the letter, all due now and none sealed yet."""
    made = []
    for _ in range(count):
        instance, identifier = uuid.uuid4(), uuid.uuid4()
        outbox.add(
            NewOutgoing(
                id=identifier,
                agency=letter.message.agency,
                partner=to,
                dossier=letter.message.dossier or instance,
                dossier_code=letter.message.dossier_code,
                instance=letter.instance or instance,
                ref=instance.hex,
                message_id=parse_message_id(f"{one.node.epoch}-{instance.hex}-1-{to}"),
                message_type=letter.message.message_type,
                conversation_id=letter.conversation_id,
                request=letter.request,
                created=one.node.now(),
                expires=one.node.now() + timedelta(days=1),
            )
        )
        made.append(identifier)
    return made
