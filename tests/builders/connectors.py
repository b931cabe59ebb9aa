"""Build SOAP requests, and stand in for the spool and the use case behind the endpoint."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from connectors.intake import bytes_of
from dossier.errors import Conflict, Denied, Unavailable
from dossier.ids import AgencyCode, MessageId, Sha256
from dossier.wire import SendHints, Spooled

HOA_BINH: Final = AgencyCode("000.00.00.H28")
BINH_DINH: Final = AgencyCode("000.00.00.H08")
SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
SERVICE: Final = "urn:lienthong:service:1"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
CONTAINER: Final = b"\r\n\x00PK\x03\x04 binary \xff\r\n--not-the-boundary\r\n\r\n"


class Reused(Conflict):
    """The fake's answer to a known id with other bytes."""

    code = "conflict"


def message_id(number: int = 1, to: AgencyCode = BINH_DINH) -> MessageId:
    """Return a sound message id."""
    return MessageId(f"epoch000-{'0' * 31}{number % 16:x}-{number}-{to}")


def hints_for(content: bytes, *, number: int = 1, to: AgencyCode = BINH_DINH) -> SendHints:
    """Return the true announcement of `content`."""
    return SendHints(
        from_agency=HOA_BINH,
        to_agency=to,
        message_id=message_id(number, to),
        container_sha256=Sha256(hashlib.sha256(content).hexdigest()),
        size_bytes=len(content),
    )


def send_xml(hints: SendHints, container: str, *, soap: str = SOAP11, header: str = "") -> bytes:
    """Return an envelope with SendMessage; `container` is the markup inside Container."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{soap}" '
        f'xmlns:xop="{XOP}">{header}<s:Body><SendMessage xmlns="{SERVICE}">'
        f"<From>{hints.from_agency}</From><To>{hints.to_agency}</To>"
        f"<MessageId>{hints.message_id}</MessageId>"
        f"<ContainerSha256>{hints.container_sha256}</ContainerSha256>"
        f"<Size>{hints.size_bytes}</Size><Container>{container}</Container>"
        "</SendMessage></s:Body></s:Envelope>"
    ).encode()


def include(content_id: str = "c%40x") -> str:
    """Return an xop:Include."""
    return f'<xop:Include href="cid:{content_id}"/>'


@dataclass(frozen=True, kw_only=True)
class PartSpec:
    """One part of a multipart body to build."""

    content: bytes
    content_id: str
    content_type: str = "application/octet-stream"
    extra: Mapping[str, str] = field(default_factory=dict)


def root_part(xml: bytes, *, soap: str = "text/xml", content_id: str = "root@x") -> PartSpec:
    """Return the root part of an MTOM message."""
    return PartSpec(
        content=xml,
        content_id=content_id,
        content_type=f'application/xop+xml; charset=UTF-8; type="{soap}"',
    )


def multipart(*parts: PartSpec, boundary: str = "b0", preamble: bytes = b"") -> bytes:
    """Return a multipart body."""
    written = bytearray(preamble)
    for part in parts:
        written += f"\r\n--{boundary}\r\n".encode() if written else f"--{boundary}\r\n".encode()
        written += f"Content-Type: {part.content_type}\r\n".encode()
        written += b"Content-Transfer-Encoding: binary\r\n"
        written += b"".join(f"{k}: {v}\r\n".encode() for k, v in part.extra.items())
        written += f"Content-ID: <{part.content_id}>\r\n\r\n".encode() + part.content
    return bytes(written) + f"\r\n--{boundary}--\r\n".encode()


def mtom_type(
    *, boundary: str = "b0", start: str | None = "<root@x>", info: str = "text/xml"
) -> str:
    """Return the Content-Type of an MTOM request."""
    named = f'; start="{start}"' if start is not None else ""
    return (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"{named}; '
        f'start-info="{info}"'
    )


class DiskSpooled:
    """A `Spooled` in a folder."""

    def __init__(self, path: Path, sha256: Sha256, size_bytes: int) -> None:
        self.path = path
        self.sha256 = sha256
        self.size_bytes = size_bytes

    @property
    def content(self) -> bytes | Path:
        """Where it lies."""
        return self.path

    def drop(self) -> None:
        """Delete it."""
        self.path.unlink(missing_ok=True)


def path_of(spooled: Spooled) -> Path:
    """Return where an attachment lies that is on disk."""
    assert isinstance(spooled.content, Path)
    return spooled.content


class DiskWriter:
    """A `SpoolWriter` into a folder."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._file: IO[bytes] = tempfile.NamedTemporaryFile(  # noqa: SIM115 - lives until `close`
            dir=folder, delete=False
        )
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise Unavailable("expected less than the limit")
        self._hash.update(chunk)
        self._file.write(chunk)

    def close(self) -> Spooled:
        """Return what was written."""
        self._file.close()
        return DiskSpooled(Path(self._file.name), Sha256(self._hash.hexdigest()), self._size)

    def abort(self) -> None:
        """Delete it."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)


class DiskSpool:
    """A `Spool` in a folder, without quotas."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, *, peer: str, limit_bytes: int) -> DiskWriter:
        """Start a file."""
        return DiskWriter(self.folder, limit_bytes)


class FakeReceiving:
    """A `Receiving` with the identity rules of protocol §6 and nothing else.

    A message from `DENIED` is denied early, one to `BROKEN` breaks, one to `DOWN` is unavailable.
    """

    DENIED: Final = AgencyCode("denied")
    BROKEN: Final = AgencyCode("broken")
    DOWN: Final = AgencyCode("down")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: dict[str, tuple[Sha256, bytes]] = {}
        self.kept: dict[str, bytes] = {}

    def before(self, hints: SendHints) -> bytes | None:
        """Refuse, answer a duplicate, or go on."""
        if hints.to_agency == self.DENIED:
            raise Denied("expected an allowed sender")
        found = self._stored.get(f"{hints.from_agency} {hints.message_id}")
        if found is None:
            return None
        if found[0] != hints.container_sha256:
            raise Reused("expected other bytes under another id")
        return found[1]

    def receive(self, hints: SendHints, container: Spooled) -> bytes:
        """Store and answer."""
        if hints.to_agency == self.BROKEN:
            raise ZeroDivisionError("/secret/path.py line 7: SELECT * FROM inbox")
        if hints.to_agency == self.DOWN:
            raise Unavailable("expected a time-stamp authority")
        content = bytes_of(container) if container.size_bytes < 2_000_000 else b""
        with self._lock:
            key = f"{hints.from_agency} {hints.message_id}"
            number = len(self._stored)
            receipt = f"<Receipt>{hints.container_sha256} {number}</Receipt>".encode()
            stored = self._stored.setdefault(key, (hints.container_sha256, receipt))
            self.kept[key] = content
        if stored[0] != hints.container_sha256:
            raise Reused("expected other bytes under another id")
        return stored[1]
