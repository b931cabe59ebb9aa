"""Write an MTOM message that streams one file: root part, attachment, nothing held in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from lxml import etree

from connectors.xop import INCLUDE

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have been read for sending."""

_ROOT_ID: Final = "root@lienthong"


class MtomBody:
    """A request body of known length; use it as a context manager, read it once."""

    def __init__(
        self, envelope: etree._Element, *, placeholder: bytes, container: Path, progress: Progress
    ) -> None:
        self._boundary = f"lt-{secrets.token_hex(16)}"
        content_id = f"{secrets.token_hex(16)}@lienthong"
        _include(envelope, placeholder.decode(), content_id)
        head = self._head(etree.tostring(envelope, encoding="UTF-8"), content_id)
        tail = f"\r\n--{self._boundary}--\r\n".encode()
        file = container.open("rb")
        size_bytes = file.seek(0, 2)
        file.seek(0)
        self._total = len(head) + size_bytes + len(tail)
        self._sources: list[BinaryIO] = [BytesIO(head), file, BytesIO(tail)]
        self._file = file
        self._read = 0
        self._progress = progress

    @property
    def content_type(self) -> str:
        """The Content-Type of the whole."""
        return (
            f'multipart/related; boundary="{self._boundary}"; type="application/xop+xml"; '
            f'start="<{_ROOT_ID}>"; start-info="text/xml"'
        )

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, b"" at the end."""
        while self._sources:
            chunk = self._sources[0].read(size)
            if chunk:
                self._read += len(chunk)
                self._progress(self._read, self._total)
                return chunk
            self._sources.pop(0)
        return b""

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(64 * 1024), b"")

    def __enter__(self) -> MtomBody:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _head(self, root: bytes, content_id: str) -> bytes:
        return (
            (
                f"--{self._boundary}\r\n"
                'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\n'
                "Content-Transfer-Encoding: 8bit\r\n"
                f"Content-ID: <{_ROOT_ID}>\r\n\r\n"
            ).encode()
            + root
            + (
                f"\r\n--{self._boundary}\r\n"
                "Content-Type: application/octet-stream\r\n"
                "Content-Transfer-Encoding: binary\r\n"
                f"Content-ID: <{content_id}>\r\n\r\n"
            ).encode()
        )


def _include(envelope: etree._Element, placeholder: str, content_id: str) -> None:
    """Put an xop:Include where the placeholder stands."""
    for node in envelope.iter():
        if node.text == placeholder:
            node.text = None
            etree.SubElement(
                node,
                INCLUDE,
                {"href": f"cid:{content_id}"},
                nsmap={"xop": INCLUDE[1:].partition("}")[0]},
            )
