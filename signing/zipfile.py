"""Our ZIP: a writer with one spelling for every archive, and a reader that trusts no header.

The writer stores, never deflates, with constant header fields. The reader accepts other tools'
archives too, but not the tricks of rows 23-31 of the attack table (signing.md §11), and says
whether every byte outside the entries is what our writer would have written.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from signing import bulk
from signing.errors import ZipRefused
from signing.filenames import check_names
from signing.zipextra import (
    MARKER,
    central_values,
    local_values,
    skip_descriptor,
    wide_values,
)

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_NO_COMMENT_NO_ATTRIBUTES: Final = bytes(10)
_END_MARK: Final = b"PK\x05\x06"

# Our constants: version 2.0, MS-DOS attributes, 1980-01-01 00:00 (the oldest).
_VERSION: Final = 20
_CENTRAL_BEGUN: Final = _CENTRAL_MARK + _VERSION.to_bytes(2, "little")
_DATE: Final = 0x0021
_UTF8: Final = 0x0800
_STREAMED: Final = 0x0008
_ENCRYPTED: Final = 0x0001
_ALLOWED_FLAGS: Final = _UTF8 | _STREAMED | 0x0006  # the last are deflate speed hints
# Of the comment that other tools append, such as the media type (EN 319 162-1 annex A).
_MAX_COMMENT: Final = 0xFFFF
_STORE: Final = 0
_DEFLATE: Final = 8
_SYMLINK: Final = 0o120000

MAX_SIZE_BYTES: Final = 0xFFFF_FFFE  # of an archive, so every size and offset has 32 bits


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """Limits that hold before any entry is read."""

    entries: int = 10_000
    total_bytes: int = 2 * 1024 * 1024 * 1024  # of all entries, uncompressed
    deflated_bytes: int = 256 * 1024 * 1024  # of the entries that have to be inflated in memory


DEFAULT_CAPS: Final = Caps()


# The types that are made once per entry are named tuples: they cost a third of a frozen dataclass.


class Entry(NamedTuple):
    """One file of an archive; `content` is a view into the archive when it was stored."""

    name: str
    content: memoryview


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """All files of an archive in the order of their bytes, directories left out."""

    entries: tuple[Entry, ...]
    is_canonical: bool  # every byte outside the contents is what our writer writes


class Stored(NamedTuple):
    """What the writer must know of a file before its bytes pass."""

    name: str
    size: int
    crc32: int


def local_header(entry: Stored) -> bytes:
    """Return the bytes that precede the content of `entry`."""
    name = entry.name.encode()
    return (
        _LOCAL.pack(
            _LOCAL_MARK,
            _VERSION,
            _flags_of(name),
            _STORE,
            0,
            _DATE,
            entry.crc32,
            entry.size,
            entry.size,
            len(name),
            0,
        )
        + name
    )


def trailer(heads: Iterable[tuple[bytes, int]]) -> bytes:
    """Return the central directory and end record of an archive from offset 0.

    Given are each local header and the size of the content behind it. A line of the directory says
    what the local header says, with the place where that stands.
    """
    parts: list[bytes] = []
    offset = count = 0
    for head, size in heads:
        parts += (
            _CENTRAL_BEGUN,
            head[4 : _LOCAL.size],
            _NO_COMMENT_NO_ATTRIBUTES,
            offset.to_bytes(8, "little")[:4],
            head[_LOCAL.size :],
        )
        offset += len(head) + size
        count += 1
    directory = b"".join(parts)
    if offset + len(directory) > MAX_SIZE_BYTES or count > 0xFFFE:
        raise ZipRefused(
            f"expected at most {MAX_SIZE_BYTES} bytes and 65534 files, got more",
            reason="size",
            limit=MAX_SIZE_BYTES,
        )
    return directory + _END.pack(_END_MARK, 0, 0, count, count, len(directory), offset, 0)


def write(files: Sequence[tuple[str, bytes]]) -> bytes:
    """Return the archive of `files` in our one spelling."""
    check_names([name for name, _ in files])
    heads: list[tuple[bytes, int]] = []
    parts: list[bytes] = []
    for name, content in files:
        size = len(content)
        head = local_header(Stored(name=name, size=size, crc32=zlib.crc32(content)))
        heads.append((head, size))
        parts += (head, content)
    parts.append(trailer(heads))
    return b"".join(parts)


def _flags_of(name: bytes) -> int:
    return 0 if name.isascii() else _UTF8


class _Line(NamedTuple):
    """One line of the central directory, fields as they stand."""

    flags: int
    method: int
    crc32: int
    packed: int
    size: int
    name: bytes
    attributes: int
    offset: int
    made_by: int


def read(content: bytes | memoryview, *, caps: Caps = DEFAULT_CAPS) -> Archive:
    """Return the files of an archive; raise `ZipRefused` or `FileNameRefused`.

    Nothing is allowed before, between or behind the entries; the local header and the central
    directory must say the same; sizes and checksums must hold.
    """
    view = memoryview(content)
    own = _read_own(view, caps)
    if own is not None:
        return own
    directory_at, lines = _read_directory(view, caps)
    names = [_decoded(line) for line in lines]
    check_names(
        [name for name in names if not name.endswith("/")],
        folders=[name[:-1] for name in names if name.endswith("/")],
    )
    _check_totals(lines, caps)
    pairs = list(zip(lines, names, strict=True))
    entries: list[Entry] = []
    position = 0
    for line, name in sorted(pairs, key=lambda pair: pair[0].offset):
        if line.offset != position:
            raise ZipRefused(
                f"expected an entry at offset {position}, got {line.offset}", reason="layout"
            )
        try:
            data, position = _read_entry(view, line, directory_at)
        except ZipRefused as exc:
            raise _naming(exc, name) from exc
        if not name.endswith("/"):
            entries.append(Entry(name=name, content=data))
        elif line.size:
            raise ZipRefused("expected an empty folder entry, got content", reason="folder")
    if position != directory_at:
        raise ZipRefused("expected the directory right after the last entry", reason="layout")
    return Archive(entries=tuple(entries), is_canonical=False)


def _read_own(view: memoryview, caps: Caps) -> Archive | None:
    """Return an archive in our one spelling; None for any other, which is then read in full.

    What follows the entries is not parsed but written anew from them and compared.
    """
    limit = len(view) - _END.size
    entries: list[Entry] = []
    heads: list[tuple[bytes, int]] = []
    position = total = 0
    while position + _LOCAL.size <= limit and len(entries) < caps.entries:
        fields = _LOCAL.unpack_from(view, position)
        if fields[0] != _LOCAL_MARK:
            break
        start = position + _LOCAL.size + fields[9]
        size = fields[8]
        total += size
        if start + size > limit or total > caps.total_bytes:
            return None
        head = bytes(view[position:start])
        name = head[_LOCAL.size :]
        plain = (_VERSION, _flags_of(name), _STORE, 0, _DATE, fields[6], size, size, fields[9], 0)
        if fields[1:] != plain or name.endswith(b"/"):
            return None
        position = start + size
        data = view[start:position]
        text = name.decode(errors="replace")
        if bulk.crc32(data) != fields[6] or text.encode() != name:
            return None
        entries.append(Entry(text, data))
        heads.append((head, size))
    if not entries or len(view) > MAX_SIZE_BYTES or view[position:] != trailer(heads):
        return None
    check_names([one.name for one in entries])
    return Archive(entries=tuple(entries), is_canonical=True)


def _read_directory(view: memoryview, caps: Caps) -> tuple[int, list[_Line]]:
    if len(view) < _END.size or len(view) > MAX_SIZE_BYTES:
        raise ZipRefused("expected a ZIP archive, got another size", reason="size")
    end_at = _end_record(view)
    _, disk, first_disk, here, count, size, offset, _ = _END.unpack_from(view, end_at)
    if disk or first_disk or here != count or offset + size != end_at:
        raise ZipRefused("expected one consistent directory, got other figures", reason="end")
    if not 0 < count <= caps.entries:
        raise ZipRefused(
            f"expected 1 to {caps.entries} entries, got {count}",
            reason="entries",
            limit=caps.entries,
        )
    lines: list[_Line] = []
    position = offset
    for _ in range(count):
        line, position = _read_line(view, position, end_at)
        lines.append(line)
    if position != end_at:
        raise ZipRefused("expected the end record after the directory", reason="end")
    return offset, lines


def _end_record(view: memoryview) -> int:
    """Return where the end record begins: one place only, whatever comment other tools append."""
    at = max(len(view) - _END.size - _MAX_COMMENT, 0)
    tail = bytes(view[at:])
    found = tail.rfind(_END_MARK)
    comment = tail[found + _END.size :]
    stated = int.from_bytes(tail[found + _END.size - 2 : found + _END.size], "little")
    is_whole = 0 <= found <= len(tail) - _END.size
    if not is_whole or len(comment) != stated or b"PK" in comment:
        raise ZipRefused("expected the end record at the end", reason="end")
    return at + found


def _read_line(view: memoryview, position: int, end: int) -> tuple[_Line, int]:
    if position + _CENTRAL.size > end:
        raise ZipRefused("expected a directory line, got the end", reason="directory")
    fields = _CENTRAL.unpack_from(view, position)
    mark, made_by, _needed, flags, method = fields[:5]
    name_size, extra_size, comment_size, disk, _internal, attributes, offset = fields[10:]
    name_at = position + _CENTRAL.size
    extra_at = name_at + name_size
    following = extra_at + extra_size + comment_size
    if mark != _CENTRAL_MARK or disk or following > end:
        raise ZipRefused("expected a plain directory line, got another", reason="directory")
    name = bytes(view[name_at:extra_at])
    try:
        wide = wide_values(view[extra_at : extra_at + extra_size]) if extra_size else None
        size, packed, offset = central_values(fields[9], fields[8], offset, wide)
        line = _Line(flags, method, fields[7], packed, size, name, attributes, offset, made_by)
        _check_line(line)
    except ZipRefused as exc:
        raise _naming(exc, name.decode(errors="replace")) from exc
    return line, following


def _naming(problem: ZipRefused, name: str) -> ZipRefused:
    return ZipRefused(problem.message, reason=str(problem.parameters["reason"]), name=name)


def _check_line(line: _Line) -> None:
    if line.flags & _ENCRYPTED:
        raise ZipRefused("expected no encryption, got an encrypted entry", reason="encrypted")
    if line.flags & ~_ALLOWED_FLAGS or line.method not in (_STORE, _DEFLATE):
        raise ZipRefused("expected a stored or deflated entry, got another", reason="method")
    if line.method == _STORE and line.packed != line.size:
        raise ZipRefused("expected one size of a stored entry, got two", reason="size")
    if max(line.packed, line.size, line.offset) >= MARKER:
        raise ZipRefused("expected sizes of 32 bits, got larger ones", reason="zip64")
    if line.made_by >> 8 == 3 and (line.attributes >> 16) & 0o170000 == _SYMLINK:
        raise ZipRefused("expected a regular file, got a symbolic link", reason="symlink")


def _decoded(line: _Line) -> str:
    try:
        # Without the UTF-8 flag only ASCII has one meaning.
        return line.name.decode("utf-8" if line.flags & _UTF8 else "ascii")
    except UnicodeDecodeError as exc:
        raise ZipRefused("expected a UTF-8 name, got other bytes", reason="name") from exc


def _check_totals(lines: list[_Line], caps: Caps) -> None:
    total = sum(line.size for line in lines)
    inflated = sum(line.size for line in lines if line.method == _DEFLATE)
    if total > caps.total_bytes or inflated > caps.deflated_bytes:
        raise ZipRefused(
            f"expected at most {caps.total_bytes} bytes of content, got {total}",
            reason="size",
            limit=caps.total_bytes,
        )


def _read_entry(view: memoryview, line: _Line, limit: int) -> tuple[memoryview, int]:
    """Return content and the offset behind it."""
    if line.offset + _LOCAL.size > limit:
        raise ZipRefused("expected a local header, got the directory", reason="layout")
    fields = _LOCAL.unpack_from(view, line.offset)
    mark, _needed, flags, method = fields[:4]
    name_size, extra_size = fields[9:]
    name_at = line.offset + _LOCAL.size
    extra_at = name_at + name_size
    start = extra_at + extra_size
    end = start + line.packed
    if end > limit:
        raise ZipRefused("expected content before the directory, got overlap", reason="layout")
    wide = wide_values(view[extra_at:start]) if extra_size else None
    local = local_values(fields[6:9], wide)
    known = (line.crc32, line.packed, line.size)
    name = bytes(view[name_at:extra_at])
    if (mark, flags, method, name) != (_LOCAL_MARK, line.flags, line.method, line.name):
        raise ZipRefused("expected the local header to repeat the directory", reason="mismatch")
    if local != known and not (flags & _STREAMED and local == (0, 0, 0)):
        raise ZipRefused("expected the sizes of the directory, got others", reason="mismatch")
    position = end
    if flags & _STREAMED:
        position = skip_descriptor(view, end, known, limit=limit, is_wide=wide is not None)
    data = view[start:end] if method == _STORE else _inflated(view[start:end], line.size)
    if bulk.crc32(data) != line.crc32:
        raise ZipRefused("expected the stated checksum, got another", reason="checksum")
    return data, position


def _inflated(packed: memoryview, size: int) -> memoryview:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(packed, size + 1)
    except zlib.error as exc:
        raise ZipRefused("expected deflated content, got something else", reason="method") from exc
    if len(content) != size or not inflater.eof or inflater.unused_data:
        raise ZipRefused("expected the stated size after inflating, got another", reason="size")
    return memoryview(content)
