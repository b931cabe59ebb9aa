"""Tokens read by a remembered layout are exactly what parsing them gives."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from signing.errors import TimestampMalformed
from signing.policy import Trust
from signing.purpose import Purpose
from signing.timestamp import parse_token
from signing.tokenlayout import read_token
from signing.tokenparts import Token
from signing.tsa import TimestampAuthority
from tests.builders.signing import NOW, pki

AUTHORITY = TimestampAuthority(pki().signers[Purpose.TSA])
TOKENS = [
    AUTHORITY.stamp(hashlib.sha256(bytes([number])).digest(), at=NOW + timedelta(hours=number))
    for number in range(24)
]


def outcome(octets: bytes, trust: Trust | None) -> Token | str:
    try:
        return parse_token(octets) if trust is None else read_token(octets, trust=trust)
    except TimestampMalformed:
        return "malformed"


def test_each_token_reads_as_when_it_is_parsed() -> None:
    trust = pki().trust()

    for octets in TOKENS * 2:
        assert read_token(octets, trust=trust) == parse_token(octets)
    learned = [len(one) for one in (trust.layouts.get(len(octets)) for octets in TOKENS) if one]
    assert set(learned) == {1}  # one layout for each length


@given(number=st.integers(0, 23), at=st.integers(0, 5000), mask=st.integers(1, 255))
def test_a_changed_octet_gives_what_parsing_gives(number: int, at: int, mask: int) -> None:
    trust = pki().trust()
    for octets in TOKENS:
        read_token(octets, trust=trust)
    changed = bytearray(TOKENS[number])
    changed[at % len(changed)] ^= mask

    assert outcome(bytes(changed), trust) == outcome(bytes(changed), None)


def test_every_octet_of_one_token_counts() -> None:
    trust = pki().trust()
    read_token(TOKENS[0], trust=trust)
    for position in range(len(TOKENS[0])):
        changed = bytearray(TOKENS[0])
        changed[position] ^= 0x80

        assert outcome(bytes(changed), trust) == outcome(bytes(changed), None), position
