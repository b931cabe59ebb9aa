"""The decisions of a dossier as people read them: tables with the matched rows marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dossier.canonical import Json
from dossier.decision import DecisionRow, DecisionTable, DecisionTaken
from dossier.model import HistoryEntry

DECISION: Final = "decision_taken"  # kind of the history line that holds a record


def decision_of(entry: HistoryEntry) -> DecisionTaken:
    """Return the record of one history line; parts it does not hold are empty."""
    record = _mapping(entry.parameters.get("record"))
    return DecisionTaken(
        sequence=entry.sequence,
        at=entry.at,
        element_id=entry.element_id,
        name=str(record.get("decision") or ""),
        version=str(record.get("version") or ""),
        inputs={name: str(value) for name, value in _mapping(record.get("inputs")).items()},
        output=str(record.get("output") or ""),
        tables=tuple(_table(_mapping(one)) for one in _listed(record.get("tables"))),
        problems=tuple(_problem(one) for one in _listed(record.get("problems"))),
    )


def _table(table: Mapping[str, Json]) -> DecisionTable:
    return DecisionTable(
        title=str(table.get("element") or ""),
        hit_policy=str(table.get("hitPolicy") or ""),
        columns=tuple(str(one) for one in _listed(table.get("columns"))),
        rows=tuple(_row(_mapping(one)) for one in _listed(table.get("rows"))),
        output=str(table.get("output") or ""),
    )


def _row(row: Mapping[str, Json]) -> DecisionRow:
    number = row.get("number")
    return DecisionRow(
        number=number if isinstance(number, int) else 0,
        is_matched=row.get("isMatched") is True,
        cells=tuple(str(one) for one in _listed(row.get("cells"))),
    )


def _problem(problem: Json) -> str:
    return str(problem.get("code") if isinstance(problem, Mapping) else problem)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
