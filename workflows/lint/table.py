"""The table of all rules, in the order in which their findings are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from workflows.findings import Finding
from workflows.graph import Model
from workflows.lint import structure

Rule: TypeAlias = Callable[[Model], Iterator[Finding]]

RULES: Final[tuple[Rule, ...]] = (structure.something_to_run,)


def lint_model(model: Model) -> list[Finding]:
    """Return what every rule finds in the model."""
    return [finding for rule in RULES for finding in rule(model)]
