"""Scenarios and simulations against the bare engine steps that they make."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from benchmarks.measure import Bound, Measure
from dossier.calendar import HERE
from exchange.procedures.folder import read_folder
from workflows import instance as engine
from workflows.package import load_procedure
from workflows.procedure import Procedure
from workflows.scenario import run as run_scenario
from workflows.scenariofile import parse_scenario
from workflows.simulate import simulate, simulate_on_cores

_FOLDER: Final = Path(__file__).parents[1] / "procedures" / "p5_investment_policy"
_SCENARIO: Final = "all_answer"
_MORNING: Final = datetime(2026, 3, 2, 8, 0, tzinfo=HERE)
_RUNS: Final = 30
_SHARED_RUNS: Final = 240  # enough to outweigh the start of two processes
_ROUNDS: Final = 9

_Call = Callable[[], object]


def run(only: str) -> Iterator[Measure]:
    """Yield the figures of the room whose names begin with `only`."""
    figures = {
        "procedures.scenario": _scenario,
        "procedures.simulate": _simulate,
        "procedures.cores": _cores,
    }
    for name, measure in figures.items():
        if name.startswith(only):
            yield measure(name)


def _scenario(name: str) -> Measure:
    procedure = _procedure()
    scenario = parse_scenario(procedure.scenarios[_SCENARIO], procedure=procedure)
    ours, bare = _paired(lambda: run_scenario(procedure, scenario))
    return Measure(
        name=name,
        value=ours,
        unit="s",
        baseline="the engine steps of the same scenario of P5, bare",
        ratio=ours / bare,
        gate=2.0,
    )


def _simulate(name: str) -> Measure:
    procedure = _procedure()
    ours, bare = _paired(lambda: simulate(procedure, runs=_RUNS, seed=1, at=_MORNING))
    return Measure(
        name=name,
        value=_RUNS / ours,
        unit="runs/s",
        baseline="a bare loop over the same engine steps",
        ratio=bare / ours,
        gate=0.7,
        bound=Bound.AT_LEAST,
    )


def _cores(name: str) -> Measure:
    files = read_folder(_FOLDER)
    cores = min(2, len(os.sched_getaffinity(0)))
    alone = _seconds(
        lambda: simulate_on_cores(files, runs=_SHARED_RUNS, seed=1, at=_MORNING, cores=1)
    )
    shared = _seconds(
        lambda: simulate_on_cores(files, runs=_SHARED_RUNS, seed=1, at=_MORNING, cores=cores)
    )
    return Measure(
        name=name,
        value=_SHARED_RUNS / shared,
        unit="runs/s",
        baseline="the same runs in one process",
        ratio=alone / shared,
        gate=1.4 if cores == 2 else None,
        bound=Bound.AT_LEAST,
    )


def _procedure() -> Procedure:
    return load_procedure(read_folder(_FOLDER))


def _paired(call: _Call) -> tuple[float, float]:
    """Return the seconds of a call and of its bare engine steps: the best of rounds in turns.

    Of processor time: a neighbour on the machine must not fall on one side only.
    """
    steps: list[_Call] = []
    with _recorded(steps):
        call()

    def bare() -> None:
        for step in steps:
            step()

    bare()
    taken = [(_busy(call), _busy(bare)) for _ in range(_ROUNDS)]
    return min(pair[0] for pair in taken), min(pair[1] for pair in taken)


@contextmanager
def _recorded(steps: list[_Call]) -> Iterator[None]:
    """Note every step that the engine makes, with its arguments, so that it can be made again."""

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed through as given
            kept = {key: dict(v) if key == "values" else v for key, v in kwargs.items()}
            steps.append(lambda: function(*args, **kept))
            return function(*args, **kwargs)

        return noted

    with (
        patch.object(engine, "start", noting(engine.start)),
        patch.object(engine, "apply", noting(engine.apply)),
    ):
        yield


def _seconds(call: _Call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _busy(call: _Call) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started
