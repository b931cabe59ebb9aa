"""What travels in the REST interface: requests are checked here, answers are shaped here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

Operation = Annotated[str, Field(min_length=1, max_length=64)]
Worker = Annotated[str, Field(min_length=1, max_length=100)]
Lock = Annotated[str, Field(max_length=64)]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]


class Strict(Schema):
    """A request in which nothing is ignored."""

    model_config = ConfigDict(extra="forbid")


class JobOut(Schema):
    """A job as lists show it."""

    id: UUID
    operation: str
    element: str = Field(description="BPMN element of the service task.")
    dossier: str = Field(description="Code of the dossier.")
    created: datetime
    attempts: int
    worker: str = Field(description="Who holds it; empty: nobody.")
    locked_until: datetime | None


class JobTaken(JobOut):
    """A job for the worker that took it."""

    lock: str = Field(description="Proves that the worker holds the job.")
    values: dict[str, Any] = Field(description="The mapped values of the call.")


class Jobs(Schema):
    """Open jobs, oldest first."""

    jobs: list[JobOut]


class JobsTaken(Schema):
    """The jobs that were taken."""

    jobs: list[JobTaken]


class Take(Strict):
    """Which jobs a worker wants."""

    worker: Worker
    operations: list[Operation] = Field(default_factory=list, max_length=100)
    limit: Annotated[int, Field(ge=1, le=100)] = 1
    lease_seconds: Seconds = Field(default=0, description="0: as configured.")


class Lease(Strict):
    """How long a worker keeps its job, from now on."""

    lock: Lock
    lease_seconds: Annotated[int, Field(ge=1, le=86_400)]


class Completion(Strict):
    """What came of a job; fractions travel as text."""

    lock: Lock = Field(default="", description="Empty for a long call.")
    values: dict[str, Any] = Field(default_factory=dict)


class Failure(Strict):
    """Why a job could not be done now."""

    lock: Lock = ""
    reason: Code = Field(description="A code, never text.")
    retry_seconds: Seconds = 60


class BusinessErrorIn(Strict):
    """An outcome that the model catches by an error boundary event."""

    lock: Lock = ""
    code: Code


class Outcome(Schema):
    """Whether this request changed anything."""

    changed: bool = Field(description="False: the same had been said before.")


class Start(Strict):
    """A dossier to be opened."""

    procedure: Annotated[str, Field(min_length=1, max_length=64)]
    subject: Annotated[str, Field(min_length=1, max_length=500)]
    addressee: Annotated[str, Field(max_length=35)] = ""


class DossierOut(Schema):
    """Where a dossier stands."""

    code: str
    procedure: str
    version: str
    subject: str
    status: int = Field(description="National status, 1 to 10.")
    open: bool
    opened: datetime
    due: datetime | None
    closed: datetime | None


class Problem(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    faults: list[dict[str, str]] | None = None
