"""Evaluates FEEL of the DMN profile and prints the result as FEEL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from workflows.expressions import printing
from workflows.expressions.expression import Environment, compile_feel, guarded
from workflows.expressions.profile import DMN
from workflows.expressions.runtime import Feel, Run, Scope

Shown = Callable[..., str]
INSTANT = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


@pytest.fixture
def feel() -> Shown:
    """Return a function from source and names to the result, printed."""

    def shown(source: str, **names: Feel) -> str:
        evaluator, _ = compile_feel(source, Environment(names=frozenset(names)))
        return printing.literal(guarded(evaluator, Scope(names, Run(DMN, INSTANT))))

    return shown
