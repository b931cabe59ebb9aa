"""Whatever dies, every dossier reaches its end, and nothing happens twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from exchange.node import Node
from tests.builders import chaos
from tests.chaos.invariants import violations
from tests.chaos.storm import Storm

SEED = 20220411
SECONDS = 8.0


def test_nothing_is_lost_and_nothing_done_twice(storm_node: Node, tmp_path: Path) -> None:
    chaos.clear_work()
    storm = Storm(storm_node, folder=tmp_path, seed=SEED, probability=0.004)
    storm.rage(seconds=SECONDS, batch=24)
    storm.report.violations += violations(storm_node, pairs=storm.report.pairs)
    sys.stderr.write(storm.report.line() + "\n")
    assert storm.report.violations == [], json.dumps(storm.report.violations, indent=2)
    assert storm.report.faults["kill_worker"] > 0
    assert storm.report.pairs >= 6
