"""Write an MTOM message that streams one file: root part, attachment, nothing held in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have been read for sending."""

_ROOT_ID: Final = "root@lienthong"
_CHUNK_BYTES: Final = 64 * 1024


def no_progress(read: int, total: int) -> None:
    """Tell nobody."""


class MtomBody:
    """A body of known length around one content; read or iterate it once, then close it.

    `envelope` holds `placeholder` where the content belongs. Raises `OSError` for a file that
    cannot be opened.
    """

    def __init__(
        self,
        envelope: bytes,
        *,
        placeholder: bytes,
        content: bytes | Path,
        soap_type: str = "text/xml",
        progress: Progress = no_progress,
    ) -> None:
        self._boundary = f"lt-{secrets.token_hex(16)}"
        self._soap_type = soap_type
        content_id = f"{secrets.token_hex(16)}@lienthong"
        include = (
            '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" '
            f'href="cid:{content_id}"/>'
        )
        head = self._head(envelope.replace(placeholder, include.encode(), 1), content_id)
        tail = f"\r\n--{self._boundary}--\r\n".encode()
        self._content = BytesIO(content) if isinstance(content, bytes) else content.open("rb")
        size_bytes = self._content.seek(0, 2)
        self._content.seek(0)
        self._total = len(head) + size_bytes + len(tail)
        self._sources: list[BinaryIO] = [BytesIO(head), self._content, BytesIO(tail)]
        self._read = 0
        self._progress = progress

    @property
    def content_type(self) -> str:
        """The Content-Type of the whole."""
        return (
            f'multipart/related; boundary="{self._boundary}"; type="application/xop+xml"; '
            f'start="<{_ROOT_ID}>"; start-info="{self._soap_type}"'
        )

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer at the end only: small parts share a packet."""
        taken: list[bytes] = []
        wanted = size if size >= 0 else self._total
        while wanted > 0 and self._sources:
            chunk = self._sources[0].read(wanted)
            if chunk:
                taken.append(chunk)
                wanted -= len(chunk)
            else:
                self._sources.pop(0)
        read = b"".join(taken)
        if read:
            self._read += len(read)
            self._progress(self._read, self._total)
        return read

    def close(self) -> None:
        """Close the content."""
        self._content.close()

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_CHUNK_BYTES), b"")

    def __enter__(self) -> MtomBody:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _head(self, root: bytes, content_id: str) -> bytes:
        before = (
            f"--{self._boundary}\r\n"
            f'Content-Type: application/xop+xml; charset=UTF-8; type="{self._soap_type}"\r\n'
            "Content-Transfer-Encoding: 8bit\r\n"
            f"Content-ID: <{_ROOT_ID}>\r\n\r\n"
        )
        after = (
            f"\r\n--{self._boundary}\r\n"
            "Content-Type: application/octet-stream\r\n"
            "Content-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{content_id}>\r\n\r\n"
        )
        return before.encode() + root + after.encode()
