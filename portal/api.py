"""The REST interface for programs, under /api/v1: jobs of service tasks, and dossiers.

docs/reference/rest.md is written from its OpenAPI document, which stands at /api/v1/openapi.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Header, NinjaAPI, Path, Query, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from dossier.canonical import Json
from dossier.errors import LienThongError
from dossier.model import Dossier
from exchange import jobs, rest_dossiers, tokens
from exchange.jobs import Job
from exchange.rates import Rates
from exchange.service_errors import JobGone, RequestsTooMany, TokenRefused
from exchange.tokens import Client
from portal import api_shapes as shapes
from portal.errors import RequestRefused, status_of
from portal.pages import node_of
from portal.problems import problem

MOST_A_MINUTE: Final = 1_200  # requests of one client, in each process of the server
_REFUSALS: Final = frozenset({401, 403, 404, 409, 410, 413, 422, 429, 503})
_STATUSES: Final = (
    (TokenRefused, HTTPStatus.UNAUTHORIZED),
    (JobGone, HTTPStatus.GONE),
    (RequestsTooMany, HTTPStatus.TOO_MANY_REQUESTS),
)
_ANSWERS: Final[dict[Any, Any]] = {_REFUSALS: shapes.Problem}


class Bearer(HttpBearer):
    """`Authorization: Bearer lt_…`."""

    def __init__(self) -> None:
        super().__init__()
        self._rates = Rates(most=MOST_A_MINUTE)

    def authenticate(self, request: HttpRequest, token: str) -> Client:
        """Return who calls; raise `TokenRefused` or `RequestsTooMany`."""
        client = tokens.authenticate(node_of(request), token)
        self._rates.count(str(client.token))
        return client


api = NinjaAPI(
    title="Liên Thông",
    version="1",
    description="Jobs of service tasks and dossiers, for programs that hold a token.",
    docs_url=None,
    auth=Bearer(),
    urls_namespace="api",
)


def _client(request: HttpRequest) -> Client:
    client: Client = request.auth  # type: ignore[attr-defined]  # set by ninja
    return client


# --- Jobs ---------------------------------------------------------------------------------------


@api.get("/jobs", response={200: shapes.Jobs, **_ANSWERS}, tags=["jobs"])
def list_jobs(
    request: HttpRequest,
    operation: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006 - ninja copies it
    limit: Annotated[int, Query(ge=1, le=jobs.MOST_JOBS)] = 50,
) -> Mapping[str, object]:
    """List the open jobs that the token covers, whoever holds them."""
    found = jobs.listed(node_of(request), _client(request), operations=operation, limit=limit)
    return {"jobs": [_job(one) for one in found]}


@api.post("/jobs/lock", response={200: shapes.JobsTaken, **_ANSWERS}, tags=["jobs"])
def lock_jobs(request: HttpRequest, take: shapes.Take) -> Mapping[str, object]:
    """Take jobs that nobody holds; each is the worker's until its lease ends."""
    taken = jobs.lock(
        node_of(request),
        _client(request),
        operations=take.operations,
        worker=take.worker,
        lease_seconds=take.lease_seconds,
        limit=take.limit,
    )
    return {"jobs": [_job(one) for one in taken]}


@api.post("/jobs/{job}/lease", response={200: shapes.JobOut, **_ANSWERS}, tags=["jobs"])
def extend_lease(
    request: HttpRequest, job: Annotated[UUID, Path()], lease: shapes.Lease
) -> Mapping[str, object]:
    """Keep a job longer."""
    held = jobs.extend(
        node_of(request),
        _client(request),
        job,
        lock=lease.lock,
        lease_seconds=lease.lease_seconds,
    )
    return _job(held)


