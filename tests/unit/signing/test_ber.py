"""BER brought into DER: what other tools write becomes readable, and any bytes get an answer."""

from __future__ import annotations

from contextlib import suppress

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from signing import der
from signing.ber import MAX_DEPTH, MAX_VALUES, first_value, to_der
from signing.errors import DerRefused

TEXT = der.tlv(der.OCTET_STRING, b"noi dung")


@pytest.mark.parametrize(
    ("ber", "expected"),
    [
        (TEXT, TEXT),
        (b"\x30\x80" + TEXT + b"\x00\x00", der.sequence(TEXT)),
        (b"\x24\x80\x04\x03noi\x04\x05 dung\x00\x00", TEXT),
        (b"\x24\x0c\x04\x03noi\x04\x05 dung", TEXT),
        (b"\x04\x81\x08noi dung", TEXT),
        (b"\x30\x84\x00\x00\x00\x0a" + TEXT, der.sequence(TEXT)),
        (b"\xa0\x80\x30\x80\x00\x00\x00\x00", b"\xa0\x02\x30\x00"),
    ],
)
def test_ber_becomes_der(ber: bytes, expected: bytes) -> None:
    assert to_der(ber) == expected
    assert first_value(ber + b"rest") == (ber, b"rest")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30",
        b"\x30\x05\x04\x01",
        b"\x30\x80" + TEXT,
        b"\x04\x80\x00\x00",
        b"\x24\x03\x02\x01\x00",
        b"\x30\x89" + bytes(9),
        TEXT + b"\x00",
        b"\x30\x80" * (MAX_DEPTH + 2) + b"\x00\x00" * (MAX_DEPTH + 2),
        b"\x30\x82\x03\xe8" + b"\x30\x00" * 499,
    ],
)
def test_broken_ber_is_refused(content: bytes) -> None:
    with pytest.raises(DerRefused):
        to_der(content)


def test_flood_of_values_is_refused_before_it_costs_much() -> None:
    flood = b"\x05\x00" * (MAX_VALUES + 1)

    with pytest.raises(DerRefused):
        to_der(b"\x30\x80" + flood + b"\x00\x00")


@given(st.binary(max_size=300))
def test_any_bytes_become_der_or_are_refused(content: bytes) -> None:
    with suppress(DerRefused):
        octets = to_der(content)
        assert to_der(octets) == octets


@given(st.recursive(st.binary(max_size=20), lambda inner: st.lists(inner, max_size=4)))
def test_der_of_another_library_is_kept(tree: object) -> None:
    octets = _encoded(tree)

    assert to_der(octets) == octets


def _encoded(tree: object) -> bytes:
    if isinstance(tree, bytes):
        return bytes(core.OctetString(tree).dump())
    assert isinstance(tree, list)
    return der.sequence(*(_encoded(one) for one in tree))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**63, -(2**63)])
def test_signed_integers_are_read_in_their_shortest_form_only(value: int) -> None:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    content = value.to_bytes(size, "big", signed=True)
    longer = value.to_bytes(size + 1, "big", signed=True)

    assert der.Cursor(der.tlv(der.INTEGER, content)).take_signed() == value
    for other in (longer, b""):
        with pytest.raises(DerRefused):
            der.Cursor(der.tlv(der.INTEGER, other)).take_signed()
