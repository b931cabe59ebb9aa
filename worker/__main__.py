"""`python -m worker`: the entry of the supervisor's process."""

from __future__ import annotations

import sys

from worker.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
