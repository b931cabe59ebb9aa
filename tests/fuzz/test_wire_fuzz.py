"""Mutated requests are answered with a receipt or one of our faults, never with a breakdown."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path
from typing import BinaryIO, Final, cast

from hypothesis import given
from hypothesis import strategies as st

from connectors.soap_server import SoapServer
from dossier.wire import WireRequest
from tests.builders.connectors import (
    CONTAINER,
    DiskSpool,
    FakeReceiving,
    PartSpec,
    hints_for,
    include,
    mtom_type,
    multipart,
    root_part,
    send_xml,
)

_STATUSES: Final = {200, 400, 405, 408, 413, 415, 500}
_HINTS: Final = hints_for(CONTAINER)
_SEEDS: Final = (
    (
        mtom_type(),
        multipart(
            root_part(send_xml(_HINTS, include())), PartSpec(content=CONTAINER, content_id="c@x")
        ),
    ),
    ("text/xml", send_xml(_HINTS, base64.b64encode(CONTAINER).decode())),
)
_WORDS: Final = (
    b"\r\n--b0", b"--", b"\r\n\r\n", b"<", b"&", b"\x00", b"]]>", b"<!--", b"<?x?>", b"cid:",
    b"<!DOCTYPE x>", b'mustUnderstand="1"', b"\xff\xfe", b"xop:Include", b"</s:Body>",
    b"\xef\xbb\xbf",
)  # fmt: skip
_EDIT: Final = st.tuples(
    st.floats(0, 1), st.integers(0, 60), st.one_of(st.binary(max_size=8), st.sampled_from(_WORDS))
)


@given(
    seed=st.sampled_from(_SEEDS),
    edits=st.lists(_EDIT, max_size=4),
    kind_edits=st.lists(_EDIT, max_size=1),
)
def test_a_mutated_request_never_breaks_the_server(
    seed: tuple[str, bytes],
    edits: list[tuple[float, int, bytes]],
    kind_edits: list[tuple[float, int, bytes]],
) -> None:
    content_type, body = seed
    kind = _edited(content_type.encode(), kind_edits).decode("latin-1")
    with tempfile.TemporaryDirectory() as folder:
        server = SoapServer(receiving=FakeReceiving(), spool=DiskSpool(Path(folder)))
        reply = server(
            WireRequest(
                method="POST",
                path="/soap",
                query="",
                headers={"content-type": kind},
                stream=cast(BinaryIO, io.BytesIO(_edited(body, edits))),
                peer="fuzz",
            )
        )
        written = b"".join(reply.body)
        assert reply.status in _STATUSES
        assert b"<lt:ErrorCode>internal<" not in written
        assert list(Path(folder).iterdir()) == []


def _edited(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, removed, inserted in edits:
        at = int(where * len(content))
        content = content[:at] + inserted + content[at + removed :]
    return content
