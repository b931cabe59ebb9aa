"""Use case: play one scenario on a model or a folder and return the trace of what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dossier.canonical import Json
from exchange.procedures.folder import read_beside, read_folder
from workflows import papers
from workflows.bare import bare_procedure
from workflows.commands import OpenTask
from workflows.package import DECLARATION, MODEL, load_folder
from workflows.parts import PART_DECLARATION
from workflows.play import Trace
from workflows.procedure import Procedure
from workflows.quietplay import Sent
from workflows.rows import Run
from workflows.scenario import Mismatch, Result, run
from workflows.scenariofile import parse_scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """What one scenario did, as JSON and as lines for people."""

    document: Mapping[str, Json]
    lines: tuple[str, ...]
    passed: bool


def trace(path: Path, *, scenario: Path) -> Traced:
    """Play the scenario file on a BPMN file or a procedure folder.

    A BPMN file in a procedure folder is played with its folder. Raise the refusals of
    `load_folder`, `bare_procedure` and `parse_scenario`; a step that fails is in the answer.
    """
    procedure = _procedure(path)
    result = run(procedure, parse_scenario(scenario.read_bytes(), procedure=procedure))
    return Traced(
        document=_document(procedure, result),
        lines=tuple(_lines(result)),
        passed=result.passed,
    )


def _document(procedure: Procedure, result: Result) -> dict[str, Json]:
    """Return the trace as plain JSON."""
    return {
        "procedure": procedure.code,
        "version": procedure.version,
        "digest": procedure.digest,
        "passed": result.passed,
        "steps": result.steps,
        "mismatches": [_mismatch(one) for one in result.mismatches],
        "trace": [_line(one) for one in result.trace],
        "messages": [_message(one) for one in result.sent],
        "tasks": [_task(run, task) for run in result.runs.values() for task in run.tasks.values()],
        "instances": {role: _instance(run) for role, run in result.runs.items() if run.is_started},
    }


def _lines(result: Result) -> Iterator[str]:
    for line in result.trace:
        yield f"{line.at.isoformat()} {line.role} {line.event.value} {line.element_id}"
    for one in result.mismatches:
        yield f"line {one.line}: {one.what}: {one.expected} ≠ {one.actual}"


def _procedure(path: Path) -> Procedure:
    if path.is_dir():
        return load_folder(read_folder(path))
    declared = any((path.parent / one).is_file() for one in (DECLARATION, PART_DECLARATION))
    if declared and path.name == MODEL:
        return load_folder(read_folder(path.parent))
    return bare_procedure(path.read_bytes(), code=path.stem, parts=read_beside(path))


def _mismatch(one: Mismatch) -> Json:
    return {
        "step": one.step,
        "line": one.line,
        "what": one.what,
        "expected": one.expected,
        "actual": one.actual,
    }


def _line(line: Trace) -> Json:
    return {
        "at": line.at.isoformat(),
        "role": line.role,
        "element": line.element_id,
        "event": line.event.value,
    }


def _message(sent: Sent) -> Json:
    return {
        "at": sent.at.isoformat(),
        "type": sent.message_type,
        "from": sent.from_role,
        "to": sent.to_role,
        "documents": list(sent.documents),
        "values": papers.json_values(sent.values),
    }


def _task(run: Run, task: OpenTask) -> Json:
    return {"role": run.role, "element": task.element_id, "form": task.form}


def _instance(run: Run) -> Json:
    return {
        "state": run.outcome or "running",
        "status": run.status,
        "waiting": [wait.element_id for wait in run.waits.values()],
        "incidents": [one.element_id for one in run.incidents.values()],
        "values": papers.json_values(run.values),
    }
