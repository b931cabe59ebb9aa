"""Connections are kept when that is safe, end in time, and say what was answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from connectors.errors import EndpointForbidden, PartnerUnavailable
from connectors.http import HttpClient, Timeouts

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Play = Callable[[socket.socket], None]
"""Plays the server's side of one connection."""


@contextmanager
def _server(play: Play) -> Iterator[str]:
    """Yield the URL of a server that plays each connection in a thread of its own."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                play(connection)

        def accept() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ended.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        accepting.join(10)


def _request(connection: socket.socket) -> bytes:
    """Return a whole request, b"" when there is none to come."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _polite(asked: list[bytes], peers: list[object]) -> Play:
    def play(connection: socket.socket) -> None:
        peers.append(connection.getpeername())
        while request := _request(connection):
            asked.append(request)
            connection.sendall(_OK)

    return play


def _client(*, silence: float = 10.0, reply: float = 10.0) -> HttpClient:
    limits = Timeouts(silence_seconds=silence, reply_seconds=reply)
    return HttpClient(may_call=lambda host, port: True, timeouts=limits)


def _post(client: HttpClient, url: str) -> bytes:
    with client.post(url, body=b"x") as reply:
        return reply.read(100)


def test_a_connection_whose_reply_was_read_serves_the_next_call() -> None:
    peers: list[object] = []
    with _server(_polite([], peers)) as url:
        client = _client()
        assert [_post(client, url) for _ in range(3)] == [b"ok"] * 3
        assert len(peers) == 1
        with client.post(url, body=b"x") as reply:
            assert reply.status == 200  # and what it says is left unread
        assert _post(client, url) == b"ok"
        assert len(peers) == 2
        client.close()
        assert _post(client, url) == b"ok"
        assert len(peers) == 3


def test_a_connection_that_the_server_closed_is_opened_anew() -> None:
    closed = threading.Semaphore(0)

    def play(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(_OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.release()

    with _server(play) as url:
        client = _client()
        for _ in range(3):
            assert _post(client, url) == b"ok"
            assert closed.acquire(timeout=10)


def test_several_are_asked_before_the_first_reply_is_read() -> None:
    asked: list[bytes] = []
    with _server(_polite(asked, [])) as url:
        client = _client()
        calls = [client.ask("POST", url, body=b"%d" % number) for number in range(3)]
        calls.pop().drop()
        for call in calls:
            with call.reply() as reply:
                assert reply.read(100) == b"ok"
        client.close()
    assert {b"0", b"1"} <= {request[-1:] for request in asked}


def test_a_reply_that_came_meanwhile_is_read_however_late() -> None:
    answered = threading.Event()

    def play(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(_OK)
        answered.set()
        connection.recv(1)

    with _server(play) as url:
        call = _client(silence=0.001).ask("POST", url, body=b"x")
        assert answered.wait(10)
        with call.reply() as reply:
            assert reply.read(100) == b"ok"


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"]
)
def test_a_trickle_ends_at_the_deadline(begun: bytes) -> None:
    def play(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(begun)
        pause = threading.Event()
        while not pause.wait(0.02):
            connection.sendall(b"1")

    client = _client(reply=0.3)
    with _server(play) as url, pytest.raises(PartnerUnavailable):
        _post(client, url)


def test_silence_is_no_reply() -> None:
    def play(connection: socket.socket) -> None:
        while connection.recv(1 << 20):
            pass

    with _server(play) as url, pytest.raises(PartnerUnavailable):
        _post(_client(silence=0.2), url)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_whole_reply_is_none(reply: bytes) -> None:
    def play(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(reply)

    with _server(play) as url, pytest.raises(PartnerUnavailable):
        client = _client()
        with client.post(url, body=b"x") as got:
            while got.read(100):
                pass


def test_a_chunk_without_end_is_not_read() -> None:
    sent = 0

    def play(connection: socket.socket) -> None:
        nonlocal sent
        _request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
        while True:
            connection.sendall(bytes(65536))
            sent += 65536

    client = _client(reply=2.0)
    with _server(play) as url, pytest.raises(PartnerUnavailable):
        _post(client, url)
    assert sent < 32_000_000  # what sockets hold, not what two seconds bring


def test_who_refuses_before_the_body_was_sent_is_heard() -> None:
    def play(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):  # reads on, so that the reply is not lost
            pass

    with _server(play) as url, _client().post(url, body=bytes(5_000_000)) as reply:
        assert reply.status == 413


def test_headers_that_come_twice_are_both_seen() -> None:
    def play(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\na: 2\r\n\r\n")

    with _server(play) as url, _client().post(url, body=b"") as reply:
        assert reply.headers["a"] == "1, 2"


def test_a_url_is_sent_as_a_server_may_expect_it() -> None:
    asked: list[bytes] = []
    with _server(_polite(asked, [])) as url:
        client = _client()
        _post(client, f"{url}/hồ sơ/%C3%A1?q=một&n=1")
        client.close()
    (request,) = asked
    line, host, *_ = sorted(
        part for part in request.split(b"\r\n") if part.startswith((b"POST", b"Host"))
    )[::-1]
    assert line == b"POST /h%E1%BB%93%20s%C6%A1/%C3%A1?q=m%E1%BB%99t&n=1 HTTP/1.1"
    assert host == url.replace("http://", "Host: ").encode()


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "\u0660" * 70])
def test_a_host_that_no_name_server_knows_is_refused(host: str) -> None:
    with pytest.raises(EndpointForbidden):
        _client().ask("GET", f"https://{host}/")


def test_a_url_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(EndpointForbidden):
        _client().ask("GET", "https://a.example/\ud800")


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("a b.example", {}),
        ("a\x7f.example", {}),
        ("127.0.0.1:9", {"X": "a\r\nY: b"}),
        ("127.0.0.1:9", {"X: a\r\nY": "b"}),
        ("127.0.0.1:9", {"X": "hồ sơ"}),
    ],
)
def test_what_no_host_and_no_header_may_hold_is_never_sent(
    host: str, headers: dict[str, str]
) -> None:
    client = HttpClient(may_call=lambda host, port: True, takes_plain=True)
    with pytest.raises(PartnerUnavailable):
        client.ask("GET", f"http://{host}/", headers=headers)
