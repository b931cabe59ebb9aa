"""Room for 64 bits in foreign archives: read where it agrees, refused where it does not."""

from __future__ import annotations

import io
import struct
import zipfile as other
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import zipfile
from signing.errors import ZipRefused
from signing.zipextra import MARKER, wide_values

BODY = b"noi dung " * 9
KNOWN = (zlib.crc32(BODY), len(BODY), len(BODY))
EMPTY = (0, 0, 0)
WIDE = struct.pack("<HHQQ", 1, 16, len(BODY), len(BODY))
ZEROS = struct.pack("<HHQQ", 1, 16, 0, 0)


def archive(
    *,
    body: bytes = BODY,
    local: tuple[int, int, int] = KNOWN,
    extra: bytes = b"",
    descriptor: bytes | None = None,
    central: tuple[int, int] = (len(BODY), len(BODY)),
    central_extra: bytes = b"",
    offset: int = 0,
) -> bytes:
    """Return an archive of one stored file; `local` is checksum, packed size and size."""
    flags = 0 if descriptor is None else 8
    fixed = (45, flags, 0, 0, 0x21)
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *fixed, *local, 1, len(extra)) + b"a"
    entry = head + extra + body + (descriptor or b"")
    checksum = zlib.crc32(body)
    line = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 45, *fixed, checksum, *central, 1,
        len(central_extra), 0, 0, 0, 0, offset,
    )  # fmt: skip
    directory = line + b"a" + central_extra
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(entry), 0)
    return entry + directory + end


def wide_descriptor(body: bytes = BODY, *, more: int = 0, mark: bytes = b"PK\x07\x08") -> bytes:
    return mark + struct.pack("<IQQ", zlib.crc32(body), len(body), len(body) + more)


@pytest.mark.parametrize(
    "content",
    [
        archive(extra=WIDE),
        archive(extra=WIDE, local=(KNOWN[0], MARKER, MARKER)),
        archive(extra=WIDE, local=(KNOWN[0], MARKER, len(BODY))),
        archive(extra=struct.pack("<HHI", 0x5455, 4, 0) + WIDE),
        archive(extra=ZEROS, local=EMPTY, descriptor=wide_descriptor()),
        archive(extra=ZEROS, local=(0, MARKER, MARKER), descriptor=wide_descriptor()),
        archive(extra=ZEROS, local=EMPTY, descriptor=wide_descriptor(mark=b"")),
        archive(extra=ZEROS, local=EMPTY, descriptor=b"PK\x07\x08" + struct.pack("<III", *KNOWN)),
        archive(extra=WIDE, descriptor=wide_descriptor()),
        archive(local=EMPTY, descriptor=wide_descriptor()),
        archive(central_extra=WIDE),
        archive(central_extra=WIDE, central=(MARKER, MARKER)),
        archive(central_extra=struct.pack("<HHQ", 1, 8, 0), offset=MARKER),
    ],
)
def test_reads_room_for_64_bits_that_agrees(content: bytes) -> None:
    read = zipfile.read(content)

    assert [bytes(one.content) for one in read.entries] == [BODY]
    assert not read.is_canonical


def test_reads_the_wide_descriptor_of_an_empty_file() -> None:
    content = archive(
        body=b"", local=EMPTY, extra=ZEROS, central=(0, 0), descriptor=wide_descriptor(b"")
    )

    assert [bytes(one.content) for one in zipfile.read(content).entries] == [b""]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive(extra=struct.pack("<HHQQ", 1, 16, len(BODY) + 1, len(BODY))), "zip64"),
        (archive(extra=struct.pack("<HHQQ", 1, 16, len(BODY), len(BODY) + 1)), "zip64"),
        (archive(extra=struct.pack("<HHQQ", 1, 16, 1, 1), local=(KNOWN[0], MARKER, MARKER)),
         "mismatch"),
        (archive(extra=struct.pack("<HHQQ", 1, 16, 1 << 40, 1), local=(KNOWN[0], 1, MARKER)),
         "mismatch"),
        (archive(extra=WIDE, local=EMPTY, descriptor=wide_descriptor()), "zip64"),
        (archive(extra=ZEROS, local=EMPTY), "mismatch"),
        (archive(local=(KNOWN[0], MARKER, MARKER)), "mismatch"),
        (archive(extra=WIDE + WIDE), "zip64"),
        (archive(extra=struct.pack("<HHQ", 1, 8, len(BODY))), "zip64"),
        (archive(extra=struct.pack("<HHQQI", 1, 20, len(BODY), len(BODY), 0)), "zip64"),
        (archive(extra=WIDE[:-1]), "extra"),
        (archive(extra=ZEROS, local=EMPTY, descriptor=wide_descriptor(more=1)), "mismatch"),
        (archive(extra=ZEROS, local=EMPTY, descriptor=wide_descriptor(more=1 << 32)), "mismatch"),
        (archive(central=(MARKER, MARKER)), "zip64"),
        (archive(central_extra=struct.pack("<HHQQ", 1, 16, 9, 9)), "zip64"),
        (archive(central_extra=struct.pack("<HHQ", 1, 8, 81), central=(MARKER, MARKER)), "zip64"),
        (archive(central_extra=struct.pack("<HHQQ", 1, 16, 1 << 32, 1 << 32),
                 central=(MARKER, MARKER)), "zip64"),
        (archive(central_extra=struct.pack("<HHQ", 1, 8, 1), offset=MARKER), "layout"),
    ],
)  # fmt: skip
def test_refuses_room_for_64_bits_that_contradicts(content: bytes, reason: str) -> None:
    with pytest.raises(ZipRefused) as caught:
        zipfile.read(content)

    assert caught.value.parameters["reason"] == reason


def test_reads_what_another_writer_leaves_room_in() -> None:
    out = io.BytesIO()
    with other.ZipFile(out, "w", other.ZIP_DEFLATED) as made:
        for name in ("a", "b"):
            with made.open(name, "w", force_zip64=True) as file:
                file.write(BODY)

    assert [bytes(one.content) for one in zipfile.read(out.getvalue()).entries] == [BODY, BODY]


@given(st.binary(max_size=60))
def test_any_extra_field_gives_values_or_our_error(extra: bytes) -> None:
    try:
        found = wide_values(memoryview(extra))
    except ZipRefused as error:
        assert error.code == "zip_malformed"
    else:
        assert found is None or len(found) <= 3
