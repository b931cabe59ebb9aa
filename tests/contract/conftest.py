"""What the contract suites run against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.s3 import ObjectStore, object_store


@pytest.fixture(scope="session")
def objects() -> Iterator[ObjectStore]:
    """Give an S3-compatible server."""
    with object_store() as running:
        yield running
