"""A booted node of the storm, in a folder and a database of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exchange.boot import boot
from exchange.node import Node
from exchange.settings import settings
from exchange.wiring import node
from tests.builders import chaos


@pytest.fixture(scope="session")
def storm_node(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Return the node of this process; the processes that the storm starts are the same node."""
    root: Path = tmp_path_factory.mktemp("storm")
    chaos.lay_out_storm(root, database_url=database_url)
    os.environ["LIENTHONG_HOME"] = str(root)
    os.environ["LIENTHONG_NODE"] = chaos.NODE
    settings.cache_clear()
    boot()
    chaos.fill_storm()
    node.cache_clear()
    return node()
