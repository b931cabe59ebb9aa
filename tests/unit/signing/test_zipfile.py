"""The archive: one spelling written, every trick refused, foreign archives still read."""

from __future__ import annotations

import io
import zipfile as other
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import zipfile
from signing.errors import FileNameRefused, ZipRefused

FILES = [("mimetype", b"text/plain"), ("Công văn.txt", b"noi dung"), ("a/b.bin", bytes(300))]


def foreign(method: int, **options: int) -> bytes:
    out = io.BytesIO()
    with other.ZipFile(out, "w", method) as archive:
        for name, content in FILES:
            archive.writestr(name, content)
    return out.getvalue()


def test_reads_back_what_it_wrote_and_calls_it_canonical() -> None:
    archive = zipfile.read(zipfile.write(FILES))

    assert [(one.name, bytes(one.content)) for one in archive.entries] == FILES
    assert archive.is_canonical


def test_python_reads_our_archive() -> None:
    with other.ZipFile(io.BytesIO(zipfile.write(FILES))) as archive:
        assert archive.testzip() is None
        assert [(name, archive.read(name)) for name in archive.namelist()] == FILES


@pytest.mark.parametrize("method", [other.ZIP_STORED, other.ZIP_DEFLATED])
def test_reads_a_foreign_archive_and_does_not_call_it_canonical(method: int) -> None:
    archive = zipfile.read(foreign(method))

    assert [(one.name, bytes(one.content)) for one in archive.entries] == FILES
    assert not archive.is_canonical


def test_reads_a_streamed_archive_with_data_descriptors() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.got = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: object) -> int:
            assert isinstance(piece, bytes | bytearray | memoryview)
            self.got += bytes(piece)
            return len(piece)

    pipe = Pipe()
    with other.ZipFile(pipe, "w", other.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", b"streamed " * 50)

    entries = zipfile.read(pipe.got).entries

    assert bytes(entries[0].content) == b"streamed " * 50


def test_refuses_a_bomb_before_inflating_it() -> None:
    out = io.BytesIO()
    with other.ZipFile(out, "w", other.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))

    with pytest.raises(ZipRefused) as caught:
        zipfile.read(out.getvalue(), caps=zipfile.Caps(total_bytes=1_000_000))

    assert caught.value.parameters["limit"] == 1_000_000


def test_refuses_more_than_the_stated_size_out_of_a_deflated_entry() -> None:
    content = foreign(other.ZIP_DEFLATED)
    size = (300).to_bytes(4, "little")
    assert content.count(size) == 2

    with pytest.raises(ZipRefused):
        zipfile.read(content.replace(size, (299).to_bytes(4, "little")))


def test_refuses_a_wrong_checksum_and_names_the_entry() -> None:
    content = zipfile.write(FILES).replace(b"noi dung", b"noi dunh")

    with pytest.raises(ZipRefused) as caught:
        zipfile.read(content)

    assert caught.value.parameters["name"] == "Công văn.txt"
    assert caught.value.parameters["reason"] == "checksum"


@pytest.mark.parametrize(
    "names",
    [
        ["a", "a"],
        ["a", "A"],
        ["ß", "ss"],
        ["a", "a/b"],
        ["é", "e\u0301"],
        ["../x"],
        ["x\u200b"],
        ["x:y"],
        [""],
        ["n" * 2000],
    ],
)
def test_writer_refuses_names_that_could_mean_something_else(names: list[str]) -> None:
    with pytest.raises(FileNameRefused):
        zipfile.write([(name, b"") for name in names])


@given(st.binary(max_size=400))
def test_any_bytes_give_an_archive_or_our_error(content: bytes) -> None:
    try:
        zipfile.read(content)
    except (ZipRefused, FileNameRefused) as error:
        assert error.code in ("zip_malformed", "file_name_refused")


@given(
    st.dictionaries(st.sampled_from(["a", "b/c", "d.txt", "ệ"]), st.binary(max_size=50), min_size=1)
)
def test_every_written_archive_reads_back(files: dict[str, bytes]) -> None:
    archive = zipfile.read(zipfile.write(list(files.items())))

    assert {one.name: bytes(one.content) for one in archive.entries} == files
    assert archive.is_canonical


def test_checksum_is_the_one_of_zlib() -> None:
    assert zlib.crc32(b"noi dung").to_bytes(4, "little") in zipfile.write(FILES)


def test_refuses_an_archive_that_was_cut_off_anywhere() -> None:
    content = foreign(other.ZIP_STORED)
    assert zipfile.read(content).entries
    for size in range(len(content)):
        with pytest.raises(ZipRefused):
            zipfile.read(content[:size])


@pytest.mark.parametrize("size", [65_556, 65_557, 65_558, 200_000])
def test_refuses_a_long_file_without_an_end_record(size: int) -> None:
    with pytest.raises(ZipRefused):
        zipfile.read(b"a" * size)
