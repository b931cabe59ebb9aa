"""What can go wrong with jobs and with the processes that run them."""

from __future__ import annotations

from dossier.errors import Misconfigured, Rejected, Unavailable


class JobRefused(Rejected):
    """Redis holds a job that is none of ours: another name, or something else than one id."""

    code = "job_refused"


class SupervisorRunning(Misconfigured):
    """Another supervisor runs the workers of this node on this machine."""

    code = "supervisor_running"


class RedisNotStarted(Unavailable):
    """The node's own Redis did not come up."""

    code = "redis_not_started"
