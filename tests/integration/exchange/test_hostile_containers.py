"""Hostile containers by HTTP to a node: rows 31, 34 to 36, 43 and 44 of the security list.

Each is announced truthfully, so that nothing but the container itself can be the reason.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import requests

from dossier.ids import Sha256
from exchange.wiring import soap_endpoint
from storage import inbox, transactions
from tests.builders.connectors import PartSpec, include, mtom_type, multipart, root_part, send_xml
from tests.builders.exchange import OneNode
from tests.builders.messages import HOA_BINH, Draft, hints_for
from tests.builders.wire_server import served
from tests.integration.soap.conftest import Reply

Break = Callable[[bytes], bytes]
_BOMB = 300 * 1024 * 1024


class Node:
    """The endpoint of a node on loopback."""

    def __init__(self, one: OneNode, url: str) -> None:
        self.one = one
        self._url = url

    def send(self, draft: Draft, content: bytes) -> Reply:
        """Send a container under truthful hints."""
        digest = Sha256(hashlib.sha256(content).hexdigest())
        envelope = draft.envelope()
        hints = replace(
            hints_for(draft, _Announced(digest, len(content))),  # type: ignore[arg-type]  # has both
            message_id=envelope.message_id,
        )
        body = multipart(
            root_part(send_xml(hints, include())), PartSpec(content=content, content_id="c@x")
        )
        answer = requests.post(
            self._url, data=body, headers={"Content-Type": mtom_type()}, timeout=30
        )
        return Reply(status=answer.status_code, headers={}, body=answer.content)


class _Announced:
    """Digest and size of bytes that lie nowhere."""

    def __init__(self, sha256: Sha256, size_bytes: int) -> None:
        self.sha256, self.size_bytes = sha256, size_bytes


@pytest.fixture
def node(one: OneNode) -> Iterator[Node]:
    endpoint = soap_endpoint(one.node)

    def answer(request: object) -> object:
        try:
            return endpoint(request)  # type: ignore[arg-type]  # handed through
        finally:
            transactions.close()

    with served(answer) as address:  # type: ignore[arg-type]  # handed through
        assert urlsplit(address).hostname == "127.0.0.1"
        yield Node(one, f"{address}/soap")


@pytest.fixture
def draft(one: OneNode) -> Draft:
    return Draft(node=one.node, at=one.node.now())


def _entries(content: bytes) -> list[tuple[zipfile.ZipInfo, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(entry, archive.read(entry)) for entry in archive.infolist()]


def _written(entries: list[tuple[str, bytes]], *, method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def _repacked(content: bytes, *more: tuple[str, bytes]) -> bytes:
    return _written([*((entry.filename, data) for entry, data in _entries(content)), *more])


def _without(name: str) -> Break:
    def take(content: bytes) -> bytes:
        kept = [(e.filename, d) for e, d in _entries(content) if name not in e.filename]
        return _written(kept)

    return take


def _mimetype_last(content: bytes) -> bytes:
    first, *rest = [(entry.filename, data) for entry, data in _entries(content)]
    return _written([*rest, first])


def _mimetype_wrong(content: bytes) -> bytes:
    _, *rest = [(entry.filename, data) for entry, data in _entries(content)]
    return _written([("mimetype", b"application/zip"), *rest])


def _bomb(content: bytes) -> bytes:
    entries = [(entry.filename, data) for entry, data in _entries(content)]
    return _written([*entries, ("bomb.txt", bytes(_BOMB))], method=zipfile.ZIP_DEFLATED)


def _false_size(content: bytes) -> bytes:
    """Say in the central directory that the last entry is larger than it is."""
    place = content.rindex(b"PK\x01\x02")
    changed = bytearray(content)
    struct.pack_into("<I", changed, place + 24, 2**31)
    return bytes(changed)


def _overlapping(content: bytes) -> bytes:
    """Let the last entry of the central directory begin where the first one does."""
    place = content.rindex(b"PK\x01\x02")
    changed = bytearray(content)
    struct.pack_into("<I", changed, place + 42, 0)
    return bytes(changed)


def _more(name: str) -> Break:
    return lambda content: _repacked(content, (name, b"x"))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_more("extra.txt"), id="36-not-covered"),
        pytest.param(_without("Công văn"), id="36-missing"),
        pytest.param(_without("signatures"), id="36-unsigned"),
        pytest.param(_without("mimetype"), id="36-no-mimetype"),
        pytest.param(_mimetype_last, id="36-mimetype-not-first"),
        pytest.param(_mimetype_wrong, id="36-mimetype-wrong"),
        pytest.param(lambda content: content[:-30], id="36-cut-off"),
        pytest.param(lambda content: content + b"tail", id="36-something-behind"),
        pytest.param(_bomb, id="43-bomb"),
        pytest.param(lambda content: _more("inner.zip")(content) + content, id="43-nested"),
        pytest.param(_overlapping, id="43-overlapping"),
        pytest.param(_false_size, id="43-false-size"),
        pytest.param(_more("../../etc/passwd"), id="44-traversal"),
        pytest.param(_more("/etc/passwd"), id="44-absolute"),
        pytest.param(_more("a\\..\\b"), id="44-backslashes"),
        pytest.param(_more("CON"), id="44-reserved"),
        pytest.param(_more("a\u202efdp.exe"), id="44-bidirectional"),
        pytest.param(_more("META-INF/extra.xml"), id="44-in-meta-inf"),
    ],
)
def test_rows_36_43_and_44_containers_that_are_none(
    node: Node, draft: Draft, change: Break
) -> None:
    reply = node.send(draft, change(draft.container()))
    assert (reply.status, reply.code) == (500, "container_refused"), reply.body[:500]
    assert inbox.backlog().due == 0
    assert list(node.one.node.settings.spool_dir.glob("*.part")) == []


def test_row_31_a_seal_of_another_agency_is_refused(node: Node, draft: Draft) -> None:
    draft.signer = node.one.node.seal("000.08.52.G12")
    assert node.send(draft, draft.container()).code == "seal_not_bound"
    assert inbox.backlog().due == 0


def test_rows_34_and_35_replays_get_the_stored_receipt_and_other_bytes_a_refusal(
    node: Node, draft: Draft
) -> None:
    content = draft.container()
    first, second = node.send(draft, content), node.send(draft, content)
    assert first.status == 200
    assert first.body == second.body
    # Sealed anew: the same message id, other bytes.
    other = node.send(draft, draft.container())
    assert other.status == 200
    assert other.body != first.body
    assert node.send(draft, content).body == first.body
    kept = inbox.find(HOA_BINH, draft.envelope().message_id)
    assert kept is not None
    assert kept.container_sha256 == hashlib.sha256(content).hexdigest()
