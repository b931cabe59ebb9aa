"""Content-Type has one reading or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import HttpRefused, MediaTypeRefused, MultipartRefused
from connectors.media import check_charset, parse_media_type


def test_reads_types_and_parameters_as_peers_write_them() -> None:
    media = parse_media_type(
        'Multipart/Related; TYPE="application/xop+xml";start="<a\\"b@x>" ; boundary=b0; '
    )
    assert media.name == "multipart/related"
    assert media.parameters == {
        "type": "application/xop+xml",
        "start": '<a"b@x>',
        "boundary": "b0",
    }
    assert media.boundary() == b"b0"


def test_reads_values_whose_quotes_were_left_out() -> None:
    media = parse_media_type("multipart/related; type=text/xml; start=<a@x>; action=urn:a:1/B")
    assert media.parameters == {"type": "text/xml", "start": "<a@x>", "action": "urn:a:1/B"}


@pytest.mark.parametrize("text", ["", "text", "text/", "text/xml; a", 'text/xml; a="b', "a/b c/d"])
def test_refuses_what_is_no_media_type(text: str) -> None:
    with pytest.raises(MediaTypeRefused):
        parse_media_type(text)


def test_refuses_a_parameter_given_twice() -> None:
    with pytest.raises(MultipartRefused):
        parse_media_type("text/xml; charset=utf-8; Charset=utf-7")


@pytest.mark.parametrize("boundary", ["", "a" * 71, "a\u00e9", "ends with space ", "semi;"])
def test_refuses_boundaries_that_rfc_2046_does_not_allow(boundary: str) -> None:
    with pytest.raises(MultipartRefused):
        parse_media_type(f'multipart/related; boundary="{boundary}"').boundary()


def test_refuses_other_charsets() -> None:
    check_charset(parse_media_type("text/xml; charset=UTF-8"))
    with pytest.raises(MediaTypeRefused):
        check_charset(parse_media_type("text/xml; charset=utf-16"))


@given(text=st.text(max_size=80))
def test_any_text_is_a_type_or_our_error(text: str) -> None:
    try:
        parse_media_type("multipart/related; " + text)
        parse_media_type(text)
    except HttpRefused:
        pass
