"""What can go wrong where work is spread over processes."""

from __future__ import annotations

from dossier.errors import Unavailable


class WorkerLost(Unavailable):
    """A process that did a part of the work ended before its time."""

    code = "worker_lost"
