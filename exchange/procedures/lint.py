"""Use case: check a BPMN file or a procedure folder as a whole, without storing anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dossier.directory import Directory
from dossier.errors import LienThongError
from dossier.texts import Language, render_error, render_stored
from exchange.procedures.folder import read_beside, read_folder
from workflows.definition import Deployment, deploy
from workflows.errors import ProcedureRefused
from workflows.findings import Finding, Severity
from workflows.package import DECLARATION, MODEL, is_part, load_folder
from workflows.parts import PART_DECLARATION, split_parts
from workflows.review import Remark, line_of, review, review_part
from workflows.staffing import staff

_BLOCKING: Final = Severity.ERROR.value
_AT_LINE: Final = re.compile(r"at line (\d+)")  # in the words of tomllib


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One finding, in the words of the language that was asked for."""

    rule: str
    severity: str  # error | assume | exact | warning
    file: str
    element: str  # id of a BPMN element or path of a key; empty: the file itself
    line: int  # 0: unknown; 1 also for a file that is missing or should not be there
    message: str

    def line_of_text(self) -> str:
        """Return the problem as the command prints it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        element = f" {self.element}" if self.element else ""
        return f"{self.severity}: {place}{element}: {self.message} [{self.rule}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Linted:
    """What checking a model or a folder found."""

    is_runnable: bool
    problems: tuple[Problem, ...]


def lint(path: Path, *, language: Language) -> Linted:
    """Check a BPMN file or a procedure folder; every fault becomes a problem, none is raised."""
    if path.is_dir():
        try:
            return lint_files(read_folder(path), language=language)
        except LienThongError as exc:
            return _judged([_refused(exc, DECLARATION, language)])
    return _judged(_drawn(deploy(path.read_bytes(), read_beside(path)), path.name, language))


def lint_files(files: Mapping[str, bytes], *, language: Language) -> Linted:
    """Check the files of a procedure folder or of a part."""
    try:
        parts = [one.linked for one in split_parts(files)[1]]
    except LienThongError as exc:
        return _judged([_contradiction(exc, files, language)])
    if MODEL not in files:
        return _judged([_loading_fault(files, language)])
    problems = list(_drawn(deploy(files[MODEL], parts), MODEL, language))
    if any(problem.severity == _BLOCKING for problem in problems):
        return _judged(problems)
    try:
        procedure = load_folder(files)
    except LienThongError as exc:
        return _judged([*problems, _contradiction(exc, files, language)])
    if is_part(files):
        remarks = review_part(procedure)
    else:
        remarks = review(procedure, declaration=files[DECLARATION])
    return _judged([*problems, *(problem_of(one, language) for one in remarks)])


def lint_staffing(
    files: Mapping[str, bytes], *, directory: Directory, at: datetime, language: Language
) -> tuple[Problem, ...]:
    """Return what a directory lacks for the procedure of files that load; nothing for a part."""
    if is_part(files):
        return ()
    remarks = staff(load_folder(files), directory, declaration=files[DECLARATION], at=at)
    return tuple(problem_of(one, language) for one in remarks)


def _judged(problems: Iterator[Problem] | list[Problem]) -> Linted:
    found = tuple(problems)
    return Linted(is_runnable=not any(one.severity == _BLOCKING for one in found), problems=found)


def _drawn(deployment: Deployment, file: str, language: Language) -> Iterator[Problem]:
    return (_finding(one, file, language) for one in deployment.findings)


def _finding(finding: Finding, file: str, language: Language) -> Problem:
    return Problem(
        rule=finding.rule,
        severity=finding.severity.value,
        file=finding.file or file,
        element=finding.element or "",
        line=finding.line,
        message=render_stored("finding", finding.rule, language, finding.parameters),
    )


def problem_of(remark: Remark, language: Language) -> Problem:
    """Return a remark on a folder in the words of a language."""
    return Problem(
        rule=remark.rule,
        severity=remark.severity.value,
        file=remark.file,
        element=remark.element,
        line=remark.line,
        message=render_stored(
            remark.kind, remark.rule, language, {"line": remark.line, **remark.parameters}
        ),
    )


def _loading_fault(files: Mapping[str, bytes], language: Language) -> Problem:
    """Return the first fault of a folder that cannot be loaded for sure."""
    try:
        load_folder(files)
    except LienThongError as exc:
        return _contradiction(exc, files, language)
    raise AssertionError("a folder without a model does not load")


def _contradiction(
    error: LienThongError, files: Mapping[str, bytes], language: Language
) -> Problem:
    """Return where and why loading refused the folder."""
    if not isinstance(error, ProcedureRefused):
        return _refused(error, DECLARATION, language)
    where = str(error.parameters["where"])
    reason = str(error.parameters["reason"])
    file, element, line = _place(where, files)
    if reason == "not_toml" and (found := _AT_LINE.search(error.message)):
        line = int(found[1])
    parameters = {key: str(value) for key, value in error.parameters.items()}
    message = render_stored("folder", reason, language, parameters)
    return Problem(
        rule=reason,
        severity=_BLOCKING,
        file=file,
        element=element,
        line=line,
        message=message if message != reason else error.message,
    )


def _place(where: str, files: Mapping[str, bytes]) -> tuple[str, str, int]:
    """Return file, element and line of `process.bpmn#task`, `forms/x.json` or `roles.tax.bind`."""
    file, _, element = where.partition("#")
    if element and file.endswith(".toml"):
        return (
            file,
            element,
            line_of(files.get(file, b"").decode(errors="replace").splitlines(), element),
        )
    if element:
        line = _line_with(files.get(file, b""), f'id="{element}"')
        return file, element, line
    if where in files or "/" in where or where in (MODEL, DECLARATION, PART_DECLARATION):
        return where, "", 1
    lines = files.get(DECLARATION, b"").decode(errors="replace").splitlines()
    return DECLARATION, where, line_of(lines, where)


def _line_with(content: bytes, text: str) -> int:
    lines = content.decode(errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, start=1) if text in line), 0)


def _refused(error: LienThongError, file: str, language: Language) -> Problem:
    sentence, _hint = render_error(error, language)
    return Problem(
        rule=error.code,
        severity=_BLOCKING,
        file=file,
        element=str(error.parameters.get("element", "")),
        line=int(str(error.parameters.get("line", 1))),
        message=f"{sentence} ({error.message})",
    )
