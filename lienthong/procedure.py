"""`lienthong procedure`: check, rehearse, compare, begin and publish procedure folders.

The verbs that need the node's database are in `lienthong.publication` and `lienthong.migration`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.clock import SystemClock
from dossier.texts import Language, render
from exchange.directory_source import read_source
from exchange.procedures.adoption import adopt_model
from exchange.procedures.compare import compare_folders, comparison_json, comparison_lines
from exchange.procedures.folder import read_folder
from exchange.procedures.lint import Problem, lint, lint_staffing
from exchange.procedures.scaffold import scaffold
from exchange.procedures.simulation import simulate_folder, simulation_json, simulation_lines
from exchange.procedures.trace import trace
from exchange.procedures.trial import Trial, trial_lines, try_folders

_ON_THE_NODE: Final = {  # verb → module and name
    "publish": ("lienthong.publication", "publish"),
    "confirm": ("lienthong.publication", "confirm"),
    "refuse": ("lienthong.publication", "refuse"),
    "proposals": ("lienthong.publication", "list_proposals"),
    "migrate": ("lienthong.migration", "migrate"),
}
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EITHER = click.Path(exists=True, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_LANG = click.option(
    "--lang", type=click.Choice(["vi", "en"]), default="en", show_default=True, help="Language."
)

_BELOW = click.option(
    "--in",
    "below",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Where the folder is made.  [default: here]",
)


class _Verbs(click.Group):
    """Loads the verbs that need the node, and with them the node, only when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all verbs."""
        return sorted([*super().list_commands(ctx), *_ON_THE_NODE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb of this module, or one that needs the node."""
        if cmd_name not in _ON_THE_NODE:
            return super().get_command(ctx, cmd_name)
        module, name = _ON_THE_NODE[cmd_name]
        verb: click.Command = getattr(importlib.import_module(module), name)
        return verb


@click.group("procedure", cls=_Verbs)
def command() -> None:
    """Procedures: lint, test, simulate, compare, begin, publish."""


@command.command("lint")
@click.argument("file", type=_EITHER)
@click.option(
    "--directory",
    "source",
    type=_FILE,
    help="A directory as `lienthong directory export` writes it: name roles that no agency fills.",
)
@_JSON
@_LANG
def lint_file(*, file: Path, source: Path | None, as_json: bool, lang: str) -> int:
    """Check a BPMN FILE or a procedure folder; exit 0 when it can run."""
    language = Language(lang)
    found = lint(file, language=language)
    problems = found.problems
    if source is not None and file.is_dir() and found.is_runnable:
        problems += lint_staffing(
            read_folder(file),
            directory=read_source(source.read_text(encoding="utf-8"), beside=source.parent),
            at=SystemClock().now(),
            language=language,
        )
    if as_json:
        rows: list[Json] = [asdict(problem) for problem in problems]
        _print({"runnable": found.is_runnable, "problems": rows})
    else:
        _list(problems)
        errors = sum(problem.severity == "error" for problem in problems)
        judged = "runnable" if found.is_runnable else "not_runnable"
        notes = len(problems) - errors
        click.echo(render("lint", judged, language, errors=errors, warnings=notes), err=True)
    return 0 if found.is_runnable else 1


@command.command("test")
@click.argument("folders", nargs=-1, required=True, type=_FOLDER)
@click.option("--coverage", is_flag=True, help="Fail when an element is never entered; name them.")
@click.option(
    "--svg",
    "drawings",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Draw coverage and failures into DIR.",
)
@_JSON
@_LANG
def test_folders(
    *, folders: tuple[Path, ...], coverage: bool, drawings: Path | None, as_json: bool, lang: str
) -> int:
    """Run the scenarios of procedure FOLDERS, or of the folders directly below them.

    Exit 0 when all pass.
    """
    language = Language(lang)
    trials = []
    for trial in try_folders(folders, language=language, draw=drawings is not None):
        trials.append(trial)
        if not as_json:
            click.echo("\n".join(trial_lines(trial, language=language, with_coverage=coverage)))
        if drawings is not None:
            _draw(trial.drawings, drawings)
    if as_json:
        _print({"passed": all(one.passed for one in trials), "folders": list(map(_tried, trials))})
    complete = not coverage or not any(one.uncovered for one in trials)
    return 0 if complete and all(one.passed for one in trials) else 1


