"""Rules about processes and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.findings import Finding, Severity
from workflows.graph import Model


def something_to_run(model: Model) -> Iterator[Finding]:
    """A file needs at least one process with a node."""
    if not any(process.nodes for process in model.processes.values()):
        yield Finding(rule="nothing_to_run", severity=Severity.ERROR, line=1)
