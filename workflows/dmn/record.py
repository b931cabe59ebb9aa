"""The record of a decision: version, inputs, matched rules and output, as JSON to keep and show.

An administrative decision must be explainable: this is what stays with the dossier.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from dossier.canonical import Json
from workflows.dmn.evaluate import Outcome
from workflows.dmn.journal import Problem, TableTrace
from workflows.expressions import numbers, printing
from workflows.expressions.errors import TextLimit
from workflows.expressions.runtime import Feel

RECORD_CHARS: Final = 20_000  # of one value; a longer one is marked as cut
RECORD_ROWS: Final = 200
CUT: Final = "…"


def record_of(outcome: Outcome) -> dict[str, Json]:
    """Return the record; its values are FEEL text, so that no number loses a digit."""
    return {
        "format": 1,
        "decision": outcome.name,
        "version": outcome.digest,
        "inputs": {name: shown(value) for name, value in outcome.inputs.items()},
        "output": shown(outcome.value),
        "tables": [_table(trace) for trace in outcome.traces],
        "problems": [_problem(problem) for problem in outcome.problems],
    }


def shown(value: Feel) -> str:
    """Return `value` as FEEL text, or a mark when it is longer than a record holds."""
    try:
        return printing.literal(value, chars=RECORD_CHARS)
    except TextLimit:
        return CUT


def _table(trace: TableTrace) -> dict[str, Json]:
    table = trace.table
    return {
        "element": trace.element,
        "table": table.id,
        "hitPolicy": table.hit_policy.value,
        "inputs": [
            {
                "label": column.label or column.expression.text.strip(),
                "value": shown(value),
            }
            for column, value in zip(table.inputs, trace.inputs, strict=True)
        ],
        "matched": [
            {
                "number": index + 1,
                "id": table.rules[index].id,
                "annotations": list(table.rules[index].annotations),
            }
            for index in trace.matched
        ],
        "columns": [
            *(column.label or column.expression.text.strip() for column in table.inputs),
            *(column.label or column.name or trace.element for column in table.outputs),
            *table.annotations,
        ],
        "rows": _rows(trace),
        "output": shown(trace.output),
    }


def _rows(trace: TableTrace) -> list[Json]:
    """Return the rows to draw: all of them, or the matched ones alone of a very long table."""
    rules = trace.table.rules
    shown_ones = range(len(rules)) if len(rules) <= RECORD_ROWS else trace.matched
    return [
        {
            "number": index + 1,
            "isMatched": index in trace.matched,
            "cells": [
                *(test.text.strip() or "-" for test in rules[index].tests),
                *(output.text.strip() for output in rules[index].outputs),
                *rules[index].annotations,
            ],
        }
        for index in shown_ones
    ]


def _problem(problem: Problem) -> dict[str, Json]:
    return {
        "code": problem.code,
        "element": problem.element,
        "line": problem.line,
        "column": problem.column,
        "parameters": dict(problem.parameters),
    }


def json_text(value: Feel) -> str:
    """Return a FEEL value as JSON: numbers to the digit, temporal values and ranges as texts."""
    return "".join(_pieces(value))


def _pieces(value: Feel) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, Decimal):
        yield numbers.text_of(value)
    elif isinstance(value, list):
        yield from _joined("[", (_pieces(item) for item in value), "]")
    elif isinstance(value, Mapping):
        yield from _joined("{", (_entry(name, item) for name, item in value.items()), "}")
    else:
        yield json.dumps(printing.text_of(value), ensure_ascii=False)


def _entry(name: str, value: Feel) -> Iterator[str]:
    yield json.dumps(name, ensure_ascii=False) + ": "
    yield from _pieces(value)


def _joined(opening: str, parts: Iterator[Iterator[str]], closing: str) -> Iterator[str]:
    yield opening
    for index, part in enumerate(parts):
        yield ", " if index else ""
        yield from part
    yield closing
