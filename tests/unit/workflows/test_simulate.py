"""Simulation: repeatable, finds where a procedure gets stuck, and shares out over processes."""

from __future__ import annotations

import pytest

from dossier.calendar import load_calendar
from tests.builders.procedures import MORNING, folder, names, shipped
from workflows.package import load_procedure
from workflows.procedure import Procedure
from workflows.simulate import play_once, simulate, simulate_on_cores

P6 = "p6_household_business"


@pytest.mark.parametrize("name", names())
def test_no_random_run_of_a_shipped_procedure_gets_stuck(name: str) -> None:
    found = simulate(shipped(name), runs=25, seed=1, at=MORNING)
    assert found.unfinished == ()
    assert sum(found.outcomes.values()) == found.runs == 25


def test_the_same_seed_plays_the_same_run() -> None:
    calendar = load_calendar()
    one, other = (play_once(shipped(P6), seed=7, at=MORNING, calendar=calendar) for _ in range(2))
    assert one == other
    assert one != play_once(shipped(P6), seed=8, at=MORNING, calendar=calendar)


def test_bottlenecks_come_longest_first() -> None:
    found = simulate(shipped(P6), runs=20, seed=3, at=MORNING)
    slowest = [one.p90 for one in found.bottlenecks]
    assert slowest == sorted(slowest, reverse=True)
    assert found.elapsed_median <= found.elapsed_p90
    assert 0 <= found.late <= found.runs


def _waiting_for_both() -> Procedure:
    """Return P6 with a merge that waits for both ways, of which only one is ever taken."""
    files = folder(P6)
    model = files["process.bpmn"].decode()
    start = model.index('<bpmn:exclusiveGateway id="tax_code_known"')
    end = model.index("</bpmn:exclusiveGateway>", start)
    merge = model[start:end].replace("exclusive", "parallel") + "</bpmn:parallelGateway>"
    rest = model[end + len("</bpmn:exclusiveGateway>") :]
    files["process.bpmn"] = (model[:start] + merge + rest).encode()
    return load_procedure(files)


def test_a_deadlock_is_found_with_the_seed_that_shows_it() -> None:
    found = simulate(_waiting_for_both(), runs=10, seed=1, at=MORNING)
    stuck = [run for run in found.unfinished if run.outcome == "stuck"]
    assert stuck and {run.where for run in stuck} == {("tax_code_known",)}
    again = play_once(_waiting_for_both(), seed=stuck[0].seed, at=MORNING, calendar=load_calendar())
    assert again.outcome == "stuck"


def test_processes_share_the_runs_and_agree() -> None:
    alone = simulate(shipped(P6), runs=6, seed=11, at=MORNING)
    shared = simulate_on_cores(folder(P6), runs=6, seed=11, at=MORNING, cores=2)
    assert shared == alone
