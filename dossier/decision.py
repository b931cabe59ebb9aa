"""A decision of the process as people read it: what went in, which rules matched, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionRow:
    """One rule of a decision table as it was when the decision was taken."""

    number: int
    is_matched: bool
    cells: tuple[str, ...]  # FEEL text, in the order of the table's columns


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionTable:
    """A table that took part in a decision."""

    title: str
    hit_policy: str
    columns: tuple[str, ...]
    rows: tuple[DecisionRow, ...]
    output: str  # FEEL text


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionTaken:
    """A decision of the process, explained: what went in, which rules matched, what came out."""

    sequence: int  # of its line in the history
    at: datetime
    element_id: str
    name: str
    version: str  # digest of the decision file
    inputs: Mapping[str, str]  # name → FEEL text
    output: str
    tables: tuple[DecisionTable, ...]
    problems: tuple[str, ...]  # codes; a decision with problems was not used
