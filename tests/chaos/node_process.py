"""The node's supervisor with faults armed: a process dies at named points with some probability.

Started by the storm as `python -m tests.chaos.node_process PROBABILITY BOOK`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.chaos.faults import RandomDeath, arm, make_partner_unruly
from worker.run import main

_UNRULY_SHARE = 0.15

if __name__ == "__main__":
    book = Path(sys.argv[2])
    make_partner_unruly(_UNRULY_SHARE, book)
    arm(RandomDeath(float(sys.argv[1]), book))
    sys.exit(main([]))
