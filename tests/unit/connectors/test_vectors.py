"""Every vector of the wire gets the answer that its header expects."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from connectors.soap_server import SoapServer
from dossier.wire import WireRequest
from tests.builders.connectors import DiskSpool, FakeReceiving

_FOLDER = Path(__file__).parents[2] / "vectors" / "soap"


@pytest.mark.parametrize("path", sorted(_FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_vector(path: Path, tmp_path: Path) -> None:
    head, _, body = path.read_bytes().partition(b"\n\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    expected = headers.pop("expect")
    assert headers.pop("rule").startswith("docs/formats/wire.md, step ")
    server = SoapServer(receiving=FakeReceiving(), spool=DiskSpool(tmp_path))
    reply = server(
        WireRequest(
            method="POST",
            path="/soap",
            query="",
            headers=headers,
            stream=cast(BinaryIO, io.BytesIO(body)),
            peer="vector",
        )
    )
    content = b"".join(reply.body)
    code = content.partition(b"<lt:ErrorCode>")[2].partition(b"<")[0].decode()
    assert (code or ("accepted" if b"<lt:Receipt>" in content else "")) == expected
    assert list(tmp_path.iterdir()) == []
