"""What can go wrong with services, external workers and the clients of the REST interface."""

from __future__ import annotations

from dossier.errors import Conflict, Denied, Misconfigured, Rejected, Unavailable


class ServiceNotConfigured(Misconfigured):
    """A procedure names a service that the node's configuration does not have."""

    code = "service_not_configured"


class ServiceUnanswered(Rejected):
    """A long call was taken by the service, and its answer did not come in time."""

    code = "service_unanswered"


class JobUnknown(Rejected):
    """There is no such job for this client."""

    code = "job_unknown"


class JobHeld(Conflict):
    """Another worker holds the job, or the lock has ended."""

    code = "job_held"


class JobAnswered(Conflict):
    """The job has been answered already, with something else."""

    code = "job_answered"


class JobFailed(Rejected):
    """The worker's answer is not sound, or its work failed as often as it may."""

    code = "job_failed"


class JobGone(Rejected):
    """The process does not want the job's answer any more."""

    code = "job_gone"


class TokenRefused(Denied):
    """The token is unknown, expired or revoked."""

    code = "token_refused"


class OperationDenied(Denied):
    """The token does not cover the operation."""

    code = "operation_denied"


class TokenUnknown(Rejected):
    """There is no such token, or it is revoked already."""

    code = "token_unknown"


class TokenPeriodRefused(Rejected):
    """A token lives from one day to two years and names what it may do."""

    code = "token_period_refused"


class RequestsTooMany(Unavailable):
    """The client asks more often than one client may."""

    code = "requests_too_many"
