"""`lienthong demo`: lay out, migrate, seed, start, play, verify, and then serve or leave."""

from __future__ import annotations

import importlib
import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from dossier.clock import SystemClock
from exchange.demo.fixture import Fixture, load_fixture
from exchange.demo.layout import Home, is_laid_out, lay_out, renew_crls
from exchange.doorbell import find_program
from exchange.settings import settings
from exchange.verify import TrustFiles, judge_path
from lienthong.demo import launch, story
from lienthong.errors import EvidenceRefused
from lienthong.serve import refuse_taken_port

_CRL_RENEWAL: Final = timedelta(minutes=5)


@click.command("demo")
@click.option("--once", is_flag=True, help="Play the job, verify the evidence, and leave.")
@click.option("--fresh", is_flag=True, help="Delete the demo's data first.")
@click.option("--port", type=int, help="First of two ports for the nodes (default 8028 and 8008).")
@click.option("--seed", is_flag=True, hidden=True, help="Fill the node of --node; used by demo.")
def command(*, once: bool, fresh: bool, port: int | None, seed: bool) -> None:
    """Run the main job between the nodes of Hòa Bình and Bình Định on this machine."""
    if seed:
        _seed()
        return
    console = Console(stderr=True)
    home = Home(root=settings().home)
    fixture = load_fixture()
    if fresh and home.root.exists():
        _delete(home)
    ports = _ports(home, fixture, first=port)
    for number in ports.values():
        refuse_taken_port("127.0.0.1", number)
    started = time.monotonic()
    _prepare(console, home, fixture, ports)
    with _running(console, home, fixture, ports) as nodes:
        stage = story.stage_of(console, home, nodes)
        played = story.play(stage)
        files = story.export_evidence(home, fixture, stage, played)
        _verify(console, home, files)
        console.print(f"[bold green]✓[/] done in {time.monotonic() - started:.1f} s")
        _summary(console, home, fixture, ports)
        if not once:
            _serve(console, home, fixture)


def _delete(home: Home) -> None:
    # Only what the demo itself lays out is deleted, never the folder that was named.
    for name in ("nodes", "pki", "evidence"):
        shutil.rmtree(home.root / name, ignore_errors=True)
    home.logins.unlink(missing_ok=True)


def _ports(home: Home, fixture: Fixture, *, first: int | None) -> dict[str, int]:
    kept = home.root / "ports.json"
    if first is not None:
        return {node.name: first + place for place, node in enumerate(fixture.nodes)}
    if is_laid_out(home) and kept.exists():
        return {str(name): int(number) for name, number in json.loads(kept.read_text()).items()}
    return {node.name: node.port for node in fixture.nodes}


def _prepare(console: Console, home: Home, fixture: Fixture, ports: dict[str, int]) -> None:
    now = SystemClock().now()
    if not is_laid_out(home):
        with console.status("keys, certificates and the signed directory"):
            lay_out(home, fixture=fixture, ports=ports, at=now)
        console.print("[green]✓[/] demo PKI, CRLs and the signed directory")
    elif _moved(home, ports):
        raise click.UsageError(
            "the demo stands on other ports; add --fresh to lay it out anew on these"
        )
    (home.root / "ports.json").write_text(json.dumps(ports))
    renew_crls(home, nodes=[node.name for node in fixture.nodes], at=now)
    with console.status("databases, procedures, people"):
        names = [node.name for node in fixture.nodes]
        launch.run_everywhere(home.root, names, "migrate")
        launch.run_everywhere(home.root, names, "demo", "--seed")
    console.print("[green]✓[/] databases, procedures and people of both nodes")


def _moved(home: Home, ports: dict[str, int]) -> bool:
    kept = home.root / "ports.json"
    return kept.exists() and json.loads(kept.read_text()) != ports


def _seed() -> None:
    boot: Any = importlib.import_module("exchange.boot")
    boot.boot()
    seeding: Any = importlib.import_module("exchange.demo.seed")
    seeding.seed()


@contextmanager
def _running(
    console: Console, home: Home, fixture: Fixture, ports: dict[str, int]
) -> Iterator[list[launch.RunningNode]]:
    nodes: list[launch.RunningNode] = []
    # Whoever ends this process, as Ctrl-C or by `kill`, ends the nodes as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for node in fixture.nodes:
            origin = f"http://127.0.0.1:{ports[node.name]}"
            nodes.append(launch.start(home.root, node.name, origin=origin))
        with console.status("starting both nodes"):
            for running in nodes:
                launch.wait_ready(running)
        console.print("[green]✓[/] both nodes answer")
        if not settings().redis_url and find_program() is None:
            console.print("[yellow]![/] no redis-server found: the workers poll the database")
        yield nodes
    finally:
        launch.stop(nodes)


def _verify(console: Console, home: Home, files: list[Path]) -> None:
    table = Table("evidence", "indication", "signatures")
    refused = []
    for path in files:
        judged = judge_path(path, trusted=TrustFiles(anchors=[home.evidence / "anchor.pem"]))
        table.add_row(path.name, judged.indication.value, str(len(judged.signatures)))
        if not judged.is_passed:
            refused.append(path.name)
    console.print(table)
    if refused:
        raise EvidenceRefused(
            f"expected TOTAL-PASSED, got another verdict for {', '.join(refused)}",
            files=", ".join(refused),
        )


def _summary(console: Console, home: Home, fixture: Fixture, ports: dict[str, int]) -> None:
    logins = json.loads(home.logins.read_text())
    for node in fixture.nodes:
        table = Table(title=f"{node.title['vi']} — http://127.0.0.1:{ports[node.name]}")
        for heading in ("name", "login", "password", "PIN"):
            table.add_column(heading)
        for username, login in logins[node.name].items():
            table.add_row(login["name"], username, login["password"], login.get("pin", ""))
        console.print(table)
    console.print(f"evidence: {home.evidence}", soft_wrap=True)


def _serve(console: Console, home: Home, fixture: Fixture) -> None:
    stopped: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    console.print("both nodes are serving; press Ctrl-C to stop")
    renewed = time.monotonic()
    while not stopped:
        time.sleep(0.5)
        if time.monotonic() - renewed > _CRL_RENEWAL.total_seconds():
            names = [node.name for node in fixture.nodes]
            renew_crls(home, nodes=names, at=SystemClock().now())
            renewed = time.monotonic()
