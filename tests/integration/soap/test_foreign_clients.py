"""PHP ext-soap and the npm package soap use the service from its WSDL, unmodified."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zeep
import zeep.helpers

from connectors.http import HttpClient, only_hosts
from connectors.request import Operation, Request, write_request
from connectors.soap_client import SoapClient
from dossier.wire import SendHints
from tests.builders.connectors import BINH_DINH, CONTAINER, HOA_BINH, FakeReceiving, hints_for
from tests.builders.pull import FakeSealer
from tests.integration.soap.conftest import CLIENTS, Endpoint, ask_program, call_program, program


def _php(endpoint: Endpoint, version: str, hints: SendHints) -> dict[str, Any]:
    php = program("php", "php-cli and php-soap")
    return call_program([php, str(CLIENTS / "client.php"), f"{endpoint.url}?wsdl", version], hints)


def _node(
    endpoint: Endpoint, modules: Path, version: str, way: str, hints: SendHints
) -> dict[str, Any]:
    script = str(CLIENTS / "client.mjs")
    command = [program("node", "nodejs"), script, f"{endpoint.url}?wsdl", version, way]
    return call_program(command, hints, SOAP_MODULES=str(modules))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_php_sends_inline_and_reads_the_receipt(endpoint: Endpoint, version: str) -> None:
    hints = hints_for(CONTAINER, number=401 if version == "1.1" else 402)
    answer = _php(endpoint, version, hints)
    assert hints.container_sha256.encode() in base64.b64decode(answer["receipt"])


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_php_reads_the_fault_as_an_object(endpoint: Endpoint, version: str) -> None:
    answer = _php(endpoint, version, hints_for(CONTAINER, number=403, to=FakeReceiving.DENIED))
    assert answer["detail"]["ErrorCode"] == "denied"
    assert answer["detail"]["Description"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("way", ["inline", "mtom"])
def test_npm_sends_both_ways_and_reads_the_receipt(
    endpoint: Endpoint, node_modules: Path, version: str, way: str
) -> None:
    number = 410 + 2 * (version == "1.2") + (way == "mtom")
    hints = hints_for(CONTAINER, number=number)
    answer = _node(endpoint, node_modules, version, way, hints)
    assert hints.container_sha256.encode() in base64.b64decode(answer["receipt"])


def test_npm_reads_the_fault_as_an_object(endpoint: Endpoint, node_modules: Path) -> None:
    hints = hints_for(CONTAINER, number=420, to=FakeReceiving.DENIED)
    answer = _node(endpoint, node_modules, "1.1", "inline", hints)
    assert answer["detail"]["ErrorCode"] == "denied"


def _asked(hints: SendHints) -> list[tuple[str, dict[str, str]]]:
    """Return one call of each operation but SendMessage, as the programs take them."""
    receipt = base64.b64encode(b"valid receipt").decode()
    calls = [
        (Operation.LIST_PENDING, hints.to_agency, {}),
        (Operation.FETCH_MESSAGE, hints.to_agency, {}),
        (Operation.CONFIRM_MESSAGE, hints.to_agency, {"Receipt": receipt}),
        (Operation.GET_RECEIPT, hints.from_agency, {}),
        (Operation.GET_STATUS, hints.from_agency, {}),
        (Operation.LIST_AGENCIES, hints.from_agency, {}),
    ]
    now = datetime.now(UTC)
    asked = []
    for operation, agency, further in calls:
        request = Request(
            operation=operation,
            agency=agency,
            to_agency=HOA_BINH,
            created=now,
            expires=now + timedelta(minutes=2),
            nonce=os.urandom(16).hex(),
            message_id=hints.message_id,
            from_agency=hints.from_agency if agency == BINH_DINH else None,
        )
        sealed = FakeSealer(agency).seal(write_request(request))
        asked.append((operation.value, {"Request": base64.b64encode(sealed).decode(), **further}))
    return asked


def _receive(endpoint: Endpoint, folder: Path, number: int) -> SendHints:
    container = folder / "container.asice"
    container.write_bytes(CONTAINER)
    hints = hints_for(CONTAINER, number=number)
    http = HttpClient(may_call=only_hosts("127.0.0.1"))
    SoapClient(http=http).send(endpoint.url, hints, container)
    http.close()
    return hints


def _check(replies: list[dict[str, Any]], hints: SendHints) -> None:
    listed, fetched, confirmed, receipt, status, directory = replies
    assert hints.message_id in {one["MessageId"] for one in listed["Message"]}
    assert base64.b64decode(fetched["Container"]) == CONTAINER
    assert confirmed["MessageId"] == hints.message_id
    assert base64.b64decode(receipt["Receipt"]) == b"valid receipt"
    assert status["Status"] == "accepted"
    assert base64.b64decode(directory["Directory"]) == b"<Directory/>"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_php_calls_every_operation(endpoint: Endpoint, tmp_path: Path, version: str) -> None:
    hints = _receive(endpoint, tmp_path, 430 + (version == "1.2"))
    script = str(CLIENTS / "operations.php")
    command = [program("php", "php-cli and php-soap"), script, f"{endpoint.url}?wsdl", version]
    _check(ask_program(command, _asked(hints)), hints)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_npm_calls_every_operation(
    endpoint: Endpoint, node_modules: Path, tmp_path: Path, version: str
) -> None:
    hints = _receive(endpoint, tmp_path, 440 + (version == "1.2"))
    script = str(CLIENTS / "operations.mjs")
    command = [program("node", "nodejs"), script, f"{endpoint.url}?wsdl", version]
    _check(ask_program(command, _asked(hints), SOAP_MODULES=str(node_modules)), hints)


@pytest.mark.parametrize("port", ["Soap11", "Soap12"])
def test_zeep_calls_every_operation_unmodified(
    endpoint: Endpoint, tmp_path: Path, port: str
) -> None:
    hints = _receive(endpoint, tmp_path, 450 + (port == "Soap12"))
    serialized: Any = zeep.helpers.serialize_object
    client: Any = zeep.Client(f"{endpoint.url}?wsdl", port_name=port)  # type: ignore[no-untyped-call]  # zeep's
    replies = []
    for name, elements in _asked(hints):
        given = {key: base64.b64decode(value) for key, value in elements.items()}
        reply = serialized(getattr(client.service, name)(**given))
        replies.append(_in_base64(name, reply))
    _check(replies, hints)


def _in_base64(operation: str, reply: Any) -> dict[str, Any]:  # noqa: ANN401 - zeep states no types
    """Return zeep's reply as the others print theirs; it leaves out the name of a lone element."""
    lone = {"ConfirmMessage": "MessageId", "GetStatus": "Status"}
    lone |= {"GetReceipt": "Receipt", "ListAgencies": "Directory"}
    named = {lone[operation]: reply} if operation in lone else dict(reply)
    return {
        key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for key, value in named.items()
    }
