"""A pytest plugin: `--outcomes FILE` writes {test id: passed | failed | skipped} as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_RANK = {"passed": 0, "skipped": 1, "failed": 2}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--outcomes", type=Path, help="write each test's outcome to this JSON file")


def pytest_configure(config: pytest.Config) -> None:
    """Listen in the controlling process only: it hears the reports of every worker."""
    path = config.getoption("--outcomes")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Outcomes(path))


class _Outcomes:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._keep_worst(report.nodeid, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self._keep_worst(report.nodeid, report.outcome)

    def pytest_sessionfinish(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._outcomes, indent=1, sort_keys=True))

    def _keep_worst(self, test: str, outcome: str) -> None:
        before = self._outcomes.get(test, "passed")
        self._outcomes[test] = max(before, outcome, key=_RANK.__getitem__)
