"""Tables of services: calls that leave or wait for an external worker, and who may answer them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from storage.models.columns import (
    digest,
    fixed,
    instant,
    integer,
    json,
    maybe_instant,
    owner,
    uuid_key,
    words,
)


class ServiceCallRow(models.Model):
    """One call that a service task asked for, until it is answered or withdrawn."""

    id = uuid_key()
    ref = words()
    instance = owner("storage.InstanceRow", column="instance")
    dossier = owner("storage.DossierRow", column="dossier")
    agency = words()
    element_id = words()
    operation = words()
    inputs = json()
    request = json()
    state = fixed(10)
    attempts = integer()
    next_at = maybe_instant()
    created = instant()
    token = fixed(32)
    lease_owner = words()
    worker = words()
    last_error = words()
    answered = maybe_instant()
    answer_sha256 = digest()

    class Meta:
        db_table = "service_call"
        constraints: ClassVar = [models.UniqueConstraint(fields=["ref"], name="service_call_ref")]
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"],
                name="service_call_due",
                condition=Q(state="new") | Q(state="sent"),
            ),
            models.Index(
                fields=["agency", "operation"],
                name="service_call_offered",
                condition=Q(state="offered"),
            ),
            models.Index(fields=["dossier"], name="service_call_dossier"),
        ]


class RestTokenRow(models.Model):
    """A client of the REST interface; the token itself is known to the client alone."""

    id = uuid_key()
    name = words()
    agency = words()
    operations = json()
    token_sha256 = digest()
    issued = instant()
    issued_by = words()
    expires = instant()
    revoked = maybe_instant()
    revoked_by = words()
    last_used = maybe_instant()

    class Meta:
        db_table = "rest_token"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token_sha256"], name="rest_token_sha256")
        ]
