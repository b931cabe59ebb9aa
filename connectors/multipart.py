"""Read multipart bodies as a stream, exact to the byte, within caps (RFC 2046 §5.1).

The delimiter owns the one CRLF before it and nothing else; a part may begin and end in CRLF.
Nothing here knows SOAP.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from connectors.errors import BodyTooLarge, BodyTooSlow, BodyTruncated, MultipartRefused

_CHUNK_BYTES: Final = 64 * 1024
_IDENTITY: Final = frozenset({"", "binary", "8bit", "7bit"})
_HEADER: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}):(.*)", re.DOTALL)
_CONTROL: Final = re.compile(rb"[^\t -~\x80-\xff]")
_BLANKS: Final = b" \t\r\n"
_DECISIVE: Final = frozenset({"content-id", "content-transfer-encoding"})
_SINGLE: Final = frozenset({"content-id", "content-type", "content-transfer-encoding"})


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b"" at the end.

        Raises `TimeoutError` when the peer is too slow, `EOFError` when the body ends before
        its framing said so.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class MultipartCaps:
    """Limits on what surrounds the parts' contents, which their readers limit themselves."""

    parts: int = 64
    header_bytes: int = 8 * 1024  # of one part
    headers: int = 32  # of one part
    margin_bytes: int = 64 * 1024  # preamble and epilogue, each


class Source:
    """A body that is read once, with the errors of this package."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def chunk(self, size: int = _CHUNK_BYTES) -> bytes:
        """Return the next bytes, b"" at the end."""
        try:
            return self._stream.read(size)
        except TimeoutError as exc:
            raise BodyTooSlow("expected the body within its deadline") from exc
        except EOFError as exc:
            raise BodyTruncated("expected the whole body, got its beginning") from exc

    def all(self, limit_bytes: int) -> bytes:
        """Return the whole body; raise `BodyTooLarge` as soon as it passes the limit."""
        return joined(iter(self.chunk, b""), limit_bytes=limit_bytes)


def joined(chunks: Iterator[bytes], *, limit_bytes: int) -> bytes:
    """Return the chunks as one, or raise `BodyTooLarge` as soon as they pass the limit."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limit_bytes:
            raise BodyTooLarge(f"expected at most {limit_bytes} bytes", limit_bytes=limit_bytes)
    return bytes(content)


class Part:
    """One part: its headers, and its content as a stream that is read once."""

    def __init__(self, *, headers: Mapping[str, str], chunks: Iterator[bytes]) -> None:
        self.headers = headers  # names in lower case
        self.chunks = chunks

    @property
    def content_id(self) -> str:
        """The Content-ID without angle brackets and spaces; empty when the part has none."""
        return bare_id(self.headers.get("content-id", ""))


def bare_id(text: str) -> str:
    """Return a Content-ID or `start` parameter without angle brackets and spaces."""
    return text.strip().removeprefix("<").removesuffix(">").strip()


