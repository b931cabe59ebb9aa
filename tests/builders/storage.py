"""Builds what rows are made of, and the node that this test process is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection
from django.db import transaction as django_transaction

from dossier.envelope import Assurance, Contract, Envelope, Urgency
from dossier.ids import AgencyCode, ConversationId, MessageId, Sha256
from dossier.model import Business, Delivery, Dossier, HistoryEntry, Money, Role, Task, TaskState
from exchange.boot import boot
from exchange.settings import settings
from storage import dossiers, facts, instances, schema
from storage.transactions import transaction

AT = datetime(2022, 4, 11, 2, 0, tzinfo=UTC)
SENDER = AgencyCode("H28")
RECEIVER = AgencyCode("H08")
CONTRACT = Sha256("c0" * 32)
SALT = bytes(32)


def boot_node(*, home: Path, database_url: str) -> None:
    """Make this process a node in `home` and bring its database up to date."""
    os.environ["LIENTHONG_HOME"] = str(home)
    os.environ["LIENTHONG_DATABASE_URL"] = database_url
    settings.cache_clear()
    boot()
    schema.migrate()


def empty_database() -> None:
    """Delete every row of ours."""
    tables = [model._meta.db_table for model in apps.get_app_config("storage").get_models()]
    with django_transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")


def dossier(
    *,
    agency: AgencyCode = SENDER,
    code: str = "H28-220411-0001",
    due: datetime | None = None,
    opened: datetime = AT,
    is_open: bool = True,
) -> Dossier:
    """Return a dossier of procedure P8 at the beginning."""
    return Dossier(
        id=uuid4(),
        agency=agency,
        code=code,
        conversation_id=ConversationId(str(uuid4())),
        procedure="p8_official_letter",
        procedure_version="1",
        contract_sha256=CONTRACT,
        role="sender",
        subject="Đề nghị học tập kinh nghiệm",
        business=Business.ACCEPTED,
        money=Money.NONE_DUE,
        delivery=Delivery.NOT_READY,
        is_open=is_open,
        opened=opened,
        closed=None,
        due=due,
        bindings={"sender": SENDER, "receiver": RECEIVER},
        rule_pack="vn-2022",
        directory_number=1,
    )


def task(
    of: Dossier,
    instance: UUID,
    *,
    number: int = 1,
    role: Role = Role.SPECIALIST,
    unit: str = "",
    due: datetime | None = None,
    claimed_by: str = "",
) -> Task:
    """Return an open task of an instance."""
    return Task(
        id=uuid4(),
        dossier=of.id,
        instance=instance,
        token=f"{instance}:{number}",
        agency=of.agency,
        element_id="Draft",
        name={"vi": "Soạn công văn", "en": "Draft the letter"},
        role=role,
        unit=unit,
        form="draft",
        signs="",
        register="",
        documents_in=(),
        documents_out=("letter",),
        state=TaskState.OPEN,
        opened=AT,
        due=due,
        due_trail=None,
        claimed_by=claimed_by,
        completed_by="",
        completed=None,
    )


def entry(sequence: int, *, kind: str = "task_completed") -> HistoryEntry:
    """Return one line of a history."""
    return HistoryEntry(
        sequence=sequence,
        at=AT,
        kind=kind,
        element_id="Draft",
        actor="an",
        on_behalf_of="",
        parameters={"name": "Nguyễn"},
    )


def envelope(
    *, conversation_id: str = "", number: int = 1, message_type: str = "study-visit-request"
) -> Envelope:
    """Return the envelope of a message from H28 to H08."""
    return Envelope(
        message_id=MessageId(f"abcdefgh-{'0' * 31}1-{number}-H08"),
        from_agency=SENDER,
        to_agency=RECEIVER,
        conversation_id=ConversationId(conversation_id or str(uuid4())),
        dossier_code="H28-220411-0001",
        contract=Contract(procedure="p8_official_letter", version="1", sha256=CONTRACT),
        message_type=message_type,
        subject="Đề nghị học tập kinh nghiệm",
        urgency=Urgency.NORMAL,
        issued=AT,
        expires=AT + timedelta(days=3),
        assurance=Assurance.SEALED,
        manifest=(),
    )


def store_instances(count: int = 1, *, at: datetime = AT) -> Sequence[UUID]:
    """Store that many ready instances, each with a dossier and a start fact of its own."""
    made = []
    with transaction():
        for number in range(count):
            of = dossier(code=f"H28-220411-{number + 1:04}")
            dossiers.add(of, log_salt=SALT)
            new = instances.NewInstance(
                id=uuid4(),
                dossier=of.id,
                agency=of.agency,
                definition_sha256=CONTRACT,
                role="sender",
                opened=at,
            )
            instances.add(new)
            facts.add(
                facts.NewFact(
                    instance=new.id,
                    kind=facts.FactKind.START,
                    ref="start",
                    payload={},
                    actor="an",
                    on_behalf_of="",
                    at=at,
                )
            )
            made.append(new.id)
    return made
