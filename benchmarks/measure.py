"""One measured figure, what it is compared with, and how to take the time of a call."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Bound(Enum):
    """Which side of the gate is good."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One figure of the bench; `ratio` is what the gate judges."""

    name: str  # `engine.…`, `feel.…`, `signing.…`, `connectors.…` or `worker.…`
    value: float
    unit: str  # of `value` and of the baseline's own figure
    baseline: str  # what it is compared with, in words
    ratio: float  # value / baseline's value, both of this run
    gate: float | None = None  # the bound of `ratio`; None where the figure only informs
    bound: Bound = Bound.AT_MOST

    @property
    def is_ok(self) -> bool:
        """Tell whether the ratio keeps its gate; a figure without a gate always does."""
        if self.gate is None:
            return True
        return self.ratio <= self.gate if self.bound is Bound.AT_MOST else self.ratio >= self.gate

    def as_json(self) -> str:
        """Return the figure as one JSON line."""
        fields: dict[str, Any] = {**asdict(self), "ok": self.is_ok}
        del fields["bound"]
        fields["value"] = _rounded(self.value)
        fields["ratio"] = _rounded(self.ratio)
        return json.dumps(fields, ensure_ascii=False)


def seconds_per_call(call: Callable[[], object], *, calls: int = 20, rounds: int = 5) -> float:
    """Return the seconds of one call: the median of `rounds`, each of `calls`, after a warm-up."""
    call()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        taken.append((time.perf_counter() - started) / calls)
    return statistics.median(taken)


def _rounded(figure: float) -> float:
    return float(f"{figure:.4g}")