@command.command("simulate")
@click.argument("folder", type=_FOLDER)
@click.option("--runs", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the first run.")
@click.option("--cores", type=click.IntRange(1, 64), default=1, show_default=True)
@_JSON
@_LANG
def simulate(*, folder: Path, runs: int, seed: int, cores: int, as_json: bool, lang: str) -> int:
    """Play FOLDER at random and show durations, bottlenecks and dead ends.

    Exit 0 when every run came to its end.
    """
    procedure, found = simulate_folder(
        folder, runs=runs, seed=seed, at=SystemClock().now(), cores=cores
    )
    if as_json:
        _print(simulation_json(found))
    else:
        click.echo("\n".join(simulation_lines(procedure, found, language=Language(lang))))
    return 1 if found.unfinished else 0


@command.command("diff")
@click.argument("before", type=_FOLDER)
@click.argument("after", type=_FOLDER)
@_JSON
@_LANG
def diff(*, before: Path, after: Path, as_json: bool, lang: str) -> None:
    """Say what differs between the procedure folders BEFORE and AFTER."""
    compared = compare_folders(before, after)
    if as_json:
        _print(comparison_json(compared))
    else:
        click.echo("\n".join(comparison_lines(compared, language=Language(lang))))


@command.command("run")
@click.argument("file", type=_EITHER)
@click.option("--scenario", required=True, type=_FILE, help="A scenario file (YAML or JSON).")
@_JSON
def run(*, file: Path, scenario: Path, as_json: bool) -> int:
    """Play one scenario on a BPMN FILE or a procedure folder and print the trace.

    Exit 0 when every step went as the scenario says.
    """
    found = trace(file, scenario=scenario)
    if as_json:
        _print(found.document)
    else:
        click.echo("\n".join(found.lines))
    return 0 if found.passed else 1


@command.command("new")
@click.argument("name")
@_BELOW
def new(*, name: str, below: Path) -> None:
    """Begin a procedure in a new folder NAME that passes its own scenarios."""
    folder = scaffold(name, below=below, effective=local_day(SystemClock().now()))
    click.echo(folder)


@command.command("import")
@click.argument("file", type=_FILE)
@click.argument("name")
@_BELOW
@_LANG
def import_model(*, file: Path, name: str, below: Path, lang: str) -> int:
    """Make the procedure folder NAME from a BPMN FILE of Camunda Modeler, Signavio or bpmn.io.

    Reports what was translated, assumed or refused, and what is left to do; what forbids to run the
    model is left to do as well. Exit 1 when the file is no BPMN model; nothing is written then.
    """
    language = Language(lang)
    effective = local_day(SystemClock().now())
    adopted = adopt_model(file, name=name, below=below, effective=effective, language=language)
    _list(adopted.translated)
    if adopted.folder is None:
        return 1
    click.echo(render("adoption", "to_do", language, count=len(adopted.to_do)))
    _list(adopted.to_do)
    click.echo(str(adopted.folder), err=True)
    return 0


def _list(problems: Sequence[Problem]) -> None:
    for problem in problems:
        click.echo(problem.line_of_text())


def _tried(trial: Trial) -> Json:
    return {
        "folder": trial.folder,
        "procedure": trial.procedure,
        "passed": trial.passed,
        "scenarios": [
            {
                "scenario": one.scenario,
                "name": one.name,
                "passed": one.passed,
                "steps": one.steps,
                "faults": [asdict(fault) for fault in one.faults],
            }
            for one in trial.scenarios
        ],
        "covered": list(trial.covered),
        "uncovered": list(trial.uncovered),
    }


def _draw(drawings: Mapping[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in drawings.items():
        (folder / name).write_text(svg, encoding="utf-8")


def _print(document: Mapping[str, Json]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
