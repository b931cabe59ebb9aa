"""Connections that stay open: request after request is answered, and nobody is kept out by them."""

from __future__ import annotations

import http.client
import socket
from contextlib import ExitStack

from tests.integration.soap.conftest import Endpoint

GET = b"GET /soap?wsdl HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /soap?wsdl HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def ask(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/soap?wsdl")
    response = connection.getresponse()
    response.read()
    return response.status


def test_request_after_request_on_one_connection(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    with ExitStack() as ended:
        ended.callback(connection.close)
        assert [ask(connection) for _ in range(30)] == [200] * 30


def test_requests_sent_at_once_are_answered_in_their_order(endpoint: Endpoint) -> None:
    received = endpoint.raw(GET + GET + LAST)
    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_a_refusal_does_not_hurt_the_next_request(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    with ExitStack() as ended:
        ended.callback(connection.close)
        for _ in range(5):
            connection.request("PUT", "/soap", body=b"x")
            refused = connection.getresponse()
            refused.read()
            assert refused.status == 405
            assert ask(connection) == 200


def test_clients_that_stay_keep_nobody_out(endpoint: Endpoint) -> None:
    with ExitStack() as ended:
        for _ in range(24):  # three for each thread of the server
            staying = ended.enter_context(socket.create_connection(("127.0.0.1", endpoint.port)))
            staying.sendall(GET)
            assert staying.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert endpoint.request("GET", query="?wsdl").status == 200
