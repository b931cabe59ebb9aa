"""A migrated database for tests that need one; each test finds it empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import transactions
from tests.builders.storage import boot_node, empty_database


@pytest.fixture(scope="session")
def migrated(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Boot this process as a node with an empty, migrated database."""
    boot_node(home=tmp_path_factory.mktemp("node"), database_url=database_url)


@pytest.fixture
def database(migrated: None) -> Iterator[None]:
    """Give an empty database, and leave one."""
    yield
    empty_database()


@pytest.fixture
def in_threads() -> Callable[..., list[object]]:
    """Run calls at once, each on a connection of its own, and return what they returned."""

    def run(*calls: Callable[[], object]) -> list[object]:
        def alone(call: Callable[[], object]) -> object:
            try:
                return call()
            finally:
                transactions.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return [one.result(timeout=60) for one in [pool.submit(alone, call) for call in calls]]

    return run
