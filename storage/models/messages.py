"""Tables of what travels: the outbox with its attempts, and the inbox."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from storage.models.columns import (
    counted,
    digest,
    fixed,
    instant,
    integer,
    json,
    maybe_instant,
    maybe_uuid,
    octets,
    uuid_key,
    words,
)


class OutgoingRow(models.Model):
    """A message that leaves, from the transition that sends it to the receipt."""

    id = uuid_key()
    agency = words()
    partner = words()
    message_id = fixed(128)
    message_type = words()
    dossier = maybe_uuid()
    dossier_code = words()
    instance = maybe_uuid()
    ref = words()
    conversation_id = fixed(36)
    request = json()
    created = instant()
    expires = instant()
    supersedes = words()
    superseded_by = words()
    state = fixed(12)
    attempts = integer()
    next_at = maybe_instant()
    hinted_at = instant()
    token = fixed(32)
    lease_owner = words()
    container_sha256 = digest()
    container_bytes = integer()
    receipt_sha256 = digest()
    receipt_outcome = words()
    receipt_code = words()
    receipt_time = maybe_instant()
    last_error = words()

    class Meta:
        db_table = "outbox"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "message_id"], name="outbox_message_id")
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="outbox_due", condition=Q(state="new")),
            models.Index(fields=["dossier"], name="outbox_dossier"),
            models.Index(
                fields=["partner"],
                name="outbox_held",
                condition=Q(state="new") & ~Q(token=""),
            ),
        ]


class PartnerCircuitRow(models.Model):
    """A partner that failed since it last answered."""

    partner = fixed(35, key=True)
    failures = integer()
    opened = maybe_instant()
    retry_at = maybe_instant()
    last_failure = instant()
    last_error = words()

    class Meta:
        db_table = "partner_circuit"


class WebhookRow(models.Model):
    """Somebody who is told of events."""

    name = fixed(64, key=True)
    url = words()
    secret_file = words()  # the secret itself is never stored
    kinds = json()  # kinds of events; empty: all
    agency = words()  # only events of this agency; empty: of all
    added = instant()

    class Meta:
        db_table = "webhook"


class WebhookEventRow(models.Model):
    """One event for one subscriber, from the commit that made it to a 2xx."""

    id = uuid_key()
    event = fixed(36)  # the same for all its subscribers
    webhook = fixed(64)
    kind = words()
    content = json()
    created = instant()
    state = fixed(12)  # new, sent, refused, parked
    attempts = integer()
    next_at = maybe_instant()
    token = fixed(32)
    last_error = words()

    class Meta:
        db_table = "webhook_event"
        indexes: ClassVar = [
            models.Index(fields=["next_at"], name="webhook_event_due", condition=Q(state="new")),
            models.Index(fields=["webhook", "created"], name="webhook_event_of"),
        ]


class AttemptRow(models.Model):
    """One try to deliver an outgoing message."""

    message = fixed(36)
    number = integer()
    started = instant()
    took_ms = integer()
    error = words()
    endpoint = words()

    class Meta:
        db_table = "attempt"
        indexes: ClassVar = [models.Index(fields=["message", "number"], name="attempt_message")]


class InboxRow(models.Model):
    """A message that was accepted: its receipt says so, for ever."""

    id = uuid_key()
    from_agency = words()
    to_agency = words()
    message_id = fixed(128)
    message_type = words()
    conversation_id = fixed(36)
    dossier_code = words()
    envelope = octets()
    container_sha256 = digest()
    receipt_sha256 = digest()
    received = instant()
    assurance = fixed(8)
    state = fixed(12)
    dossier = maybe_uuid()
    consumed_by = maybe_uuid()

    class Meta:
        db_table = "inbox"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["from_agency", "message_id"], name="inbox_message_id")
        ]
        indexes: ClassVar = [
            models.Index(fields=["received"], name="inbox_received", condition=Q(state="received")),
            models.Index(
                fields=["to_agency", "conversation_id"],
                name="inbox_buffered",
                condition=Q(state="buffered"),
            ),
            models.Index(fields=["dossier"], name="inbox_dossier"),
        ]


class ArrivalRow(models.Model):
    """Container and receipt of an accepted message until they are in the blob store."""

    id = counted()
    message = fixed(36, unique=True)  # of the inbox
    due = instant()  # when somebody may move it
    error = words()  # code; empty: to be moved
    container = octets()
    receipt = octets()

    class Meta:
        db_table = "arrival"


class EdxmlFileRow(models.Model):
    """A letter or status in edXML, as it travelled; what became of it."""

    id = uuid_key()
    direction = fixed(3)
    dialect = fixed(1)
    agency = words()
    organ = words()
    document_id = words()
    peer_ref = words()
    identity = digest()
    sha256 = digest()
    media_type = words()
    kind = fixed(12)
    state = fixed(12)
    status = fixed(2)
    message = maybe_uuid()
    dossier = maybe_uuid()
    repairs = json()
    at = instant()

    class Meta:
        db_table = "edxml_file"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["direction", "agency", "organ", "document_id", "identity", "state"],
                name="edxml_file_of_agency_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["document_id"], name="edxml_file_document"),
            models.Index(fields=["organ", "state"], name="edxml_file_state"),
        ]


class PortalSyncRow(models.Model):
    """What a national portal was told of one dossier."""

    id = counted()
    destination = words()
    dossier = fixed(36)
    told = integer()
    reference_id = words()
    reference_code = words()
    payload = json()
    attempts = integer()
    next_at = maybe_instant()
    last_error = words()
    at = instant()

    class Meta:
        db_table = "portal_sync"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["destination", "dossier"], name="portal_sync_once")
        ]
