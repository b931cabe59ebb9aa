"""Run the stages of `make test`, all of them even when one fails, and print what each took.

    python -m scripts.stages                      every stage whose folder exists
    python -m scripts.stages --only check         one of them

Red means: a command failed, a test was skipped, PostgreSQL ran other tests than SQLite, or the
whole took longer than the sum of the budgets.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTCOMES = ROOT / "build" / "outcomes"
BIN = Path(sys.executable).parent
INSTALL_BUDGET_SECONDS = 150
# A stage that hangs is stopped after this many times its budget.
PATIENCE = 4
GRACE_SECONDS = 15

Command = tuple[str, ...]
# By the name that `pytest` below was given: {test id: passed | failed | skipped}.
Outcomes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One row of the table: the commands that run while their budget is watched."""

    name: str
    title: str
    budget_seconds: int
    commands: tuple[Command, ...]

    def present(self) -> tuple[Command, ...]:
        """Return the commands that have something to run: the test folders that exist."""
        rooms = (tuple(p for p in command if p.startswith("tests/")) for command in self.commands)
        return tuple(
            command
            for command, paths in zip(self.commands, rooms, strict=True)
            if not paths or any((ROOT / path).exists() for path in paths)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one stage."""

    title: str
    budget_seconds: int
    actual_seconds: float
    complaints: tuple[str, ...]  # one sentence per reason for red


def pytest(name: str, *arguments: str) -> Command:
    """Return the command that runs these tests and keeps their outcomes under `name`."""
    written = f"--outcomes={OUTCOMES / name}.json"
    return ("python", "-m", "pytest", "-q", "-p", "scripts.outcomes", written, *arguments)


LAWS = tuple(sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/test_*.py")))

STAGES = (
    Stage(
        name="check",
        title="check",
        budget_seconds=90,
        commands=(
            ("ruff", "format", "--check", "."),
            ("ruff", "check", "."),
            ("mypy",),
            ("lint-imports", "--no-logo"),
            pytest("laws", "-n2", *LAWS),
        ),
    ),
    Stage(
        name="unit",
        title="unit and property",
        budget_seconds=180,
        commands=(
            pytest("unit", "-n2", "tests/unit"),
            pytest("contract", "-n2", "tests/contract"),
            pytest("sqlite", "-n2", "tests/integration"),
        ),
    ),
    Stage(
        name="postgresql",
        title="database-bound tests on PostgreSQL",
        budget_seconds=90,
        commands=(pytest("postgresql", "-n2", "--database=postgresql", "tests/integration"),),
    ),
    Stage(
        name="browser",
        title="browser",
        budget_seconds=120,
        commands=(pytest("browser", "tests/browser"),),
    ),
    Stage(
        name="acceptance",
        title="two-node acceptance",
        budget_seconds=90,
        commands=(pytest("acceptance", "tests/acceptance"),),
    ),
    Stage(
        name="chaos",
        title="chaos",
        budget_seconds=60,
        commands=(pytest("chaos", "-n2", "tests/chaos"),),
    ),
    Stage(
        name="fuzz",
        title="fuzz targets",
        budget_seconds=60,
        commands=(pytest("fuzz", "-n2", "tests/fuzz"),),
    ),
    Stage(
        name="differential",
        title="differential engine fuzz",
        budget_seconds=60,
        commands=(pytest("differential", "-n2", "tests/differential"),),
    ),
)


def main() -> int:
    """Run what was asked for; return 0 when nothing is to complain about."""
    wishes = argparse.ArgumentParser(prog="python -m scripts.stages")
    wishes.add_argument("--only", choices=[stage.name for stage in STAGES])
    wishes.add_argument("--started", type=float, help="when the installation began, Unix seconds")
    asked = wishes.parse_args()
    for old in OUTCOMES.glob("*.json"):
        old.unlink()
    results = []
    if asked.started is not None:
        results.append(
            Result(
                title="install",
                budget_seconds=INSTALL_BUDGET_SECONDS,
                actual_seconds=time.time() - asked.started,
                complaints=(),
            )
        )
    for stage in STAGES:
        if asked.only in (None, stage.name) and stage.present():
            results.append(_run_stage(stage))
    complaints = [f"{r.title}: {complaint}" for r in results for complaint in r.complaints]
    outcomes = _read_outcomes()
    complaints += complaints_of_outcomes(outcomes)
    if asked.only is None:
        complaints += complaints_of_time(results)
    _print_report(results, complaints, outcomes)
    return 1 if complaints else 0


def complaints_of_outcomes(outcomes: Outcomes) -> list[str]:
    """Name the skipped tests, and the tests that one database ran and the other did not."""
    complaints = [
        f"{test} was skipped"
        for tests in outcomes.values()
        for test, outcome in tests.items()
        if outcome == "skipped"
    ]
    if "sqlite" in outcomes and "postgresql" in outcomes:
        apart = outcomes["sqlite"].keys() ^ outcomes["postgresql"].keys()
        complaints += [f"{test} ran on one database only" for test in sorted(apart)]
    return complaints


def complaints_of_time(results: list[Result]) -> list[str]:
    """Complain when the whole took longer than all budgets together; one stage alone may."""
    budget = INSTALL_BUDGET_SECONDS + sum(stage.budget_seconds for stage in STAGES)
    taken = sum(result.actual_seconds for result in results)
    return [f"expected at most {_clock(budget)}, got {_clock(taken)}"] if taken > budget else []


def _run_stage(stage: Stage) -> Result:
    started = time.monotonic()
    complaints = []
    for command in stage.present():
        left = started + PATIENCE * stage.budget_seconds - time.monotonic()
        code = _run(command, seconds=left)
        if code is None:
            complaints.append(f"{_shown(command)} was stopped: it hung")
        elif code:
            complaints.append(f"{_shown(command)} exited with {code}")
    return Result(
        title=stage.title,
        budget_seconds=stage.budget_seconds,
        actual_seconds=time.monotonic() - started,
        complaints=tuple(complaints),
    )


def _run(command: Command, *, seconds: float) -> int | None:
    """Return the exit code; None when the command had to be stopped with all its children."""
    print(f"\n$ {_shown(command)}", flush=True)
    running = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        return running.wait(timeout=max(seconds, 1))
    except subprocess.TimeoutExpired:
        return None
    finally:
        if running.poll() is None:
            _stop(running)


def _environment() -> dict[str, str]:
    """Return this process's environment without the settings of a node of the developer's."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    return {**ours, "PYTHONSAFEPATH": "1"}


def _stop(running: subprocess.Popen[bytes]) -> None:
    """End a command and its children; an interrupted pytest still takes down its servers."""
    for number, seconds in ((signal.SIGINT, GRACE_SECONDS), (signal.SIGKILL, None)):
        os.killpg(running.pid, number)
        try:
            running.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def _shown(command: Command) -> str:
    return " ".join(word for word in command if "outcomes" not in word and word != "-p")


def _read_outcomes() -> Outcomes:
    return {path.stem: json.loads(path.read_text()) for path in sorted(OUTCOMES.glob("*.json"))}


def _print_report(results: list[Result], complaints: list[str], outcomes: Outcomes) -> None:
    print(f"\n{'stage':<36}{'budget':>8}{'actual':>8}")
    for result in results:
        over = "  over" if result.actual_seconds > result.budget_seconds else ""
        red = "  red" if result.complaints else ""
        print(
            f"{result.title:<36}{_clock(result.budget_seconds):>8}"
            f"{_clock(result.actual_seconds):>8}{over}{red}"
        )
    budget = sum(result.budget_seconds for result in results)
    actual = sum(result.actual_seconds for result in results)
    print(f"{'together':<36}{_clock(budget):>8}{_clock(actual):>8}")
    for complaint in complaints:
        print(f"red: {complaint}")
    ran = [outcome for tests in outcomes.values() for outcome in tests.values()]
    print(f"\n{ran.count('passed')} passed, {ran.count('failed')} failed", flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
