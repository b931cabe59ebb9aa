"""Play a procedure many times at random: how long it takes, where it waits, where it gets stuck.

Every run has its own seed, so a run that got stuck can be played again alone, and runs can be
shared out over the cores. Durations are drawn, not measured: they show shape, not promises.
"""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from dossier.calendar import Calendar, load_calendar, local_day
from dossier.canonical import Json
from dossier.clock import add_working
from dossier.deadline import Mode, due, parse_allowance
from dossier.errors import LienThongError
from dossier.form import Field, FieldKind
from workflows.commands import HistoryEvent, OpenTask, Outcome
from workflows.package import load_folder
from workflows.play import Play
from workflows.procedure import Procedure

_MOST_STEPS: Final = 400
_FINISHED: Final = frozenset(outcome.value for outcome in Outcome)
_WORDS: Final = "hồ sơ công văn đề nghị trả lời cơ quan đơn vị ý kiến thống nhất nội dung".split()  # noqa: SIM905 - a sentence is easier to read


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long tasks of one element stayed open, over all runs."""

    element_id: str
    count: int
    median: timedelta
    p90: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """One random run."""

    seed: int
    outcome: str  # of the pool that began; "stuck", "incident", "refused" or "endless" otherwise
    where: tuple[str, ...]  # elements that a run which did not finish was waiting at
    reason: str  # code of the error of a refused run
    elapsed: timedelta
    late: bool  # against the procedure's total deadline
    entered: frozenset[str]
    open_for: Mapping[str, tuple[timedelta, ...]]  # element → how long each task was open


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """What many runs showed."""

    runs: int
    outcomes: Mapping[str, int]
    unfinished: tuple[RunSummary, ...]
    late: int
    elapsed_median: timedelta
    elapsed_p90: timedelta
    bottlenecks: tuple[Timing, ...]  # longest first
    never_entered: tuple[str, ...]  # in the order of the file


def simulate(
    procedure: Procedure,
    *,
    runs: int,
    seed: int,
    at: datetime,
    calendar: Calendar | None = None,
) -> Simulation:
    """Play `runs` random runs from `seed` on, one after the other."""
    chosen = calendar or load_calendar()
    return summarise(
        procedure,
        [play_once(procedure, seed=seed + n, at=at, calendar=chosen) for n in range(runs)],
    )


def simulate_on_cores(
    files: Mapping[str, bytes], *, runs: int, seed: int, at: datetime, cores: int
) -> Simulation:
    """Play the runs of a procedure folder in several processes; the same result as in one."""
    shares = [range(first, runs, cores) for first in range(min(cores, runs))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=len(shares) or 1, mp_context=context) as pool:
        parts = pool.map(_share, [(dict(files), [seed + n for n in share], at) for share in shares])
        found = [summary for part in parts for summary in part]
    return summarise(load_folder(files), sorted(found, key=lambda one: one.seed))


def play_once(procedure: Procedure, *, seed: int, at: datetime, calendar: Calendar) -> RunSummary:
    """Play one random run to its end, or to where it gets stuck."""
    return _Walker(procedure, seed=seed, at=at, calendar=calendar).walk()


def summarise(procedure: Procedure, runs: Sequence[RunSummary]) -> Simulation:
    """Return what the runs showed together."""
    outcomes: dict[str, int] = {}
    open_for: dict[str, list[timedelta]] = {}
    for run in runs:
        outcomes[run.outcome] = outcomes.get(run.outcome, 0) + 1
        for element, times in run.open_for.items():
            open_for.setdefault(element, []).extend(times)
    entered = frozenset[str]().union(*(run.entered for run in runs))
    timings = [
        Timing(
            element_id=element,
            count=len(times),
            median=_share_of(times, 50),
            p90=_share_of(times, 90),
        )
        for element, times in open_for.items()
    ]
    elapsed = [run.elapsed for run in runs] or [timedelta()]
    return Simulation(
        runs=len(runs),
        outcomes=outcomes,
        unfinished=tuple(run for run in runs if run.outcome not in _FINISHED),
        late=sum(run.late for run in runs),
        elapsed_median=_share_of(elapsed, 50),
        elapsed_p90=_share_of(elapsed, 90),
        bottlenecks=tuple(sorted(timings, key=lambda one: (one.p90, one.median), reverse=True)),
        never_entered=tuple(
            element
            for role in procedure.deployment.roles
            for element in procedure.definition(role).elements
            if element not in entered and element not in procedure.deployment.files
        ),
    )


def _share(work: tuple[dict[str, bytes], list[int], datetime]) -> list[RunSummary]:
    files, seeds, at = work
    procedure = load_folder(files)
    calendar = load_calendar()
    return [play_once(procedure, seed=seed, at=at, calendar=calendar) for seed in seeds]


class _Walker:
    """One random run."""

    def __init__(
        self, procedure: Procedure, *, seed: int, at: datetime, calendar: Calendar
    ) -> None:
        self.procedure = procedure
        self.seed = seed
        self.calendar = calendar
        self.random = random.Random(seed)  # noqa: S311 - repeatable draws, no secret
        self.began = at
        self.play = Play(procedure, roles=procedure.deployment.roles, at=at, calendar=calendar)
        self.numbers: list[int] = []  # drawn so far
        self.planned: dict[str, datetime] = {}  # task → when it will be completed

    def walk(self) -> RunSummary:
        first = _first_role(self.procedure)
        try:
            self.play.start(first, values={"subject": self._text(5, 60)})
            for _ in range(_MOST_STEPS):
                if self.play.runs[first].outcome:
                    return self._summary(self.play.runs[first].outcome)
                stop = self._stopped()
                if stop:
                    return self._summary(stop)
                self._step()
        except LienThongError as exc:
            return self._summary("refused", reason=exc.code)
        return self._summary("endless")

    def _stopped(self) -> str:
        runs = self.play.runs.values()
        if any(run.incidents for run in runs):
            return "incident"
        moves = any(run.tasks or run.timers or run.calls for run in runs)
        return "" if moves else "stuck"

    def _step(self) -> None:
        for run in self.play.runs.values():
            for call in run.calls.values():
                self.play.answer(call.element_id)
                return
            for task in run.tasks.values():
                if task.task_id not in self.planned:
                    self.planned[task.task_id] = self._when()
        tasks = [task for run in self.play.runs.values() for task in run.tasks.values()]
        timer = self.play.next_due()
        next_task = min(tasks, key=lambda one: self.planned[one.task_id], default=None)
        if timer is not None and (next_task is None or timer <= self.planned[next_task.task_id]):
            self.play.forward_to(timer)
        elif next_task is not None:
            self._complete(
                next_task, [one.task_id for one in tasks if one.element_id == next_task.element_id]
            )

    def _complete(self, task: OpenTask, among: list[str]) -> None:
        self.play.forward_to(max(self.planned[task.task_id], self.play.clock.at))
        form = self.procedure.forms.get(task.form or "")
        values = {
            field.name: self._value(field)
            for field in (form.fields if form else ())
            if field.is_required or self.random.random() < 0.5
        }
        self.play.complete(task.element_id, values=values, which=among.index(task.task_id))

    def _when(self) -> datetime:
        """Draw when a task is done: often within minutes, mostly hours, sometimes days."""
        draw = self.random.random()
        if draw < 0.3:
            return self.play.clock.at + timedelta(seconds=self.random.randint(1, 60))
        hours = self.random.expovariate(1 / 4) if draw < 0.9 else self.random.uniform(16, 80)
        amount = timedelta(minutes=max(1, round(hours * 60)))
        return add_working(self.play.clock.at, amount=amount, calendar=self.calendar)

    def _value(self, field: Field) -> Json:
        match field.kind:
            case FieldKind.TEXT | FieldKind.LONG_TEXT:
                longest = field.max_length or 60
                return self._text(min(20, longest), min(60, longest))
            case FieldKind.DATE:
                day = local_day(self.play.clock.at) + timedelta(days=self.random.randint(0, 30))
                return day.isoformat()
            case FieldKind.INTEGER:
                low = field.minimum if field.minimum is not None else 0
                return self._number(low, field.maximum if field.maximum else low + 100)
            case FieldKind.DECIMAL:
                return str(self.random.randint(0, 1000))
            case FieldKind.CHOICE:
                return self.random.choice(field.choices).value
            case FieldKind.BOOLEAN:
                return True
            case FieldKind.DOCUMENT:
                return f"tai-lieu-{self.random.randint(1, 99)}.pdf"
            case _:
                assert_never(field.kind)

    def _number(self, low: int, high: int) -> int:
        """Draw a number; now and then one that was drawn before, so that two fields may agree."""
        known = [one for one in self.numbers if low <= one <= high]
        if known and self.random.random() < 0.25:
            return self.random.choice(known)
        self.numbers.append(self.random.randint(low, high))
        return self.numbers[-1]

    def _text(self, shortest: int, longest: int) -> str:
        words: list[str] = []
        length = 0
        while length < shortest:
            words.append(self.random.choice(_WORDS))
            length += len(words[-1]) + (len(words) > 1)
        return " ".join(words)[:longest].strip().ljust(shortest, "x")

    def _summary(self, outcome: str, *, reason: str = "") -> RunSummary:
        finished = outcome in _FINISHED
        waiting = [element for run in self.play.runs.values() for element in run.active]
        return RunSummary(
            seed=self.seed,
            outcome=outcome,
            where=() if finished else tuple(waiting),
            reason=reason,
            elapsed=self.play.clock.at - self.began,
            late=self._late(),
            entered=frozenset(line.element_id for line in self.play.trace),
            open_for=self._open_for(),
        )

    def _late(self) -> bool:
        deadline = self.procedure.deadline
        if deadline is None:
            return False
        limit = due(
            self.began,
            allowance=parse_allowance(deadline.total),
            calendar=self.calendar,
            mode=Mode(deadline.mode),
        )
        return self.play.clock.at > limit.at

    def _open_for(self) -> dict[str, tuple[timedelta, ...]]:
        entered: dict[str, list[datetime]] = {}
        spent: dict[str, tuple[timedelta, ...]] = {}
        for line in self.play.trace:
            if line.event is HistoryEvent.ENTERED:
                entered.setdefault(line.element_id, []).append(line.at)
            elif line.event is HistoryEvent.LEFT and entered.get(line.element_id):
                since = entered[line.element_id].pop(0)
                spent[line.element_id] = (*spent.get(line.element_id, ()), line.at - since)
        return {element: times for element, times in spent.items() if any(times)}


def _first_role(procedure: Procedure) -> str:
    return next(
        role
        for role in procedure.roles
        if role in procedure.deployment.roles and not procedure.message_starts(role)
    )


def _share_of(times: Iterable[timedelta], percent: int) -> timedelta:
    """Return the time within which that share of the cases lies."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
