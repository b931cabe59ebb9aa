"""One node with all agencies of the demo on an empty database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from exchange.demo.layout import Home
from exchange.settings import settings
from exchange.wiring import node
from tests.builders.exchange import NAME, OneNode, laid_out, open_node


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Lay out keys, trust and directory once."""
    return laid_out(tmp_path_factory.mktemp("exchange"))


@pytest.fixture(autouse=True)
def cheap_passwords(migrated: None) -> Iterator[None]:
    """Spare these tests the cost of argon2: fifteen accounts are opened for each of them."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def one(database: None, database_url: str, home: Home) -> OneNode:
    """Return the node on an empty database."""
    for number in home.root.rglob("directory.number"):
        number.unlink()
    return open_node(home, database_url=database_url)


@pytest.fixture
def here(one: OneNode, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneNode]:
    """Make the process's own settings those of the node."""
    monkeypatch.setenv("LIENTHONG_HOME", str(one.home.root))
    monkeypatch.setenv("LIENTHONG_NODE", NAME)
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", database_url)
    settings.cache_clear()
    node.cache_clear()
    yield one
    settings.cache_clear()
    node.cache_clear()
