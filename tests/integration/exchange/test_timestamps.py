"""An outside time-stamp authority: its tokens are taken, other answers are not."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from connectors.http import HttpClient, only_hosts
from exchange.records import make_records
from exchange.signfiles import KeyFiles, TsaAddress, sign_paths
from exchange.timestamps import RemoteAuthority
from exchange.wiring import build
from signing.errors import TimestampUnavailable
from signing.evidencerecord import parse_record
from signing.keys import load_signer
from signing.timestamp import parse_token
from signing.tsa import TimestampAuthority, build_request
from tests.builders.exchange import OneNode

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
IMPRINT = hashlib.sha256(b"a letter").digest()
Answer = Callable[[bytes], tuple[int, bytes]]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Serve an authority on loopback and yield its URL."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/tsa"
        server.shutdown()
        thread.join()


def client(url: str) -> RemoteAuthority:
    return RemoteAuthority(HttpClient(may_call=only_hosts("127.0.0.1")), url=url)


@pytest.fixture
def authority(one: OneNode) -> TimestampAuthority:
    stem = one.node.settings.keys_dir / "tsa"
    return TimestampAuthority(
        load_signer(
            stem.with_suffix(".key.pem").read_bytes(),
            certificates=stem.with_suffix(".crt.pem").read_bytes(),
        )
    )


def test_token_of_the_authority_is_taken(authority: TimestampAuthority) -> None:
    with served(lambda request: (200, authority.respond(request, at=AT))) as url:
        token = parse_token(client(url).stamp(IMPRINT))
    assert (token.time, token.imprint) == (AT, IMPRINT)


def test_other_answers_are_not(authority: TimestampAuthority) -> None:
    old = authority.respond(build_request(IMPRINT, nonce=7), at=AT)
    answers: list[Answer] = [
        lambda request: (200, old),  # the answer to an earlier request
        lambda request: (200, b"<html>"),
        lambda request: (200, authority.respond(b"", at=AT)),  # a rejection
        lambda request: (200, b"0" * 200_000),
        lambda request: (503, b""),
        lambda request: (302, b""),
    ]
    for answer in answers:
        with served(answer) as url, pytest.raises(TimestampUnavailable):
            client(url).stamp(IMPRINT)
    with pytest.raises(TimestampUnavailable):
        client(url).stamp(IMPRINT)  # nobody is there any more


def test_node_asks_the_authority_of_its_setting(
    one: OneNode, authority: TimestampAuthority
) -> None:
    with served(lambda request: (200, authority.respond(request, at=AT))) as url:
        there = build(replace(one.node.settings, tsa_url=url))
        stamped = there.timestamper.stamp(IMPRINT)
    assert parse_token(stamped).time == AT


def test_files_are_signed_with_time_stamps_of_an_address(
    authority: TimestampAuthority, one: OneNode, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"a letter")
    stem = one.node.settings.keys_dir / "tsa"
    own = KeyFiles(
        key=stem.with_suffix(".key.pem"), certificates=stem.with_suffix(".crt.pem"), pin=None
    )
    with served(lambda request: (200, authority.respond(request, at=AT))) as url:
        sign_paths([letter], tmp_path / "a.asice", key=own, tsa=TsaAddress(url=url), role="sealed")
        (record,) = make_records([letter], tsa=TsaAddress(url=url), is_xml=False)

    assert b"SignatureTimeStamp" in (tmp_path / "a.asice").read_bytes()
    assert len(parse_record(record.read_bytes()).stamps) == 1
    with pytest.raises(TimestampUnavailable):
        sign_paths([letter], tmp_path / "b.asice", key=own, tsa=TsaAddress(url=url), role="sealed")
    assert not (tmp_path / "b.asice").exists()
