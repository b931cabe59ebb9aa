"""Dossiers, their values, documents, tasks and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from dossier.ids import Sha256
from dossier.model import Business, Document, DocumentOrigin, Dossier, TaskState
from storage import (
    agencies,
    cases,
    definitions,
    directory,
    documents,
    dossiers,
    incidents,
    registers,
    schema,
    tasks,
    timers,
)
from storage.errors import RowConflict, RowMissing, VersionConflict
from storage.transactions import after_commit, database_instant, transaction
from tests.builders.storage import AT, CONTRACT, SALT, SENDER, dossier, store_instances, task

pytestmark = pytest.mark.usefixtures("database")


def _stored(**changes: object) -> Dossier:
    of = replace(dossier(), **changes)  # type: ignore[arg-type]  # the caller's business
    dossiers.add(of, log_salt=SALT)
    return of


def test_a_dossier_is_found_as_it_was_stored() -> None:
    of = _stored(due=AT + timedelta(days=3))
    assert dossiers.get(of.id) == of
    assert dossiers.find(SENDER, of.code) == of
    assert dossiers.find_code(of.code, agencies=["H08", "H28"]) == of
    assert dossiers.find_code(of.code, agencies=["H08"]) is None
    assert dossiers.find_conversation(SENDER, of.conversation_id) == of
    assert dossiers.load([of.id, uuid4()]) == {of.id: of}


def test_an_unknown_dossier_is_missing() -> None:
    with pytest.raises(RowMissing):
        dossiers.get(uuid4())


def test_only_what_is_given_changes() -> None:
    of = _stored()
    dossiers.update(of.id, business=Business.IN_PROCESS)
    dossiers.update(of.id, is_open=False, closed=AT)
    expected = replace(of, business=Business.IN_PROCESS, is_open=False, closed=AT)
    assert dossiers.get(of.id) == expected


def test_the_due_instant_comes_with_its_explanation() -> None:
    of = _stored()
    dossiers.set_due(of.id, AT, [{"step": "cutoff"}])
    assert dossiers.get(of.id).due == AT
    assert dossiers.due_trail(of.id) == [{"step": "cutoff"}]


def test_a_pause_ends_once() -> None:
    of = _stored()
    pause = dossiers.Pause(dossier=of.id, token="i:1", basis="supplement", started=AT, ended=None)
    dossiers.start_pause(pause)
    dossiers.end_pause(of.id, "i:1", AT + timedelta(hours=1))
    dossiers.end_pause(of.id, "i:1", AT + timedelta(hours=2))
    assert dossiers.pauses(of.id) == [replace(pause, ended=AT + timedelta(hours=1))]


def test_a_search_treats_wildcards_as_text() -> None:
    of = _stored(subject="100% trực tuyến")
    _stored(code="H28-220411-0002")
    chosen = dossiers.DossierFilter(agencies=(SENDER,), text="100%")
    assert dossiers.search(chosen) == [of]
    assert dossiers.count(dossiers.DossierFilter(agencies=(SENDER,), text="_")) == 0
    assert dossiers.count(dossiers.DossierFilter(agencies=())) == 0


def test_a_search_fits_all_its_fields() -> None:
    of = _stored(due=AT)
    chosen = dossiers.DossierFilter(
        agencies=(SENDER,),
        procedure=of.procedure,
        business=of.business,
        is_open=True,
        late_at=AT + timedelta(seconds=1),
    )
    assert dossiers.search(chosen) == [of]
    assert dossiers.search(replace(chosen, late_at=AT)) == []


def test_different_values_merge_and_the_same_conflicts() -> None:
    of = _stored()
    cases.write(of.id, {"name": "A"}, expected={})
    read = cases.versions(of.id)
    cases.write(of.id, {"street": "Lê Lợi"}, expected=read)
    cases.write(of.id, {"name": "B"}, expected=read)
    with pytest.raises(VersionConflict) as caught, transaction():
        cases.write(of.id, {"name": "C", "ward": 1}, expected=read)
    assert caught.value.parameters["names"] == "name"
    assert cases.values(of.id) == {"name": "B", "street": "Lê Lợi"}


def test_values_of_several_dossiers_come_at_once() -> None:
    one, other = _stored(), _stored(code="H28-220411-0002")
    cases.write(one.id, {"n": 1})
    cases.write(one.id, {"n": 2}, scope="branch")
    assert cases.all_values([one.id, other.id]) == {one.id: {"n": 1}, other.id: {}}


def test_the_newest_document_of_a_kind_counts_with_its_signatures() -> None:
    of = _stored()
    first = Document(
        id=uuid4(),
        dossier=of.id,
        name="công văn.pdf",
        media_type="application/pdf",
        kind="letter",
        sha256=CONTRACT,
        size_bytes=5,
        origin=DocumentOrigin.UPLOADED,
        added=AT,
        added_by="an",
    )
    second = replace(first, id=uuid4(), added=AT + timedelta(seconds=1))
    documents.add(first)
    documents.add(second)
    for _ in range(2):
        documents.add_signature(second.id, CONTRACT, signer="ba", role="approved", at=AT)
    assert documents.latest(of.id, "letter") == replace(second, signatures=(CONTRACT,))
    assert documents.latest(of.id, "other") is None
    assert len(documents.of_dossier(of.id)) == 2


def test_a_task_is_claimed_by_one_person_and_completed_once() -> None:
    (instance,) = store_instances()
    of = dossiers.find(SENDER, "H28-220411-0001")
    assert of is not None
    one = task(of, instance)
    tasks.open_tasks([tasks.NewTask(task=one, locals={"x": 1})])
    tasks.open_tasks([tasks.NewTask(task=replace(one, id=uuid4()), locals=None)])
    assert tasks.open_of_instance(instance) == [one]
    assert tasks.claim(one.id, username="an")
    assert not tasks.claim(one.id, username="ba")
    assert not tasks.complete(one.id, username="ba", at=AT)
    assert tasks.complete(one.id, username="an", at=AT)
    assert not tasks.complete(one.id, username="an", at=AT)
    tasks.close_tasks([one.token], state=TaskState.WITHDRAWN, at=AT)
    assert tasks.get(one.id).state is TaskState.COMPLETED
    assert tasks.locals_of(one.id) == {"x": 1}


def test_two_clerks_at_once_get_two_numbers(in_threads: Callable[..., list[object]]) -> None:
    def take() -> int:
        with transaction():
            return registers.take_number(SENDER, "outgoing", 2022)

    assert sorted(in_threads(*[take] * 4), key=str) == [1, 2, 3, 4]


def test_a_number_that_is_rolled_back_is_given_again() -> None:
    with pytest.raises(RuntimeError), transaction():
        registers.take_number(SENDER, "outgoing", 2022)
        raise RuntimeError
    assert registers.take_number(SENDER, "outgoing", 2022) == 1
    assert registers.take_number(SENDER, "outgoing", 2023) == 1
    assert registers.last_number(SENDER, "outgoing", 2022) == 1
    assert registers.take_dossier_sequence("H28", date(2022, 4, 11)) == 1


def test_a_due_timer_fires_once() -> None:
    (instance,) = store_instances()
    timers.open_timers(
        [timers.NewTimer(instance=instance, ref=f"{instance}:{n}", due=AT) for n in (1, 2)]
    )
    timers.close_timers([f"{instance}:2"])
    assert timers.next_due() == AT
    assert [one.ref for one in timers.take_due(at=AT, limit=9)] == [f"{instance}:1"]
    assert timers.take_due(at=AT, limit=9) == []


def test_the_same_open_incident_is_one() -> None:
    new = incidents.NewIncident(code="instance_poison", opened=AT, dossier=_stored().id)
    first = incidents.open_incident(new)
    assert incidents.open_incident(new) == first
    assert incidents.resolve(first, by="an", at=AT)
    assert not incidents.resolve(first, by="an", at=AT)
    assert incidents.open_incident(new) != first


def test_a_published_version_never_changes() -> None:
    new = definitions.Definition(
        sha256=CONTRACT,
        package_sha256=Sha256("01" * 32),
        procedure="p8",
        version="1",
        effective_from=date(2022, 1, 1),
        published=AT,
        published_by="an",
        confirmed_by="ba",
        files={"process.bpmn": b"<x/>"},
    )
    assert definitions.add(new)
    assert not definitions.add(new)
    assert definitions.find("01" * 32) == new
    with pytest.raises(RowConflict):
        definitions.add(replace(new, package_sha256=Sha256("02" * 32)))
    found = definitions.effective("p8", date(2022, 4, 11))
    assert found is not None
    assert found.version == "1"
    assert definitions.effective("p8", date(2021, 12, 31)) is None


def test_an_agency_is_hosted_whatever_the_case_of_its_code() -> None:
    agency = agencies.HostedAgency(
        code=SENDER, name_vi="UBND tỉnh", name_en="Province", units={"it": {"vi": "CNTT"}}
    )
    agencies.host(agency)
    agencies.host(agency)
    assert agencies.find_hosted("h28") == agency
    assert agencies.hosted() == [agency]
    agencies.set_node_value("epoch", "abc")
    assert agencies.node_value("epoch") == "abc"


def test_the_directory_with_the_highest_number_is_current() -> None:
    for number in (1, 2):
        directory.add_edition(
            directory.DirectoryEdition(
                number=number,
                sha256=Sha256(f"{number:064}"),
                previous_sha256="",
                content=b"sealed",
                unsigned=b"plain",
                imported=AT,
                imported_by="an",
            )
        )
    current = directory.current()
    assert current is not None
    assert (current.number, directory.current_number()) == (2, 2)


def test_bells_ring_after_the_commit_only() -> None:
    rung: list[str] = []
    with transaction():
        after_commit(lambda: rung.append("kept"))
        assert rung == []
    with pytest.raises(RuntimeError), transaction():
        after_commit(lambda: rung.append("lost"))
        raise RuntimeError
    assert rung == ["kept"]


def test_the_database_tells_the_time_and_knows_its_schema() -> None:
    assert database_instant() > AT
    schema.check()