@api.post("/jobs/{job}/complete", response={200: shapes.Outcome, **_ANSWERS}, tags=["jobs"])
def complete_job(
    request: HttpRequest, job: Annotated[UUID, Path()], completion: shapes.Completion
) -> Mapping[str, object]:
    """Answer a job. The same answer again changes nothing; another one is a conflict."""
    values: Mapping[str, Json] = completion.values
    changed = jobs.complete(
        node_of(request), _client(request), job, lock=completion.lock, values=values
    )
    return {"changed": changed}


@api.post("/jobs/{job}/fail", response={200: shapes.Outcome, **_ANSWERS}, tags=["jobs"])
def fail_job(
    request: HttpRequest, job: Annotated[UUID, Path()], failure: shapes.Failure
) -> Mapping[str, object]:
    """Give a job back for another attempt; after the last one an incident is open."""
    again = jobs.fail(
        node_of(request),
        _client(request),
        job,
        lock=failure.lock,
        reason=failure.reason,
        retry_seconds=failure.retry_seconds,
    )
    return {"changed": again}


@api.post("/jobs/{job}/error", response={200: shapes.Outcome, **_ANSWERS}, tags=["jobs"])
def raise_bpmn_error(
    request: HttpRequest, job: Annotated[UUID, Path()], error: shapes.BusinessErrorIn
) -> Mapping[str, object]:
    """Answer a job with a business error that the model handles."""
    changed = jobs.raise_error(
        node_of(request), _client(request), job, lock=error.lock, code=error.code
    )
    return {"changed": changed}


# --- Dossiers -----------------------------------------------------------------------------------


@api.post(
    "/dossiers",
    response={200: shapes.DossierOut, 201: shapes.DossierOut, **_ANSWERS},
    tags=["dossiers"],
)
def start_dossier(
    request: HttpRequest,
    start: shapes.Start,
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key", max_length=200)] = "",
) -> Status[Mapping[str, object]]:
    """Open a dossier for the token's agency; an `Idempotency-Key` used before returns that one."""
    found, is_new = rest_dossiers.start(
        node_of(request),
        _client(request),
        procedure=start.procedure,
        subject=start.subject,
        addressee=start.addressee,
        key=idempotency_key,
    )
    return Status(201 if is_new else 200, _dossier(found))


@api.get("/dossiers/{code}", response={200: shapes.DossierOut, **_ANSWERS}, tags=["dossiers"])
def read_dossier(request: HttpRequest, code: str) -> Mapping[str, object]:
    """Return where a dossier of the token's agency stands."""
    return _dossier(rest_dossiers.read(_client(request), code))


def _job(job: Job) -> dict[str, object]:
    return asdict(job)


def _dossier(found: Dossier) -> dict[str, object]:
    return {
        "code": found.code,
        "procedure": found.procedure,
        "version": found.procedure_version,
        "subject": found.subject,
        "status": found.business.value,
        "open": found.is_open,
        "opened": found.opened,
        "due": found.due,
        "closed": found.closed,
    }


# --- Errors -------------------------------------------------------------------------------------


@api.exception_handler(LienThongError)
def _refused(request: HttpRequest, error: LienThongError) -> HttpResponse:
    named = (status for kind, status in _STATUSES if isinstance(error, kind))
    status = next(named, None) or status_of(error)
    response = problem(error, status=status)
    if "seconds" in error.parameters:
        response.headers["Retry-After"] = str(error.parameters["seconds"])
    return response


@api.exception_handler(ValidationError)
def _unsound(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        {"field": ".".join(str(part) for part in one["loc"]), "fault": str(one["type"])}
        for one in error.errors
    ]
    return problem(
        RequestRefused("expected a request as the OpenAPI document describes"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        faults=faults,
    )


@api.exception_handler(HttpError)
def _nameless(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what ninja itself refuses: no token at all, or a body that is no JSON."""
    if isinstance(error, AuthenticationError):
        return _refused(request, TokenRefused("expected a token"))
    refused = RequestRefused("expected a request as the OpenAPI document describes")
    return problem(refused, status=HTTPStatus(error.status_code))
