"""One node with all agencies of the demo, and visitors of its portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings
from django.utils import translation

from exchange.demo.layout import Home
from tests.builders.exchange import OneNode, laid_out, open_node
from tests.builders.portal import Visitor

Enter = Callable[[str], Visitor]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Lay out keys, trust and directory once."""
    return laid_out(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def one(migrated: None, database: None, database_url: str, home: Home) -> Iterator[OneNode]:
    """Yield the node on an empty database, with passwords that cost nothing."""
    for number in home.root.rglob("directory.number"):
        number.unlink()
    cheap = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=cheap), translation.override("vi"):
        yield open_node(home, database_url=database_url)


@pytest.fixture
def visitor(one: OneNode) -> Visitor:
    """Return somebody who is not logged in."""
    return Visitor(one.node)


@pytest.fixture
def enter(one: OneNode) -> Enter:
    """Return a function that logs a person in."""

    def entered(username: str) -> Visitor:
        person = Visitor(one.node)
        assert person.log_in(username, one.logins[username]["password"]).status == 302
        return person

    return entered
