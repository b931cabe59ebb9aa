"""Tables of running instances: snapshot, facts waiting for them, tasks, subscriptions, timers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from storage.models.columns import (
    counted,
    digest,
    fixed,
    flag,
    instant,
    integer,
    json,
    maybe_instant,
    maybe_integer,
    octets,
    owner,
    uuid_key,
    words,
)


class InstanceRow(models.Model):
    """One run of one pool; the lease columns and `hinted_at` stay out of every index."""

    id = uuid_key()
    dossier = owner("storage.DossierRow", column="dossier")
    agency = words()
    definition_sha256 = digest()
    role = words()
    version = integer()
    status = fixed(8)
    snapshot = octets()  # as the engine makes it (compressed), empty before the start
    ready_at = maybe_instant()
    attempts = integer()
    hinted_at = instant()
    lease_owner = words()
    lease_token = fixed(32)
    lease_until = instant()
    opened = instant()
    closed = maybe_instant()

    class Meta:
        db_table = "instance"
        indexes: ClassVar = [
            models.Index(fields=["ready_at"], name="instance_ready", condition=Q(status="ready")),
            models.Index(fields=["dossier"], name="instance_dossier"),
        ]


class FactRow(models.Model):
    """Something that happened to an instance and that a worker has applied or will apply."""

    id = counted()
    instance = owner("storage.InstanceRow", column="instance")
    kind = fixed(16)
    ref = words()
    payload = json()
    actor = words()
    on_behalf_of = words()
    at = instant()
    applied_version = maybe_integer()

    class Meta:
        db_table = "fact"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instance", "kind", "ref"], name="fact_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["instance", "id"], name="fact_unapplied", condition=Q(applied_version=None)
            )
        ]


class TaskRow(models.Model):
    """Human work that an instance waits for."""

    id = uuid_key()
    token = words()
    dossier = owner("storage.DossierRow", column="dossier")
    instance = owner("storage.InstanceRow", column="instance")
    agency = words()
    element_id = words()
    name = json()
    role = fixed(32)
    unit = words()
    form = words()
    signs = words()
    register = words()
    documents_in = json()
    documents_out = json()
    locals = json()
    state = fixed(12)
    opened = instant()
    due = maybe_instant()
    due_trail = json()
    claimed_by = words()
    completed_by = words()
    completed = maybe_instant()
    candidates = json()
    escalated = flag()
    remind_at = maybe_instant()
    reminded = integer()

    class Meta:
        db_table = "task"
        constraints: ClassVar = [models.UniqueConstraint(fields=["token"], name="task_token")]
        indexes: ClassVar = [
            models.Index(fields=["dossier"], name="task_dossier"),
            models.Index(fields=["instance"], name="task_instance"),
            models.Index(
                fields=["agency", "role", "due"], name="task_open", condition=Q(state="open")
            ),
            models.Index(fields=["remind_at"], name="task_remind", condition=Q(state="open")),
            models.Index(
                fields=["agency"],
                name="task_named",
                condition=Q(state="open") & ~Q(candidates="[]"),
            ),
            models.Index(
                fields=["agency"], name="task_raised", condition=Q(state="open", escalated=True)
            ),
        ]


class SubscriptionRow(models.Model):
    """What an instance waits for from outside."""

    instance = owner("storage.InstanceRow", column="instance")
    ref = words()
    kind = fixed(12)
    name = words()
    from_agency = words()
    agency = words()
    dossier_code = words()
    conversation_id = fixed(36)
    element_id = words()
    opened = instant()

    class Meta:
        db_table = "subscription"
        constraints: ClassVar = [models.UniqueConstraint(fields=["ref"], name="subscription_ref")]
        indexes: ClassVar = [
            models.Index(fields=["conversation_id"], name="subscription_conversation"),
            models.Index(fields=["kind", "name"], name="subscription_name"),
            models.Index(fields=["instance"], name="subscription_instance"),
        ]


class SilenceRow(models.Model):
    """What the silence of a consulted agency means; the timer of the same ref says when."""

    ref = words()
    instance = owner("storage.InstanceRow", column="instance")
    dossier = owner("storage.DossierRow", column="dossier")
    element_id = words()
    policy = fixed(12)
    citation = words()
    confirmed = flag()
    result = words()
    question = words()
    awaits = json()
    span = words()
    opened = instant()
    due = instant()
    decided = maybe_instant()
    outcomes = json()
    late = json()
    remind_at = maybe_instant()
    reminded = integer()

    class Meta:
        db_table = "silence"
        constraints: ClassVar = [models.UniqueConstraint(fields=["ref"], name="silence_ref")]
        indexes: ClassVar = [
            models.Index(fields=["dossier"], name="silence_dossier"),
            models.Index(fields=["remind_at"], name="silence_remind", condition=Q(decided=None)),
        ]


class TimerRow(models.Model):
    """An instant at which an instance wants to be told."""

    instance = owner("storage.InstanceRow", column="instance")
    ref = words()
    due = instant()
    fired = flag()

    class Meta:
        db_table = "timer"
        constraints: ClassVar = [models.UniqueConstraint(fields=["ref"], name="timer_ref")]
        indexes: ClassVar = [
            models.Index(fields=["due"], name="timer_due", condition=Q(fired=False)),
            models.Index(fields=["instance"], name="timer_instance"),
        ]


class StartEventRow(models.Model):
    """When a timer start event opens the next dossier at one agency, or which signal does."""

    procedure = words()
    agency = words()
    element_id = words()
    package_sha256 = digest()
    signal = words()
    armed = instant()
    due = maybe_instant()
    fired = integer()

    class Meta:
        db_table = "start_event"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["procedure", "agency", "element_id"], name="start_event_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["due"], name="start_event_due"),
            models.Index(fields=["signal"], name="start_event_signal"),
        ]
