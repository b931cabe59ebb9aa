"""Calls go to allowed hosts, over https beyond this machine, and nowhere else."""

from __future__ import annotations

import pytest

from connectors.errors import EndpointForbidden, PartnerUnavailable
from connectors.http import HttpClient, check_endpoint, only_hosts

_RULE = only_hosts("H08.example", "127.0.0.1:8080", "::1")


@pytest.mark.parametrize(
    "url",
    [
        "https://h08.example/soap",
        "https://H08.example:9443/soap",
        "http://127.0.0.1:8080/soap",
        "http://[::1]:1/soap",
    ],
)
def test_allows_listed_hosts(url: str) -> None:
    check_endpoint(url, _RULE)


@pytest.mark.parametrize(
    "url",
    [
        "http://h08.example/soap",
        "https://other.example/soap",
        "https://h08.example.evil.example/soap",
        "https://h08.example@evil.example/soap",
        "https://user:pass@h08.example/soap",
        "https://h08.example/soap#x",
        "http://127.0.0.1:8081/soap",
        "http://localhost:8080/soap",
        "ftp://h08.example/soap",
        "file:///etc/passwd",
        "https://h08.example:99999/soap",
        "https://[h08.example/soap",
        "//h08.example/soap",
        "",
    ],
)
def test_forbids_everything_else(url: str) -> None:
    with pytest.raises(EndpointForbidden):
        check_endpoint(url, _RULE)


def test_nobody_listens() -> None:
    client = HttpClient(may_call=lambda host, port: True)
    with pytest.raises(PartnerUnavailable), client.post("http://127.0.0.1:9/soap", body=b""):
        pytest.fail("expected no reply")
