"""What deploy/ says is true: commands, settings, extras, figures and pages that it names exist."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from exchange.setting_names import SETTINGS
from lienthong.main import NOUNS
from lienthong.serve import command as serve
from lienthong.work import command as work
from scripts import tree

DEPLOY = tree.ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
ALERTS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
RUNBOOK = (tree.ROOT / "docs" / "howto" / "runbook.md").read_text("utf-8")
PROGRAM = "/opt/lienthong/bin/lienthong"
OPTIONS = {"serve": serve, "work": work}
HARDENED = {
    "NoNewPrivileges": "true",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "UMask": "0077",
    "User": "lienthong",
}
# Of a long-running service, beyond those of every unit.
LOCKED = {
    "CapabilityBoundingSet": "",
    "PrivateDevices": "true",
    "ProtectKernelTunables": "true",
    "RestrictNamespaces": "true",
    "LockPersonality": "true",
    "SystemCallErrorNumber": "EPERM",
    "Restart": "always",
}


def _unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds the case
    parser.read(path, encoding="utf-8")
    return parser


def _known_settings() -> set[str]:
    secrets = {f"{one.name}_FILE" for one in SETTINGS if one.is_secret}
    return {one.name for one in SETTINGS} | secrets


def _demand_command(words: list[str]) -> None:
    """Check a command as an operator would type it, without its program's name."""
    noun, *rest = words
    assert noun in NOUNS
    if rest:
        known = {name for one in OPTIONS[noun].params for name in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_run_commands_that_exist_under_lock(path: Path) -> None:
    service = _unit(path)["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program == PROGRAM
    _demand_command(words)
    assert service["EnvironmentFile"] == "/etc/lienthong/node.env"
    demanded = HARDENED if service.get("Type") == "oneshot" else HARDENED | LOCKED
    assert {name: service.get(name) for name in demanded} == demanded


def test_a_service_is_stopped_no_sooner_than_its_processes_need() -> None:
    # The supervisor gives its children ten seconds, gunicorn its requests as long.
    for name in ("web", "work"):
        service = _unit(DEPLOY / "systemd" / f"lienthong-{name}.service")["Service"]
        assert int(service["TimeoutStopSec"]) >= 20


def test_a_service_never_gives_up_starting() -> None:
    # Five failures within ten seconds would end it for good, as a late database causes.
    for name in ("web", "work"):
        unit = _unit(DEPLOY / "systemd" / f"lienthong-{name}.service")
        assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_timer_starts_a_service_that_is_there() -> None:
    for timer in (DEPLOY / "systemd").glob("*.timer"):
        assert timer.with_suffix(".service") in UNITS


def test_every_setting_that_is_named_exists() -> None:
    lines = (DEPLOY / "systemd" / "node.env").read_text("utf-8").splitlines()
    named = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    for service in COMPOSE["services"].values():
        named |= {one for one in service.get("environment", {}) if one.startswith("LIENTHONG_")}
    dockerfile = (DEPLOY / "compose" / "Dockerfile").read_text("utf-8")
    named |= set(re.findall(r"LIENTHONG_[A-Z_]+", dockerfile))
    assert named <= _known_settings()
    assert len(named) > 6


def test_the_compose_file_runs_a_database_a_redis_two_workers_and_the_web() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"database", "redis", "migrate", "web", "worker-1", "worker-2"}
    for name in ("migrate", "web", "worker-1", "worker-2"):
        program, *words = services[name]["command"]
        assert program == "lienthong"
        _demand_command(words)
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"] is True


def test_images_are_pinned_and_nothing_listens_to_the_world() -> None:
    dockerfile = (DEPLOY / "compose" / "Dockerfile").read_text("utf-8")
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    images += [one["image"] for one in COMPOSE["services"].values()]
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z-]+)?$", image), image
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_secrets_volumes_and_dependencies_are_declared() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(COMPOSE["volumes"])
        for value in service.get("environment", {}).values():
            assert "PASSWORD=" not in value


def test_the_dockerfile_installs_extras_that_exist_from_the_pins() -> None:
    setup = configparser.ConfigParser()
    setup.read(tree.ROOT / "setup.cfg", encoding="utf-8")
    dockerfile = (DEPLOY / "compose" / "Dockerfile").read_text("utf-8")
    extras = re.search(r"'\.\[([a-z,0-9]+)\]'", dockerfile)
    assert extras is not None
    assert set(extras[1].split(",")) <= set(setup["options.extras_require"])
    assert dockerfile.count("--constraint constraints.txt") == 2


def _rules() -> Iterator[dict[str, Any]]:
    for group in ALERTS["groups"]:
        yield from group["rules"]


def test_alerts_ask_for_figures_that_the_node_gives() -> None:
    sources = [path for name in ("exchange", "worker") for path in (tree.ROOT / name).rglob("*.py")]
    text = "".join(path.read_text("utf-8") for path in sources)
    given = set(re.findall(r'"(lienthong_[a-z_]+)"', text))
    given |= {f"{name}{end}" for name in set(given) for end in ("_total", "_bucket", "_count")}
    for rule in _rules():
        asked = set(re.findall(r"lienthong_[a-z_]+", rule["expr"]))
        assert asked, rule["alert"]
        assert asked <= given, rule["alert"]


def test_every_alert_has_its_cure_in_the_runbook() -> None:
    names = [rule["alert"] for rule in _rules()]
    assert len(set(names)) == len(names)
    sections = re.findall(r"^### ([A-Za-z]+)$", RUNBOOK, re.MULTILINE)
    assert sections == names


def test_commands_of_the_runbook_exist() -> None:
    typed = re.findall(r"^lienthong ([a-z]+)", RUNBOOK, re.MULTILINE)
    assert len(typed) > 10
    assert set(typed) <= set(NOUNS)
    assert isinstance(serve, click.Command)
