"""PHP ext-soap and the npm package soap use the service from its WSDL, unmodified."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dossier.wire import SendHints
from tests.builders.connectors import CONTAINER, FakeReceiving, hints_for
from tests.integration.soap.conftest import Endpoint

_CLIENTS = Path(__file__).parent / "clients"
_MODULES = Path(__file__).parents[3] / "build" / "soap-clients"


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"expected {name} for the tests with foreign SOAP clients: install {package}")
    return found


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Return where the npm packages of the lock file are installed; done once per tree."""
    lock = (_CLIENTS / "package-lock.json").read_bytes()
    kept = _MODULES / "package-lock.json"
    if not kept.exists() or kept.read_bytes() != lock:
        shutil.rmtree(_MODULES, ignore_errors=True)
        _MODULES.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_CLIENTS / name, _MODULES / f"{name}.new")
            (_MODULES / f"{name}.new").rename(_MODULES / name)
        try:
            subprocess.run(
                [_program("npm", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=_MODULES,
                check=True,
                capture_output=True,
                timeout=300,
            )
        except BaseException:
            kept.unlink()
            raise
    return _MODULES


def _call(command: list[str], hints: SendHints, **environment: str) -> dict[str, Any]:
    request = {
        "From": hints.from_agency,
        "To": hints.to_agency,
        "MessageId": hints.message_id,
        "ContainerSha256": hints.container_sha256,
        "Size": hints.size_bytes,
        "Container": base64.b64encode(CONTAINER).decode(),
    }
    done = subprocess.run(
        command,
        input=json.dumps(request).encode(),
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _php(endpoint: Endpoint, version: str, hints: SendHints) -> dict[str, Any]:
    php = _program("php", "php-cli and php-soap")
    return _call([php, str(_CLIENTS / "client.php"), f"{endpoint.url}?wsdl", version], hints)


def _node(
    endpoint: Endpoint, modules: Path, version: str, way: str, hints: SendHints
) -> dict[str, Any]:
    script = str(_CLIENTS / "client.mjs")
    command = [_program("node", "nodejs"), script, f"{endpoint.url}?wsdl", version, way]
    return _call(command, hints, SOAP_MODULES=str(modules))


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
