"""The multipart reader gives back every byte, however the body is cut, or refuses."""

from __future__ import annotations

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import BodyTooSlow, BodyTruncated, HttpRefused, MultipartRefused
from connectors.multipart import Multipart, MultipartCaps, Source, bare_id
from tests.builders.connectors import PartSpec, multipart


class Cut:
    """A stream that returns pieces of the sizes it was given, then the rest."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._stream = io.BytesIO(content)
        self._sizes = sizes

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._sizes.pop(0)) if self._sizes else size)


class Failing:
    """A stream that fails as the adapter's stream does."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, size: int, /) -> bytes:
        raise self._error


def _read(
    body: bytes, *, boundary: bytes = b"b0", sizes: list[int] | None = None
) -> list[tuple[str, bytes]]:
    source = Source(Cut(body, sizes or []))
    parts = Multipart(source, boundary=boundary, caps=MultipartCaps()).parts()
    return [(part.content_id, b"".join(part.chunks)) for part in parts]


_CONTENT = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from([b"\r\n", b"\r", b"\n", b"-", b"--", b"--b", b"b0", b"\r\n--b", b"x"])
    ).map(b"".join),
).filter(lambda content: b"\r\n--b0" not in b"\r\n" + content)


@given(contents=st.lists(_CONTENT, max_size=5), sizes=st.lists(st.integers(1, 20), max_size=200))
def test_every_byte_comes_back(contents: list[bytes], sizes: list[int]) -> None:
    specs = [PartSpec(content=c, content_id=f"{n}@x") for n, c in enumerate(contents)]
    if specs:
        read = _read(multipart(*specs), sizes=sizes)
        assert read == [(spec.content_id, spec.content) for spec in specs]


@given(body=st.binary(max_size=400), sizes=st.lists(st.integers(1, 20), max_size=30))
def test_any_bytes_are_parts_or_our_error(body: bytes, sizes: list[int]) -> None:
    framed = b"--b0\r\n" + body + b"\r\n--b0--"
    for tried in (body, framed):
        try:
            _read(tried, sizes=list(sizes))
        except HttpRefused:
            continue


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\nPK\x00\r\n", b"\r\n\r\n", b"\n", b"\r"])
def test_line_ends_at_both_ends_of_a_part_survive(content: bytes) -> None:
    assert _read(multipart(PartSpec(content=content, content_id="c"))) == [("c", content)]


def test_headers_may_be_folded_padded_and_absent() -> None:
    body = b"--b0 \t\r\nContent-ID:\r\n <c>\r\n\r\none\r\n--b0\r\n\r\ntwo\r\n--b0--"
    assert _read(body) == [("c", b"one"), ("", b"two")]


@pytest.mark.parametrize(
    "body",
    [
        b"--b0\r\nno colon\r\n\r\nx\r\n--b0--",
        b"--b0\r\n: no name\r\n\r\nx\r\n--b0--",
        b"--b0\r\nspace : x\r\n\r\nx\r\n--b0--",
        b"--b0\r\nA: \x00\r\n\r\nx\r\n--b0--",
        b"--b0\r\nContent-ID: \xc3\xa9\r\n\r\nx\r\n--b0--",
        b"--b0\r\nA: bare\nB: lf\r\n\r\nx\r\n--b0--",
        b"--b0garbage\r\n\r\nx\r\n--b0--",
    ],
)
def test_part_headers_of_another_shape_are_refused(body: bytes) -> None:
    with pytest.raises(MultipartRefused):
        _read(body)


def test_names_of_files_may_be_vietnamese() -> None:
    name = 'attachment; filename="Công văn.pdf"'
    body = f"--b0\r\nContent-Disposition: {name}\r\nContent-ID: <c>\r\n\r\nx\r\n--b0--".encode()
    assert _read(body) == [("c", b"x")]


@given(content=st.binary(max_size=300), sizes=st.lists(st.integers(1, 20), max_size=200))
def test_base64_is_undone_however_it_is_cut(content: bytes, sizes: list[int]) -> None:
    lines = base64.encodebytes(content).replace(b"\n", b"\r\n")
    assert _read(_in_base64(lines), sizes=sizes) == [("", content)]


@pytest.mark.parametrize(
    "letters",
    [
        b"YWI",
        b"YW*j",
        b"YQ==YWJj",
        b"YQ==" + b"YWJj" * 9,
        b"Y=Jj",
        b"=",
        b"YWJj" + b"\r\n" * 40_000,
    ],
)
def test_base64_is_strict_and_has_little_space(letters: bytes) -> None:
    with pytest.raises(MultipartRefused):
        _read(_in_base64(letters))


def _in_base64(letters: bytes) -> bytes:
    return b"--b0\r\nContent-Transfer-Encoding: Base64\r\n\r\n" + letters + b"\r\n--b0--"


def test_parts_are_counted() -> None:
    body = multipart(*(PartSpec(content=b"", content_id=str(n)) for n in range(65)))
    with pytest.raises(MultipartRefused):
        _read(body)


def test_a_part_that_nobody_read_is_passed_over() -> None:
    body = multipart(
        PartSpec(content=b"x" * 9, content_id="1"), PartSpec(content=b"", content_id="2")
    )
    parts = Multipart(Source(io.BytesIO(body)), boundary=b"b0", caps=MultipartCaps()).parts()
    assert [part.content_id for part in parts] == ["1", "2"]


@pytest.mark.parametrize(
    ("error", "ours"), [(TimeoutError(), BodyTooSlow), (EOFError(), BodyTruncated)]
)
def test_errors_of_the_stream_become_ours(error: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours):
        Source(Failing(error)).all(10)


def test_ids_lose_brackets_and_spaces() -> None:
    assert [bare_id(text) for text in (" <a@b> ", "a@b", "<a@b", "")] == ["a@b", "a@b", "a@b", ""]
