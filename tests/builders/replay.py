"""Play a scenario of a procedure folder on two real nodes: the same steps, nothing mocked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from dossier.calendar import HERE, Calendar, load_calendar
from dossier.canonical import Json
from dossier.clock import VirtualClock
from dossier.deadline import due, parse_allowance
from tests.builders.procedures import shipped
from tests.builders.twonodes import TwoNodes
from workflows.scenariofile import Step, Verb, parse_scenario

# Who begins a procedure, and to whom it is addressed.
INITIATORS: Final = {
    "p1_birth_linked": "000.31.01.H08",
    "p2_death_linked": "000.31.01.H08",
    "p3_land_transfer": "000.00.09.H08",
    "p4_construction_permit": "000.00.13.H08",
    "p5_investment_policy": "000.00.14.H08",
    "p6_household_business": "000.31.01.H08",
    "p7_field_report": "000.00.10.H08",
    "p8_official_letter": "000.00.00.H28",
}
_ADDRESSEES: Final = {"p7_field_report": "000.00.15.H08", "p8_official_letter": "000.00.00.H08"}
_NODES: Final = {"000.00.00.H28": "h28"}  # else h08


class Replay:
    """One scenario on its way."""

    def __init__(self, both: TwoNodes, clock: VirtualClock, *, folder: str, scenario: str) -> None:
        self.both = both
        self.clock = clock
        self.procedure = shipped(folder)
        self.scenario = parse_scenario(self.procedure.scenarios[scenario], procedure=self.procedure)
        self.folder = folder
        self.code = ""
        self.calendar: Calendar = load_calendar(layers=("vn-2026-swap",))

    def play(self) -> None:
        """Do every step; an expectation that is not met fails the test with its line."""
        self._move_to(_next_morning(self.clock.at))
        for step in self.scenario.steps:
            self._do(step)

    def sides(self) -> dict[str, Mapping[str, Json]]:
        """Return how the dossier stands at each agency, by role."""
        return self.both.sides(self.code)

    def _do(self, step: Step) -> None:
        match step.verb:
            case Verb.START:
                self._start()
            case Verb.COMPLETE:
                self._complete(step)
            case Verb.FORWARD:
                allowance = parse_allowance(step.subject)
                self._move_to(due(self.clock.at, allowance=allowance, calendar=self.calendar).at)
            case Verb.EXPECT:
                for what, expected in step.expected.items():
                    self._expect(step, what, expected)
            case _:
                raise AssertionError(f"line {step.line}: {step.verb} cannot be played for real")
        if step.verb is not Verb.EXPECT:
            self.both.settle()

    def _start(self) -> None:
        agency = INITIATORS[self.folder]
        self.code = self.both.ask(
            _NODES.get(agency, "h08"),
            "start",
            procedure=self.procedure.code,
            agency=agency,
            addressee=_ADDRESSEES.get(self.folder, ""),
        )

    def _complete(self, step: Step) -> None:
        found = [one for one in self.both.open_tasks(self.code) if one.element == step.subject]
        if len(found) <= step.which:
            raise AssertionError(
                f"line {step.line}: {step.subject} is not open at {self.folder}: {self.sides()}"
            )
        task = found[step.which]
        self.both.ask(
            task.node,
            "complete",
            code=self.code,
            agency=task.agency,
            task=task.task,
            values=dict(step.values),
        )

    def _move_to(self, at: datetime) -> None:
        self.clock.forward_to(at)
        self.both.move_to(at)

    def _expect(self, step: Step, what: str, expected: Json) -> None:
        actual = expected
        if what == "open":
            actual = sorted(one.element for one in self.both.open_tasks(self.code))
            expected = sorted(map(str, expected)) if isinstance(expected, list) else expected
        elif isinstance(expected, Mapping) and what in ("statuses", "finished", "values"):
            sides = self.sides()
            actual = {role: self._seen(sides[role], what, expected[role]) for role in expected}
        if actual != expected:
            where = f"{self.folder}, line {step.line}, {what}"
            raise AssertionError(f"{where}: expected {expected}, got {actual}")

    def _seen(self, side: Mapping[str, Json], what: str, expected: Json) -> Json:
        if what == "statuses":
            return side["status"]
        if what == "finished":
            return expected if side["open"] == (expected == "running") else "another end"
        values = side["values"]
        assert isinstance(values, Mapping)
        assert isinstance(expected, Mapping)
        # Numbers of registers and documents go on from scenario to scenario.
        return {
            name: wanted if name.endswith(("_number", "_file")) else values.get(name)
            for name, wanted in expected.items()
        }


def _next_morning(at: datetime) -> datetime:
    """Return eight o'clock of the next Monday."""
    local = at.astimezone(HERE)
    monday = local + timedelta(days=7 - local.weekday())
    return monday.replace(hour=8, minute=0, second=0, microsecond=0)
