"""Use case: evaluate or show the decisions of DMN files, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from dossier.errors import Rejected
from dossier.texts import Language, render
from workflows.dmn.errors import DecisionInputRefused
from workflows.dmn.evaluate import Model, Outcome, failed_outcome, load_model
from workflows.dmn.journal import Problem, problem_of
from workflows.dmn.lint import lint
from workflows.dmn.record import json_text, record_of
from workflows.dmn.show import outline, table_lines
from workflows.expressions.values import decode_value

FILE_BYTES: Final = 8 * 1024 * 1024
INPUT_CHARS: Final = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The evaluated decisions, as JSON and as lines for people."""

    json: str
    lines: tuple[str, ...]
    is_sound: bool  # no decision has a problem


def evaluate_files(
    paths: Sequence[Path],
    *,
    decision: str | None,
    inputs: str,
    at: datetime,
    language: Language,
) -> Answer:
    """Return the outcome of one decision, or of all of the first file when none is named.

    `inputs` is a JSON object or the path of a file with one. Raise leaves of `workflows.dmn.errors`
    and `workflows.expressions.errors`.
    """
    model = load_model([_read(path) for path in paths])
    given = read_inputs(inputs)
    if decision:
        outcomes = [_evaluated(model, decision, given, at)]
    else:
        outcomes = list(model.evaluate_all(given, at=at))
    described = [_described(outcome, language) for outcome in outcomes]
    if decision:
        text = described[0]
    else:
        results = ", ".join(
            f"{json.dumps(o.name, ensure_ascii=False)}: {json_text(o.value)}" for o in outcomes
        )
        text = f'{{"results": {{{results}}}, "decisions": [{", ".join(described)}]}}'
    return Answer(
        json=_printable(text),
        lines=tuple(
            _printable(line) for outcome in outcomes for line in _explained(outcome, language)
        ),
        is_sound=not any(outcome.problems for outcome in outcomes),
    )


def _printable(text: str) -> str:
    """Return `text` with lone surrogates spelled as escapes, which JSON reads back."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _evaluated(model: Model, name: str, given: Mapping[str, object], at: datetime) -> Outcome:
    """Return the outcome; a breached limit is a problem of this decision, not of the others."""
    node = model.graph.named(name)
    try:
        return model.evaluate(name, given, at=at)
    except Rejected as exc:
        problem = problem_of(exc, node.element.name, node.element.line)
        return failed_outcome(node, problem)


def show_files(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the lines that show the elements of the first file, its tables drawn."""
    return tuple(outline(load_model([_read(path) for path in paths]).graph))


def lint_files(paths: Sequence[Path], *, language: Language) -> tuple[str, ...]:
    """Return one line for each finding of the DMN lint."""
    model = load_model([_read(path) for path in paths])
    return tuple(_finding(problem, language) for problem in lint(model))


def read_inputs(text: str) -> Mapping[str, object]:
    """Return the inputs of a JSON object, given as text or as the path of a file.

    Numbers keep their digits; the tagged forms of `encode_value` are taken too.
    """
    body = text if text.lstrip().startswith("{") else _read(Path(text)).decode("utf-8", "replace")
    if len(body) > INPUT_CHARS:
        raise _refused("at most 8 MiB of JSON")
    try:
        found = json.loads(
            body,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_distinct,
        )
    except (ValueError, ArithmeticError, RecursionError) as exc:
        raise _refused("a JSON object") from exc
    if not isinstance(found, dict):
        raise _refused("a JSON object")
    return found


def _distinct(pairs: list[tuple[str, object]]) -> object:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    if len(pairs) == 1 and isinstance(pairs[0][1], str) and pairs[0][0].startswith("$"):
        return decode_value({pairs[0][0]: pairs[0][1]})
    return found


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_BYTES + 1)
    except OSError as exc:
        raise _refused(f"a readable file {path}") from exc
    if len(content) > FILE_BYTES:
        raise _refused("a file of at most 8 MiB")
    return content


def _refused(expected: str) -> DecisionInputRefused:
    return DecisionInputRefused(f"expected {expected}, got something else", expected=expected)


def _described(outcome: Outcome, language: Language) -> str:
    record = record_of(outcome)
    rest = json.dumps(
        {
            "version": record["version"],
            "inputs": record["inputs"],
            "tables": record["tables"],
            "problems": [_problem(problem, language) for problem in outcome.problems],
            "hints": [_problem(hint, language) for hint in outcome.hints],
        },
        ensure_ascii=False,
    )
    name = json.dumps(outcome.name, ensure_ascii=False)
    return f'{{"decision": {name}, "result": {json_text(outcome.value)}, {rest[1:]}'


def _problem(problem: Problem, language: Language) -> dict[str, object]:
    return {
        "code": problem.code,
        "element": problem.element,
        "line": problem.line,
        "column": problem.column,
        "message": sentence(problem, language),
    }


def sentence(problem: Problem, language: Language) -> str:
    """Return what a problem says to people."""
    kind = {"dmn": "problem", "feel": "note"}.get(problem.code.partition("_")[0], "error")
    words: dict[str, str | int] = dict(problem.parameters)
    words |= {"line": problem.line, "column": problem.column}
    return render(kind, problem.code, language, **words)


def _explained(outcome: Outcome, language: Language) -> Iterator[str]:
    yield f"{outcome.name} = {json_text(outcome.value)}"
    for trace in outcome.traces:
        yield f"  {trace.element}"
        lines = table_lines(trace.table, matched=trace.matched, inputs=trace.inputs)
        yield from ("  " + line for line in lines)
    yield from _complaints(outcome.problems, language)


def _complaints(problems: Iterable[Problem], language: Language) -> Iterator[str]:
    for problem in problems:
        yield f"  ! {problem.element}, {problem.line}: {sentence(problem, language)}"


def _finding(problem: Problem, language: Language) -> str:
    return f"{problem.line}: {problem.element}: {sentence(problem, language)} [{problem.code}]"
