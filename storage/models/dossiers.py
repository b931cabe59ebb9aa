"""Tables of dossiers: the dossier, its values, pauses, documents, history and incidents."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from storage.models.columns import (
    digest,
    fixed,
    flag,
    instant,
    integer,
    json,
    maybe_instant,
    maybe_uuid,
    octets,
    owner,
    uuid_key,
    words,
)


class DossierRow(models.Model):
    """One dossier as one agency of this node holds it."""

    id = uuid_key()
    agency = words()
    code = words()
    conversation_id = fixed(36)
    procedure = words()
    procedure_version = words()
    contract_sha256 = digest()
    role = words()
    subject = words()
    business = integer()
    money = fixed(16)
    delivery = fixed(16)
    is_open = flag()
    opened = instant()
    closed = maybe_instant()
    due = maybe_instant()
    due_trail = json()
    remind_at = maybe_instant()
    reminded = integer()
    bindings = json()
    rule_pack = words()
    directory_number = integer()
    log_salt = octets()
    log_sequence = integer()  # of the last history row
    log_head = octets()  # its chain hash, empty before the first

    class Meta:
        db_table = "dossier"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "code"], name="dossier_code")
        ]
        indexes: ClassVar = [
            models.Index(fields=["conversation_id"], name="dossier_conversation"),
            models.Index(fields=["agency", "-opened"], name="dossier_opened"),
            models.Index(
                fields=["agency", "due"], name="dossier_open_due", condition=Q(is_open=True)
            ),
            models.Index(fields=["remind_at"], name="dossier_remind", condition=Q(is_open=True)),
        ]


class NoticeRow(models.Model):
    """Something that one person is told in the portal until they dismiss it."""

    once = words()  # what it is about, so that nobody is told twice
    username = words()
    kind = fixed(24)
    dossier = owner("storage.DossierRow", column="dossier")
    task = maybe_uuid()
    element_id = words()
    parameters = json()
    created = instant()
    dismissed = maybe_instant()

    class Meta:
        db_table = "notice"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["username", "once"], name="notice_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["username", "created"], name="notice_open", condition=Q(dismissed=None)
            ),
            models.Index(fields=["dossier"], name="notice_dossier"),
        ]


class CaseValueRow(models.Model):
    """One named value of a dossier, with a version of its own: other names never conflict."""

    dossier = owner("storage.DossierRow", column="dossier")
    scope = words()
    name = words()
    content = json()
    version = integer()

    class Meta:
        db_table = "case_value"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dossier", "scope", "name"], name="case_value_name")
        ]


class PauseRow(models.Model):
    """A stretch in which the dossier's clock stands still."""

    dossier = owner("storage.DossierRow", column="dossier")
    token = words()
    basis = words()
    started = instant()
    ended = maybe_instant()

    class Meta:
        db_table = "pause"
        indexes: ClassVar = [models.Index(fields=["dossier"], name="pause_dossier")]


class DocumentRow(models.Model):
    """One file of a dossier; its bytes are a blob."""

    id = uuid_key()
    dossier = owner("storage.DossierRow", column="dossier")
    task = maybe_uuid()
    name = words()
    media_type = words()
    kind = words()
    sha256 = digest()
    size_bytes = integer()
    origin = fixed(16)
    added = instant()
    added_by = words()

    class Meta:
        db_table = "document"
        indexes: ClassVar = [models.Index(fields=["dossier", "added"], name="document_dossier")]


class DocumentSignatureRow(models.Model):
    """A person's signature over a document, itself a blob."""

    document = owner("storage.DocumentRow", column="document")
    sha256 = digest()
    signer = words()
    role = words()
    at = instant()

    class Meta:
        db_table = "document_signature"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "sha256"], name="document_signature_once")
        ]


class HistoryRow(models.Model):
    """One line of what happened to a dossier, chained to the one before."""

    dossier = owner("storage.DossierRow", column="dossier")
    sequence = integer()
    instance = maybe_uuid()
    at = instant()
    kind = words()
    element_id = words()
    actor = words()
    on_behalf_of = words()
    parameters = json()
    leaf = octets()
    opening = octets()
    chain_hash = octets()

    class Meta:
        db_table = "history"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dossier", "sequence"], name="history_sequence")
        ]


class IncidentRow(models.Model):
    """Something that a person must look at."""

    id = uuid_key()
    code = words()
    parameters = json()
    dossier = maybe_uuid()
    instance = maybe_uuid()
    message = maybe_uuid()
    element_id = words()
    ref = words()  # the engine's token, where one stopped
    opened = instant()
    resolved = maybe_instant()
    resolved_by = words()

    class Meta:
        db_table = "incident"
        indexes: ClassVar = [
            models.Index(fields=["opened"], name="incident_open", condition=Q(resolved=None)),
            models.Index(fields=["dossier"], name="incident_dossier"),
            models.Index(fields=["instance"], name="incident_instance"),
            models.Index(fields=["message"], name="incident_message"),
        ]
