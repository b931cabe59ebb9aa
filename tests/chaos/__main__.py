"""`python -m tests.chaos --seconds 600`: a longer storm, with a seed to come back to."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

from exchange.boot import boot
from exchange.wiring import node
from tests.builders import chaos
from tests.builders.postgresql import postgresql_cluster
from tests.chaos.invariants import violations
from tests.chaos.storm import Storm


def main() -> int:
    """Run a storm and print its closing line; 0 only without a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--batch", type=int, default=40)
    parser.add_argument("--probability", type=float, default=0.004)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    given = parser.parse_args()
    sys.stderr.write(f"seed {given.seed}\n")
    with tempfile.TemporaryDirectory(prefix="lt-storm-") as folder:
        root = Path(folder)
        if given.database == "postgresql":
            with postgresql_cluster(durable=True) as url:
                return _rage(root, url, given)
        return _rage(root, f"sqlite:///{root}/storm.sqlite", given)


def _rage(root: Path, database_url: str, given: argparse.Namespace) -> int:
    chaos.lay_out_storm(root, database_url=database_url)
    os.environ["LIENTHONG_HOME"] = str(root)
    os.environ["LIENTHONG_NODE"] = chaos.NODE
    boot()
    chaos.fill_storm()
    storm = Storm(node(), folder=root, seed=given.seed, probability=given.probability)
    storm.rage(seconds=given.seconds, batch=given.batch)
    storm.report.violations += violations(node(), pairs=storm.report.pairs)
    print(storm.report.line())  # noqa: T201 - the closing line of a command
    return 1 if storm.report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
