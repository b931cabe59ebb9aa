"""What every test gets: a loopback-only network, repeatable properties, a database by name."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.builders.postgresql import postgresql_cluster

# Timing says nothing on a shared machine; the same examples every time, so that red means changed.
settings.register_profile(
    "quick",
    deadline=None,
    max_examples=60,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# `make fuzz`: many examples from a random seed; a failure prints how to repeat it.
settings.register_profile(
    "deep",
    settings.get_profile("quick"),
    max_examples=5000,
    derandomize=False,
    print_blob=True,
)
settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="what the fixture database_url names (default: a new SQLite file)",
    )


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(_refuse_other_hosts)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Yield the URL of an empty database on a PostgreSQL cluster of this test process."""
    with postgresql_cluster() as url:
        yield url


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of the empty database that `--database` asks for, one per test process."""
    if request.config.getoption("--database") == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/lienthong.sqlite"


def _refuse_other_hosts(event: str, arguments: tuple[object, ...]) -> None:
    """Raise when a test process looks up or calls a host that is not this one."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost") or _is_own_address(str(host)):
        return
    raise RuntimeError(f"expected tests to stay on loopback, got a call to {host!r}")


def _is_own_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
