"""Compare a model with the schema of BPMN 2.0 (OMG formal/2011-01-03).

The schema files are those that SpiffWorkflow ships; nothing is fetched. A violation is a finding
and no refusal: whatever execution depends on is refused by name in `reader` and `lint`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from threading import Lock
from typing import Final

from lxml import etree

from workflows.findings import Finding, Severity

_PACKAGE: Final = "SpiffWorkflow.bpmn.parser"
_MOST: Final = 20  # findings; one mistake often makes the schema complain many times


def schema_findings(root: etree._Element) -> list[Finding]:
    """Return what the schema has against a model, at most 20 findings."""
    schema, lock = _schema()
    with lock:  # the error log belongs to the schema object
        if schema.validate(root):
            return []
        log = schema.error_log
        errors = [(e.line, str(e.message)) for e in log]  # type: ignore[attr-defined]  # stub
    return [
        Finding(
            rule="schema",
            severity=Severity.ASSUME,
            line=line,
            parameters={"text": message.replace("{http://www.omg.org/spec/", "{")[:200]},
        )
        for line, message in errors[:_MOST]
    ]


@cache
def _schema() -> tuple[etree.XMLSchema, Lock]:
    """Return the schema, compiled once per process: that takes longer than a whole deployment."""
    with resources.as_file(resources.files(_PACKAGE) / "schema" / "BPMN20.xsd") as path:
        return etree.XMLSchema(file=str(path)), Lock()
