"""Use case: play a procedure many times at random and report durations, waits and dead ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from dossier.canonical import Json
from dossier.texts import Language, render
from exchange.procedures.folder import read_folder
from workflows.package import load_folder
from workflows.procedure import Procedure
from workflows.simulate import RunSummary, Simulation, Timing, simulate, simulate_on_cores

_MOST_NAMED = 10  # lines of bottlenecks and of unfinished runs


def simulate_folder(
    folder: Path, *, runs: int, seed: int, at: datetime, cores: int
) -> tuple[Procedure, Simulation]:
    """Play the procedure of a folder `runs` times, each with its own seed; return both."""
    files = read_folder(folder)
    procedure = load_folder(files)
    if cores > 1:
        return procedure, simulate_on_cores(files, runs=runs, seed=seed, at=at, cores=cores)
    return procedure, simulate(procedure, runs=runs, seed=seed, at=at)


def simulation_json(found: Simulation) -> dict[str, Json]:
    """Return what the runs showed; durations in seconds."""
    return {
        "runs": found.runs,
        "outcomes": dict(found.outcomes),
        "late": found.late,
        "elapsed_median_seconds": _seconds(found.elapsed_median),
        "elapsed_p90_seconds": _seconds(found.elapsed_p90),
        "bottlenecks": [_timing(one) for one in found.bottlenecks],
        "unfinished": [_unfinished(one) for one in found.unfinished],
        "never_entered": list(found.never_entered),
    }


def simulation_lines(
    procedure: Procedure, found: Simulation, *, language: Language
) -> Iterator[str]:
    """Yield what a person reads of a simulation."""
    yield render(
        "simulation",
        "summary",
        language,
        runs=found.runs,
        finished=found.runs - len(found.unfinished),
        stuck=len(found.unfinished),
    )
    yield render(
        "simulation",
        "elapsed",
        language,
        median=_spelled(found.elapsed_median),
        p90=_spelled(found.elapsed_p90),
        late=found.late,
    )
    for timing in found.bottlenecks[:_MOST_NAMED]:
        yield "  " + render(
            "simulation",
            "bottleneck",
            language,
            element=procedure.element_name(timing.element_id)[language.value],
            count=timing.count,
            median=_spelled(timing.median),
            p90=_spelled(timing.p90),
        )
    for one in found.unfinished[:_MOST_NAMED]:
        where = ", ".join(one.where) or "–"
        why = f" {one.reason}" if one.reason else ""
        yield f"  {one.outcome}{why} ({one.seed}): " + render(
            "simulation", "deadlock", language, elements=where
        )
    if found.never_entered:
        elements = ", ".join(found.never_entered)
        yield render("simulation", "never_entered", language, elements=elements)


def _timing(one: Timing) -> Json:
    return {
        "element": one.element_id,
        "count": one.count,
        "median_seconds": _seconds(one.median),
        "p90_seconds": _seconds(one.p90),
    }


def _unfinished(one: RunSummary) -> Json:
    return {
        "seed": one.seed,
        "outcome": one.outcome,
        "where": list(one.where),
        "reason": one.reason,
    }


def _seconds(duration: timedelta) -> int:
    return round(duration.total_seconds())


def _spelled(duration: timedelta) -> str:
    """Return a duration such as `2d 03:40`."""
    minutes = round(duration.total_seconds() / 60)
    days, rest = divmod(minutes, 24 * 60)
    return f"{f'{days}d ' if days else ''}{rest // 60:02}:{rest % 60:02}"
