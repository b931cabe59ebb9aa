"""What a bench prints, and what makes it fail."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as bench
from benchmarks.measure import Measure
from benchmarks.room import judge

KEPT = Measure(name="feel.a", value=1, unit="ms", baseline="b", ratio=1, gate=2)
MISSED = Measure(name="feel.c", value=1, unit="ms", baseline="the bare key", ratio=3, gate=2)


def test_a_missed_gate_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge([KEPT, MISSED]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert "feel.c: expected a ratio of at most 2 to the bare key, got 3" in printed.err


def test_kept_gates_pass() -> None:
    assert judge([KEPT]) == 0


def test_a_prefix_without_figures_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["nothing"]) == 2
    assert "no figure begins with 'nothing'" in capsys.readouterr().err
