"""What the server asks when, without sockets: hints first, then the part, then the use case."""

from __future__ import annotations

import base64
import io
import tomllib
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from connectors import errors
from connectors.contract import service
from connectors.direct import DirectSender
from connectors.errors import DigestMismatch, PartnerUnavailable
from connectors.soap_server import SoapServer
from dossier.errors import Denied, LienThongError
from dossier.wire import SendHints, Spooled, WireReply, WireRequest
from tests.builders.connectors import (
    CONTAINER,
    DiskSpool,
    FakeReceiving,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    path_of,
    root_part,
    send_xml,
)


class Asked(FakeReceiving):
    """Note how much of the body was read when `before` was asked."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__()
        self._stream = stream
        self.read_before = -1
        self.existed = False

    def before(self, hints: SendHints) -> bytes | None:
        self.read_before = self._stream.tell()
        return super().before(hints)

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        self.existed = path_of(container).exists()
        return super().receive(hints, container)


def _request(stream: io.BytesIO, content_type: str) -> WireRequest:
    return WireRequest(
        method="POST",
        path="/soap",
        query="",
        headers={"content-type": content_type},
        stream=cast(BinaryIO, stream),
        peer="test",
    )


def _post(server: SoapServer, body: bytes, content_type: str = "text/xml") -> WireReply:
    return server(_request(io.BytesIO(body), content_type))


def test_hints_are_judged_before_the_part_is_read(tmp_path: Path) -> None:
    content = bytes(3_000_000)
    hints = hints_for(content)
    body = multipart(
        root_part(send_xml(hints, include())), PartSpec(content=content, content_id="c@x")
    )
    stream = io.BytesIO(body)
    asked = Asked(stream)
    server = SoapServer(receiving=asked, spool=DiskSpool(tmp_path))
    assert server(_request(stream, mtom_type())).status == 200
    assert asked.read_before <= 128 * 1024
    assert asked.existed
    assert list(tmp_path.iterdir()) == []


def test_a_moved_container_is_not_missed(tmp_path: Path) -> None:
    class Keeping(FakeReceiving):
        def receive(self, hints: SendHints, container: Spooled) -> bytes:
            path_of(container).rename(tmp_path / "kept")
            return b"receipt"

    server = SoapServer(receiving=Keeping(), spool=DiskSpool(tmp_path))
    xml = send_xml(hints_for(CONTAINER), base64.b64encode(CONTAINER).decode())
    assert _post(server, xml).status == 200
    assert (tmp_path / "kept").read_bytes() == CONTAINER


def test_concurrent_duplicates_get_one_receipt(tmp_path: Path) -> None:
    server = SoapServer(receiving=FakeReceiving(), spool=DiskSpool(tmp_path))
    xml = send_xml(hints_for(CONTAINER), base64.b64encode(CONTAINER).decode())
    replies = {b"".join(_post(server, xml).body) for _ in range(3)}
    assert len(replies) == 1


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"host": "h28.example"}, "https://h28.example/soap"),
        ({"host": "10.0.0.8:8028"}, "http://10.0.0.8:8028/soap"),
        ({"host": "10.0.0.8", "x-forwarded-proto": "https"}, "https://10.0.0.8/soap"),
        ({"host": 'a"><x'}, "https://h28.example/soap"),
        ({}, "https://h28.example/soap"),
    ],
)
def test_wsdl_names_the_callers_host_or_the_public_address(
    tmp_path: Path, headers: dict[str, str], address: str
) -> None:
    server = SoapServer(
        receiving=FakeReceiving(), spool=DiskSpool(tmp_path), public_url="https://h28.example"
    )
    for query in ("wsdl", "WSDL", "singleWsdl"):
        reply = server(
            WireRequest(
                method="GET",
                path="/soap",
                query=query,
                headers=headers,
                stream=io.BytesIO(),
                peer="unit",
            )
        )
        assert b"".join(reply.body).count(f'location="{address}"'.encode()) == 2


def test_contract_knows_operations_and_binary_elements() -> None:
    assert "SendMessage" in service().operations
    assert {name.rpartition("}")[2] for name in service().binary_elements} >= {
        "Container",
        "Receipt",
    }


def test_direct_sender_makes_the_same_checks(tmp_path: Path) -> None:
    spool, folder = DiskSpool(tmp_path / "spool"), tmp_path / "spool"
    folder.mkdir()
    container = tmp_path / "container.asice"
    container.write_bytes(CONTAINER)
    sender = DirectSender(receiving=FakeReceiving(), spool=spool)
    first = sender.send("", hints_for(CONTAINER), container)
    assert sender.send("", hints_for(CONTAINER), container) == first
    with pytest.raises(DigestMismatch):
        sender.send("", hints_for(b"x" * len(CONTAINER), number=2), container)
    with pytest.raises(Denied):
        sender.send("", hints_for(CONTAINER, to=FakeReceiving.DENIED), container)
    with pytest.raises(PartnerUnavailable):
        sender.send("", hints_for(CONTAINER, number=3), tmp_path / "missing")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_error_has_its_sentence(language: str) -> None:
    texts = Path(__file__).parents[3] / "dossier" / "texts" / language / "connectors.toml"
    sentences = tomllib.loads(texts.read_text())["error"]
    codes = {
        found.code
        for found in vars(errors).values()
        if isinstance(found, type)
        and issubclass(found, LienThongError)
        and found.__module__ == errors.__name__
    }
    assert codes == set(sentences)
