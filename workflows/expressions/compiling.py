"""The port through which the rooms of the compiler compile the parts of their nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from workflows.expressions.runtime import Evaluator, Function
from workflows.expressions.tree import Node
from workflows.expressions.types import Type


class Compiling(Protocol):
    """What `iteration`, `access` and `calls` need of the compiler."""

    source: str
    library: Mapping[str, Function]
    types: Mapping[str, Type]

    def compile(self, node: Node) -> Evaluator:
        """Return the evaluator of `node`."""
        ...
