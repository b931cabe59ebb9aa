"""Service calls on a node: mapped, made once per commit, repeated, refused, parked, retried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from connectors.errors import PartnerUnavailable
from connectors.foreign import ForeignCalls
from dossier.model import Incident
from dossier.wire import WireReply, WireRequest
from exchange.incidents import retry
from storage import calls, cases, history, incidents
from storage.calls import CallState
from tests.builders.connectors import SOAP11
from tests.builders.exchange import OneNode
from tests.builders.services import TAX_WSDL, configure, forget, publish_service, start
from tests.builders.wire_server import served

RECORDED = '[call."tax.code"]\nkind = "recorded"\nrecording = "tax.json"\nwait_seconds = 10\n'


def recording(*entries: object) -> bytes:
    """Return a recording."""
    return json.dumps(entries).encode()


ANSWER = {"call": "tax.code", "inputs": {"name": "Hộ A"}, "values": {"code": "0100"}}


@pytest.fixture(autouse=True)
def unconfigured(one: OneNode) -> Iterator[None]:
    """Leave no configuration behind for the next test."""
    forget(one)
    yield
    forget(one)


def open_incident(dossier: UUID) -> Incident:
    """Return the only open incident of a dossier."""
    (found,) = [one for one in incidents.of_dossier(dossier) if one.resolved is None]
    return found


def test_an_answer_is_mapped_into_case_data(one: OneNode) -> None:
    configure(one, RECORDED, tax__json=recording(ANSWER))
    publish_service(one)
    code, dossier = start(one)
    assert "got" in one.open_tasks(code)
    assert cases.values(dossier)["tax_code"] == "0100"
    entry = next(e for e in history.of_dossier(dossier) if e.kind == "service_answered")
    assert (entry.element_id, entry.parameters["operation"]) == ("ask", "tax.code")


def test_the_configuration_maps_by_expressions_too(one: OneNode) -> None:
    asked = {"call": "tax.code", "inputs": {"Holder": "HỘ A"}, "values": {"Found": {"No": "7"}}}
    configure(
        one,
        RECORDED + '[call."tax.code".inputs]\nHolder = "upper case(owner)"\n'
        '[call."tax.code".outputs]\ntax_code = "Found.No"\n',
        tax__json=recording(asked),
    )
    publish_service(one, mapping="")
    code, dossier = start(one)
    assert "got" in one.open_tasks(code)
    assert cases.values(dossier)["tax_code"] == "7"


def test_a_business_error_takes_the_way_that_the_model_draws(one: OneNode) -> None:
    refusal = {"call": "tax.code", "inputs": {"name": "Hộ A"}, "business_error": "UNKNOWN"}
    configure(one, RECORDED, tax__json=recording(refusal))
    publish_service(one)
    code, dossier = start(one)
    assert set(one.open_tasks(code)) == {"denied"}
    assert [call.state for call in calls.of_dossier(dossier)] == [CallState.REFUSED]


def test_a_missing_configuration_is_an_incident_that_can_be_retried(one: OneNode) -> None:
    publish_service(one)
    code, dossier = start(one)
    found = open_incident(dossier)
    assert (found.code, found.element_id) == ("service_not_configured", "ask")
    configure(one, RECORDED, tax__json=recording(ANSWER))
    retry(one.node, one.actor("tp.lanhdao"), found.id)
    one.drain()
    assert "got" in one.open_tasks(code)
    assert [one for one in incidents.of_dossier(dossier) if one.resolved is None] == []


def test_a_service_that_is_away_is_asked_again_with_the_same_key_then_parked(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, str]] = []

    def away(self: ForeignCalls, name: str, inputs: object, *, key: str) -> None:
        asked.append((inputs, key))
        raise PartnerUnavailable("expected an answer")

    monkeypatch.setattr(ForeignCalls, "call", away)
    configure(one, RECORDED + "attempts = 3\n", tax__json=recording(ANSWER))
    publish_service(one)
    _, dossier = start(one)
    assert len(asked) == 1
    one.later(timedelta(seconds=13))
    assert len(asked) == 2
    one.later(timedelta(seconds=25))
    one.later(timedelta(hours=1))
    assert len(asked) == 3
    assert len({key for _, key in asked}) == 1
    found = open_incident(dossier)
    assert found.code == "service_failed"
    assert found.parameters == {
        "operation": "tax.code", "reason": "partner_unavailable", "names": "name",
    }  # fmt: skip


def test_a_mapping_that_fails_names_the_data_and_not_their_values(one: OneNode) -> None:
    configure(
        one,
        RECORDED + '[call."tax.code".inputs]\nn = "name + 1"\n',
        tax__json=recording({"call": "tax.code", "inputs": {"n": "x"}, "values": {}}),
    )
    publish_service(one)
    _, dossier = start(one)
    found = open_incident(dossier)
    assert found.parameters["names"] == "name"
    assert "Hộ A" not in str(found.parameters)


def test_a_long_call_that_is_never_answered_becomes_an_incident(one: OneNode) -> None:
    configure(
        one,
        RECORDED + "answer_within_seconds = 60\n",
        tax__json=recording({**ANSWER, "values": {}}),
    )
    publish_service(one)
    code, dossier = start(one)
    assert "got" not in one.open_tasks(code)
    assert [call.state for call in calls.of_dossier(dossier)] == [CallState.SENT]
    one.later(timedelta(seconds=61))
    assert open_incident(dossier).parameters["reason"] == "service_unanswered"


def answering(content: bytes, kind: str, taken: list[bytes]) -> Callable[[WireRequest], WireReply]:
    """Return an endpoint that keeps what it gets and always says the same."""

    def answer(request: WireRequest) -> WireReply:
        taken.append(request.stream.read())
        headers = {"Content-Type": kind, "Content-Length": str(len(content))}
        return WireReply(status=200, headers=headers, body=(content,))

    return answer


def test_a_soap_service_is_called_from_its_vendored_wsdl(one: OneNode) -> None:
    taken: list[bytes] = []
    reply = (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><LookupResponse xmlns="urn:tax">'
        "<Name>Hộ A</Name><Debt>10.50</Debt><Since>2022-04-20</Since></LookupResponse>"
        "</s:Body></s:Envelope>"
    ).encode()
    with served(answering(reply, "text/xml", taken)) as address:
        configure(
            one,
            f'[call."tax.code"]\nkind = "soap"\nwsdl = "tax.wsdl"\nport = "Tax"\n'
            f'operation = "Lookup"\nurl = "{address}/soap"\n'
            '[call."tax.code".inputs]\nTaxCode = "name"\n'
            '[call."tax.code".outputs]\ncode = "Name + \\"/\\" + Debt"\n',
            tax__wsdl=TAX_WSDL.encode(),
        )
        publish_service(one)
        code, dossier = start(one)
    assert "Hộ A" in taken[0].decode()
    assert "got" in one.open_tasks(code)
    assert cases.values(dossier)["tax_code"] == "Hộ A/10.50"


def test_a_json_service_is_called_the_same_way(one: OneNode) -> None:
    taken: list[bytes] = []
    with served(answering(b'{"code": "0100"}', "application/json", taken)) as address:
        configure(
            one,
            f'[call."tax.code"]\nkind = "json"\noperation = "POST"\nurl = "{address}/json"\n',
        )
        publish_service(one)
        code, dossier = start(one)
    assert json.loads(taken[0]) == {"name": "Hộ A"}
    assert "got" in one.open_tasks(code)
    assert cases.values(dossier)["tax_code"] == "0100"
