"""What an evaluation leaves behind: problems, and which rules of which tables matched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dossier.errors import LienThongError
from workflows.dmn.model import DecisionTable
from workflows.expressions.profile import DMN
from workflows.expressions.runtime import Feel, Run

MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a result is null: a code, the element, the line in its file and the parameters."""

    code: str
    element: str
    line: int
    column: int = 0
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TableTrace:
    """One evaluation of one table: the inputs, the indices of the matched rules, the output."""

    element: str
    table: DecisionTable
    inputs: tuple[Feel, ...]
    matched: tuple[int, ...]
    output: Feel


class Journal:
    """The problems, hints and traces of one evaluation, in order; the first hundred of each."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.hints: list[Problem] = []  # nulls that FEEL itself gives
        self.traces: list[TableTrace] = []
        self.inputs: dict[str, Feel] = {}  # the inputs that were read

    def report(self, problem: Problem) -> None:
        """Add a problem once."""
        if len(self.problems) < MAX_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)

    def hint(self, problem: Problem) -> None:
        """Add a hint once."""
        if len(self.hints) < MAX_PROBLEMS and problem not in self.hints:
            self.hints.append(problem)

    def trace(self, trace: TableTrace) -> None:
        """Add a trace."""
        if len(self.traces) < MAX_PROBLEMS:
            self.traces.append(trace)


class DecisionRun(Run):
    """A run that keeps a journal."""

    def __init__(self, at: datetime | None) -> None:
        super().__init__(DMN, at)
        self.journal = Journal()


def journal_of(run: Run) -> Journal:
    """Return the journal of `run`; a run without one loses what is written."""
    return run.journal if isinstance(run, DecisionRun) else Journal()


def problem_of(error: LienThongError, element: str, line: int) -> Problem:
    """Return the problem that an error of an expression is, its line counted in the file."""
    inner = int(error.parameters.get("line", 1))
    column = int(error.parameters.get("column", 0))
    parameters = tuple(
        (name, str(value))
        for name, value in error.parameters.items()
        if name not in ("line", "column")
    )
    return Problem(error.code, element, line + inner - 1, column, parameters)
