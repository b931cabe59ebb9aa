"""The REST interface: tokens open what they name, jobs are answered once, errors are plain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from exchange import tokens
from exchange.errors import SealMissing
from storage import calls, cases, incidents
from storage.calls import CallState
from tests.builders.exchange import OneNode
from tests.builders.portal import Visitor
from tests.builders.services import COMMUNE, configure, forget, publish_service, start

JOB = '[call."tax.code"]\nkind = "job"\nlease_seconds = 60\nattempts = 2\n'
ALL = ("jobs:tax.code", "dossiers:read", "dossiers:start:service-try")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A program with a token."""

    visitor: Visitor
    token: str

    def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """Send one request and return status, answer and headers."""
        extra = {"HTTP_ACCEPT_LANGUAGE": "en", **headers}
        if self.token:
            extra["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        reply = self.visitor.send(
            method, f"/api/v1{path}", body=content, content_type="application/json", extra=extra
        )
        return reply.status, json.loads(reply.body), reply.headers

    def take(self) -> dict[str, Any]:
        """Take the one open job."""
        status, found, _ = self.send("POST", "/jobs/lock", {"worker": "w1"})
        assert (status, len(found["jobs"])) == (200, 1), found
        job: dict[str, Any] = found["jobs"][0]
        return job


def caller(one: OneNode, *operations: str, agency: str = COMMUNE) -> Caller:
    """Return a program with a new token."""
    _, text = tokens.issue(
        one.node,
        name="thuế số",
        agency=agency,
        operations=operations or ALL,
        lasting=timedelta(days=1),
        by="test",
    )
    return Caller(visitor=Visitor(one.node), token=text)


@pytest.fixture(autouse=True)
def configured(one: OneNode) -> Iterator[None]:
    """Configure the operation as a job, for one test."""
    configure(one, JOB)
    yield
    forget(one)


@pytest.fixture
def waiting(one: OneNode) -> tuple[str, UUID]:
    """Return a dossier that waits for the answer of a job."""
    publish_service(one)
    return start(one)


def test_a_job_is_taken_kept_and_completed_once(one: OneNode, waiting: tuple[str, UUID]) -> None:
    code, dossier = waiting
    program = caller(one)
    assert program.send("GET", "/jobs")[1]["jobs"][0]["dossier"] == code
    job = program.take()
    assert (job["operation"], job["element"], job["values"]) == (
        "tax.code", "ask", {"name": "Hộ A"},
    )  # fmt: skip
    assert program.send("POST", "/jobs/lock", {"worker": "w2"})[1]["jobs"] == []
    place = f"/jobs/{job['id']}"
    kept = program.send("POST", f"{place}/lease", {"lock": job["lock"], "lease_seconds": 600})
    assert kept[1]["locked_until"] > job["locked_until"]
    answer = {"lock": job["lock"], "values": {"code": "0100"}}
    assert program.send("POST", f"{place}/complete", answer)[:2] == (200, {"changed": True})
    assert program.send("POST", f"{place}/complete", answer)[:2] == (200, {"changed": False})
    other = program.send("POST", f"{place}/complete", {**answer, "values": {"code": "1"}})
    assert (other[0], other[1]["code"]) == (409, "job_answered")
    one.drain()
    assert "got" in one.open_tasks(code)
    assert cases.values(dossier)["tax_code"] == "0100"


def test_a_worker_raises_an_error_that_the_model_catches(
    one: OneNode, waiting: tuple[str, UUID]
) -> None:
    program = caller(one)
    job = program.take()
    raised = {"lock": job["lock"], "code": "UNKNOWN"}
    assert program.send("POST", f"/jobs/{job['id']}/error", raised)[0] == 200
    one.drain()
    assert set(one.open_tasks(waiting[0])) == {"denied"}


def test_a_lease_that_ends_gives_the_job_to_the_next(
    one: OneNode, waiting: tuple[str, UUID]
) -> None:
    program = caller(one)
    first = program.take()
    one.clock.forward(timedelta(seconds=61))
    second = program.take()
    assert (second["id"], second["lock"] != first["lock"]) == (first["id"], True)
    late = program.send("POST", f"/jobs/{first['id']}/complete", {"lock": first["lock"]})
    assert (late[0], late[1]["code"]) == (409, "job_held")


def test_failing_too_often_is_an_incident_with_a_code_only(
    one: OneNode, waiting: tuple[str, UUID]
) -> None:
    program = caller(one)
    for changed in (True, False):
        job = program.take()
        failed = {"lock": job["lock"], "reason": "no_line", "retry_seconds": 0}
        assert program.send("POST", f"/jobs/{job['id']}/fail", failed)[1] == {"changed": changed}
    (found,) = incidents.of_dossier(waiting[1])
    assert (found.code, found.parameters["reason"]) == ("service_failed", "no_line")


def test_a_job_nobody_wants_is_gone(one: OneNode, waiting: tuple[str, UUID]) -> None:
    program = caller(one)
    job = program.take()
    calls.cancel_calls([calls.of_dossier(waiting[1])[0].ref])
    gone = program.send("POST", f"/jobs/{job['id']}/complete", {"lock": job["lock"]})
    assert (gone[0], gone[1]["code"]) == (410, "job_gone")


