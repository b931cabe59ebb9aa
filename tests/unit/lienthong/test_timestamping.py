"""Whose time-stamps a command takes: an address, a key, or nobody's; never two."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from exchange.signfiles import KeyFiles, TsaAddress
from lienthong.timestamping import required_tsa, tsa_of

KEY = Path("tsa.pem")


def test_address_key_and_nobody_are_told_apart() -> None:
    assert tsa_of("http://ca.example/tsa", key=None, cert=None) == TsaAddress(
        url="http://ca.example/tsa"
    )
    assert tsa_of(None, key=KEY, cert=KEY) == KeyFiles(key=KEY, certificates=KEY, pin=None)
    assert tsa_of(None, key=None, cert=None) is None


@pytest.mark.parametrize("url", ["ftp://a/b", "a", "http://", "http://[", ""])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(click.BadParameter):
        tsa_of(url, key=None, cert=None)


def test_two_are_refused_and_none_where_one_is_needed() -> None:
    with pytest.raises(click.UsageError):
        tsa_of("http://a/b", key=KEY, cert=KEY)
    with pytest.raises(click.UsageError):
        required_tsa(None, key=None, cert=None)