class Multipart:
    """The parts of one body, in their order.

    Each part is to be read before the next one is asked for; what was left unread of it is
    passed over, which costs reading it.
    """

    def __init__(
        self,
        source: Source,
        *,
        boundary: bytes,
        caps: MultipartCaps,
        encodings: frozenset[str] = _IDENTITY,
    ) -> None:
        """Take `encodings` that the reader of the parts undoes; else base64 is undone here."""
        self._untouched = _IDENTITY | encodings
        self._source = source
        self._delimiter = b"\r\n--" + boundary
        self._caps = caps
        # The first delimiter may stand at the very beginning, where no CRLF precedes it.
        self._buffer = b"\r\n"
        self._at = 0  # what lies before it has been taken

    def parts(self) -> Iterator[Part]:
        """Yield the parts; raise `MultipartRefused`, `BodyTruncated` or what the source raises."""
        self._pass_over(self._content(), limit_bytes=self._caps.margin_bytes)
        counted = 0
        while self._opens_part():
            counted += 1
            if counted > self._caps.parts:
                raise MultipartRefused(f"expected at most {self._caps.parts} parts")
            headers = self._headers()
            part = Part(headers=headers, chunks=self._decoded(headers))
            yield part
            for _ in part.chunks:
                pass
        self._pass_over(self._rest(), limit_bytes=self._caps.margin_bytes)

    def _decoded(self, headers: Mapping[str, str]) -> Iterator[bytes]:
        encoding = headers.get("content-transfer-encoding", "").lower()
        if encoding in self._untouched:
            return self._content()
        if encoding == "base64":
            return _unwrapped(self._content())
        raise MultipartRefused("expected Content-Transfer-Encoding binary or base64")

    def _content(self) -> Iterator[bytes]:
        keep = len(self._delimiter) - 1
        while True:
            found = self._buffer.find(self._delimiter, self._at)
            if found >= 0:
                content = self._buffer[self._at : found]
                self._at = found + len(self._delimiter)
                if content:
                    yield content
                return
            # A delimiter that has only begun begins with CR; mostly nothing is held back.
            begun = self._buffer.find(b"\r", max(self._at, len(self._buffer) - keep))
            settled = begun if begun >= 0 else len(self._buffer)
            if settled > self._at:
                content = self._buffer[self._at : settled]
                self._at = settled
                yield content
            self._more()

    def _opens_part(self) -> bool:
        """Read the rest of a delimiter line: padding opens a part, `--` closes the body."""
        while len(self._buffer) - self._at < 2:
            self._more()
        if self._buffer.startswith(b"--", self._at):
            return False
        line = self._line(self._caps.header_bytes)
        if line.strip(b" \t"):
            # RFC 2046 lets a prefix match count as a delimiter, other readers want the whole
            # line: what two readers see differently is refused.
            raise MultipartRefused("expected nothing after the boundary in its line")
        return True

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        last = ""
        budget = self._caps.header_bytes
        while line := self._line(budget):
            budget -= len(line) + 2
            last = _add_header(found, line, last)
            if len(found) > self._caps.headers:
                raise MultipartRefused("expected fewer headers in a part")
        return found

    def _line(self, limit_bytes: int) -> bytes:
        while (found := self._buffer.find(b"\r\n", self._at)) < 0:
            if len(self._buffer) - self._at > limit_bytes:
                break
            self._more()
        if found < 0 or found - self._at > limit_bytes:
            raise MultipartRefused("expected shorter part headers")
        line = self._buffer[self._at : found]
        self._at = found + 2
        return line

    def _more(self) -> None:
        chunk = self._source.chunk()
        if not chunk:
            raise BodyTruncated("expected a closing boundary before the end of the body")
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0

    def _rest(self) -> Iterator[bytes]:
        yield self._buffer[self._at :]
        yield from iter(self._source.chunk, b"")

    @staticmethod
    def _pass_over(chunks: Iterator[bytes], *, limit_bytes: int) -> None:
        passed = 0
        for chunk in chunks:
            passed += len(chunk)
            if passed > limit_bytes:
                raise MultipartRefused("expected less text around the parts")


def _unwrapped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Undo base64 as it comes; raise `MultipartRefused` for anything but strict base64."""
    left = b""
    blank = filled = 0
    for chunk in chunks:
        letters = chunk.translate(None, _BLANKS)
        blank += len(chunk) - len(letters)
        filled += len(letters)
        if blank > filled + _CHUNK_BYTES:
            raise MultipartRefused("expected less space between the base64 lines of a part")
        held = left + letters
        whole = len(held) - len(held) % 4
        settled = max(whole - 4, 0)  # the last four may be padded, and must be the last then
        if settled:
            yield _undone(held[:settled])
            if b"=" in held[:settled]:
                raise MultipartRefused("expected nothing behind the padding of base64")
        left = held[settled:]
    if left:
        yield _undone(left)


def _undone(letters: bytes) -> bytes:
    try:
        return base64.b64decode(letters, validate=True)
    except binascii.Error as exc:
        raise MultipartRefused("expected base64 in a part that announces it") from exc


def _add_header(found: dict[str, str], line: bytes, last: str) -> str:
    """Add one header line, or the continuation of `last`; return the header's name."""
    if line[:1] in (b" ", b"\t") and last:
        found[last] = f"{found[last]} {_plain(last, line.strip())}".strip()
        return last
    shaped = _HEADER.fullmatch(line)
    if shaped is None:
        raise MultipartRefused("expected part headers as name and value")
    lowered = shaped.group(1).lower().decode("ascii")
    if lowered in found and lowered in _SINGLE:
        raise MultipartRefused(f"expected one {lowered} in a part")
    found[lowered] = _plain(lowered, shaped.group(2).strip())
    return lowered


def _plain(name: str, value: bytes) -> str:
    """Return a value as text: file names may be in any alphabet, what we decide by may not."""
    if _CONTROL.search(value):
        raise MultipartRefused("expected part headers without control characters")
    if name in _DECISIVE and not value.isascii():
        raise MultipartRefused(f"expected {name} in plain ASCII")
    return value.decode("utf-8", "replace")