def test_a_long_call_is_completed_by_its_id(one: OneNode) -> None:
    recorded = [{"call": "tax.code", "inputs": {"name": "Hộ A"}, "values": {}}]
    configure(
        one,
        JOB.replace('"job"', '"recorded"\nrecording = "r.json"\nanswer_within_seconds = 60'),
        r__json=json.dumps(recorded).encode(),
    )
    publish_service(one)
    code, dossier = start(one)
    (call,) = calls.of_dossier(dossier)
    assert call.state is CallState.SENT
    answer = {"values": {"code": "0100"}}
    assert caller(one).send("POST", f"/jobs/{call.id}/complete", answer)[0] == 200
    one.drain()
    assert "got" in one.open_tasks(code)


@pytest.mark.parametrize("token", ["", "lt_wrong", "other"])
def test_without_a_token_in_force_the_answer_is_401(one: OneNode, token: str) -> None:
    stranger = Caller(visitor=Visitor(one.node), token=token)
    status, found, headers = stranger.send("GET", "/jobs")
    assert (status, found["code"], headers["WWW-Authenticate"][:6]) == (
        401, "token_refused", "Bearer",
    )  # fmt: skip


def test_expired_and_revoked_tokens_open_nothing(one: OneNode) -> None:
    program = caller(one)
    assert program.send("GET", "/jobs")[0] == 200
    tokens.revoke(tokens.listed()[0].id, by="test", at=one.node.now())
    assert program.send("GET", "/jobs")[0] == 401
    old = caller(one)
    one.clock.forward(timedelta(days=1))
    assert old.send("GET", "/jobs")[0] == 401


def test_a_token_opens_its_own_agency_and_operations_only(
    one: OneNode, waiting: tuple[str, UUID]
) -> None:
    (call,) = calls.of_dossier(waiting[1])
    reader = caller(one, "dossiers:read")
    assert reader.send("GET", "/jobs")[1] == {"jobs": []}
    denied = reader.send("GET", "/jobs?operation=tax.code")
    assert (denied[0], denied[1]["code"]) == (403, "operation_denied")
    assert reader.send("POST", f"/jobs/{call.id}/complete", {"values": {}})[0] == 403
    stranger = caller(one, agency="000.00.00.H28")
    assert stranger.send("POST", f"/jobs/{call.id}/complete", {"values": {}})[0] == 404
    assert stranger.send("GET", f"/dossiers/{waiting[0]}")[0] == 404


def test_a_token_is_for_an_agency_of_this_node(one: OneNode) -> None:
    with pytest.raises(SealMissing):
        caller(one, agency="000.00.00.H99")


def test_a_dossier_is_opened_once_for_a_key_and_read(one: OneNode) -> None:
    publish_service(one)
    program = caller(one)
    body = {"procedure": "service-try", "subject": "Từ hệ thống khác"}
    first = program.send("POST", "/dossiers", body, HTTP_IDEMPOTENCY_KEY="k1")
    again = program.send("POST", "/dossiers", body, HTTP_IDEMPOTENCY_KEY="k1")
    assert (first[0], again[0], again[1]["code"]) == (201, 200, first[1]["code"])
    status, found, _ = program.send("GET", f"/dossiers/{first[1]['code']}")
    assert (status, found["subject"], found["open"]) == (200, "Từ hệ thống khác", True)


@pytest.mark.parametrize(("language", "title"), [("vi", "Mã truy cập"), ("en", "The token")])
def test_problems_speak_the_language_that_was_asked_for(
    one: OneNode, language: str, title: str
) -> None:
    stranger = Caller(visitor=Visitor(one.node), token="")
    _, found, headers = stranger.send("GET", "/jobs", HTTP_ACCEPT_LANGUAGE=language)
    assert found["title"].startswith(title)
    assert headers["Content-Type"].startswith("application/problem+json")
    assert headers["Content-Language"] == language


def test_unsound_requests_name_the_field_and_large_ones_are_refused(one: OneNode) -> None:
    program = caller(one)
    status, found, _ = program.send("POST", "/jobs/lock", {"worker": "", "limit": 0, "x": 1})
    assert status == 422
    assert {one["field"] for one in found["faults"]} == {
        "body.take.worker", "body.take.limit", "body.take.x",
    }  # fmt: skip
    assert program.send("POST", "/jobs/lock", b"{")[0] == 400
    assert program.send("POST", "/jobs/lock", b" " * 3_000_000)[0] == 413
    assert program.send("GET", "/nothing")[0] == 404
    job = f"/jobs/{uuid4()}/complete"
    assert program.send("POST", job, {"values": {}})[0] == 404


def test_fractions_travel_as_text(one: OneNode, waiting: tuple[str, UUID]) -> None:
    program = caller(one)
    job = program.take()
    body = {"lock": job["lock"], "values": {"code": 1.5}}
    assert program.send("POST", f"/jobs/{job['id']}/complete", body)[0] == 400


def test_the_openapi_document_is_3_1_and_public(one: OneNode) -> None:
    reply = Visitor(one.node).get("/api/v1/openapi.json")
    found = json.loads(reply.body)
    assert (reply.status, found["openapi"][:3]) == (200, "3.1")
    assert "/api/v1/jobs/{job}/complete" in found["paths"]
