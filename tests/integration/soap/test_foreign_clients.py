"""PHP ext-soap and the npm package soap use the service from its WSDL, unmodified."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from dossier.wire import SendHints
from tests.builders.connectors import CONTAINER, FakeReceiving, hints_for
from tests.integration.soap.conftest import CLIENTS, Endpoint, call_program, program


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
