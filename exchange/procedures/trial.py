"""Use case: run the scenarios of procedure folders and say what they do not reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dossier.texts import Language, render
from exchange.procedures.folder import folders_below, read_folder
from workflows.package import load_folder
from workflows.procedure import Procedure
from workflows.scenario import Coverage, Result, coverage, draw_coverage, draw_failure, run_all


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What one step expected and what it met."""

    step: int  # from 1
    line: int  # in the scenario file
    what: str
    expected: str
    actual: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """How one scenario of a folder went."""

    scenario: str  # name of the file without .yaml
    name: str
    steps: int
    faults: tuple[Fault, ...]

    @property
    def passed(self) -> bool:
        """Tell whether every step went as expected."""
        return not self.faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """How all scenarios of one folder went."""

    folder: str
    procedure: str
    scenarios: tuple[Tried, ...]
    covered: tuple[str, ...]
    uncovered: tuple[str, ...]
    drawings: Mapping[str, str]  # file name → SVG

    @property
    def passed(self) -> bool:
        """Tell whether there are scenarios and all of them passed."""
        return bool(self.scenarios) and all(one.passed for one in self.scenarios)


def try_folders(paths: tuple[Path, ...], *, language: Language, draw: bool) -> Iterator[Trial]:
    """Run the scenarios of every procedure folder at or directly below the paths.

    Raise the refusals of `read_folder`, `load_folder` and `parse_scenario`.
    """
    for path in paths:
        for folder in folders_below(path):
            yield try_files(read_folder(folder), folder=folder.name, language=language, draw=draw)


def try_files(files: Mapping[str, bytes], *, folder: str, language: Language, draw: bool) -> Trial:
    """Run the scenarios of the files of one procedure folder."""
    procedure = load_folder(files)
    results = run_all(procedure)
    reached = coverage(procedure, results.values())
    return Trial(
        folder=folder,
        procedure=procedure.code,
        scenarios=tuple(_tried(name, one, language) for name, one in results.items()),
        covered=reached.covered,
        uncovered=reached.uncovered,
        drawings=_drawings(procedure, folder, results, reached, language) if draw else {},
    )


def trial_lines(trial: Trial, *, language: Language, with_coverage: bool) -> Iterator[str]:
    """Yield what a person reads of a trial."""
    yield f"{trial.folder} ({trial.procedure})"
    if not trial.scenarios:
        yield "  " + render("trial", "no_scenarios", language)
    for one in trial.scenarios:
        if one.passed:
            yield "  " + render("scenario", "passed", language, name=one.name, steps=one.steps)
            continue
        yield "  " + render("scenario", "failed", language, name=one.name, step=one.steps)
        for fault in one.faults:
            said = render(
                "scenario",
                "mismatch",
                language,
                step=fault.step,
                what=fault.what,
                expected=fault.expected,
                actual=fault.actual,
            )
            yield f"    scenarios/{one.scenario}.yaml:{fault.line}: {said}"
    if with_coverage:
        yield from _coverage_lines(trial, language)


def _coverage_lines(trial: Trial, language: Language) -> Iterator[str]:
    covered = len(trial.covered)
    total = covered + len(trial.uncovered)
    yield "  " + render("scenario", "coverage", language, covered=covered, total=total)
    if trial.uncovered:
        named = ", ".join(trial.uncovered)
        yield "  " + render("scenario", "uncovered", language, elements=named)


def _tried(scenario: str, result: Result, language: Language) -> Tried:
    return Tried(
        scenario=scenario,
        name=result.name.of(language),
        steps=result.steps,
        faults=tuple(
            Fault(
                step=one.step,
                line=one.line,
                what=one.what,
                expected=one.expected,
                actual=one.actual,
            )
            for one in result.mismatches
        ),
    )


def _drawings(
    procedure: Procedure,
    folder: str,
    results: Mapping[str, Result],
    reached: Coverage,
    language: Language,
) -> dict[str, str]:
    found = {f"{folder}.svg": draw_coverage(procedure, reached, lang=language.value)}
    for name, result in results.items():
        if not result.passed:
            found[f"{folder}.{name}.svg"] = draw_failure(procedure, result, lang=language.value)
    return {file: svg for file, svg in found.items() if svg}
