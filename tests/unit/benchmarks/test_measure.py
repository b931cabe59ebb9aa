"""A figure's gate, and the line that the bench prints of it."""

from __future__ import annotations

import json

import pytest

from benchmarks.measure import Bound, Measure, seconds_per_call


@pytest.mark.parametrize(
    ("gate", "bound", "is_ok"),
    [
        (None, Bound.AT_MOST, True),
        (2.0, Bound.AT_MOST, True),
        (1.9, Bound.AT_MOST, False),
        (2.0, Bound.AT_LEAST, True),
        (2.1, Bound.AT_LEAST, False),
    ],
)
def test_gate_judges_the_ratio(gate: float | None, bound: Bound, *, is_ok: bool) -> None:
    measure = Measure(
        name="signing.seal",
        value=1.0,
        unit="ms",
        baseline="bare key",
        ratio=2.0,
        gate=gate,
        bound=bound,
    )
    assert measure.is_ok is is_ok


def test_line_has_the_promised_fields() -> None:
    measure = Measure(name="feel.parse", value=1 / 3, unit="ms", baseline="json.loads", ratio=2.0)
    assert json.loads(measure.as_json()) == {
        "name": "feel.parse",
        "value": 0.3333,
        "unit": "ms",
        "baseline": "json.loads",
        "ratio": 2.0,
        "gate": None,
        "ok": True,
    }


def test_time_is_taken_after_a_warm_up() -> None:
    calls: list[None] = []
    assert seconds_per_call(lambda: calls.append(None), calls=2, rounds=3) >= 0
    assert len(calls) == 1 + 2 * 3
