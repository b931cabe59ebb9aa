"""Use case: make a procedure folder from a BPMN file of another modeller, with a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dossier.texts import Language
from exchange.procedures.lint import Problem, lint, lint_files, problem_of
from exchange.procedures.scaffold import check_code, write_folder
from workflows.adopt import adopt
from workflows.errors import DefinitionRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopted:
    """What became of the file."""

    folder: Path | None  # None: the file is no BPMN model, nothing was written
    is_runnable: bool  # else the folder is a draft: what forbids to run it is in `translated`
    translated: tuple[Problem, ...]  # what was translated, assumed or refused in the author's file
    to_do: tuple[Problem, ...]  # what the new folder still lacks


def adopt_model(
    file: Path, *, name: str, below: Path, effective: date, language: Language
) -> Adopted:
    """Write `below`/`name` from a BPMN file; raise `ScaffoldRefused` for the name or the place."""
    check_code(name)
    found = lint(file, language=language)
    try:
        beside = {one.name: one.read_bytes() for one in sorted(file.parent.glob("*.form"))}
        adopted = adopt(file.read_bytes(), code=name, effective=effective, beside=beside)
    except DefinitionRefused:
        return Adopted(folder=None, is_runnable=False, translated=found.problems, to_do=())
    folder = write_folder(name, adopted.files, below=below)
    known = {(one.rule, one.element) for one in found.problems}
    left = lint_files(adopted.files, language=language).problems
    to_do = (
        *(problem_of(one, language) for one in adopted.assumed),
        *(one for one in left if (one.rule, one.element) not in known),
    )
    return Adopted(
        folder=folder, is_runnable=found.is_runnable, translated=found.problems, to_do=to_do
    )
