"""Starting: on a port that is taken, a second time, and stopping in the middle."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path

from tests.builders import demo
from tests.builders.demo import Played

SECONDS_TO_START = 30  # ten on an idle machine; three demos may be playing beside this one


def test_names_a_taken_port_and_the_way_out(tmp_path: Path) -> None:
    ports = demo.free_ports()
    with socket.create_server(("127.0.0.1", ports.of("h08"))):
        refused = demo.run_to_end(
            *("demo", "--once", "--port", str(ports.first)), home=tmp_path / "var", folder=tmp_path
        )
    assert refused.code == 2, refused.output
    assert f"port {ports.of('h08')}" in refused.output
    assert "--port" in refused.output
    assert "Traceback" not in refused.output
    assert not (tmp_path / "var").exists()


def test_a_second_run_starts_soon_keeps_everything_and_stops_when_told(
    played: Played, tmp_path: Path
) -> None:
    before = _closed_dossiers(played)
    evidence = {path.name: path.read_bytes() for path in played.bundles()}
    started = time.monotonic()
    again = demo.perform(
        "--once", home=played.home.root, ports=played.ports, folder=tmp_path, changed={}
    )
    try:
        again.wait_for("both nodes answer")
        assert time.monotonic() - started < SECONDS_TO_START
        again.wait_for("receive_application")
        again.interrupt(signal.SIGTERM)
        stopped = again.finished()
    finally:
        again.stop()
    assert stopped.code != 0
    assert "Traceback" not in stopped.output
    assert [node for node in demo.NODES if demo.is_listening(played.ports.of(node))] == []
    assert _closed_dossiers(played) == before
    assert {path.name: path.read_bytes() for path in played.bundles()} == evidence


def test_other_ports_for_a_demo_that_stands_are_refused_before_anything_is_lost(
    played: Played, tmp_path: Path
) -> None:
    other = demo.free_ports()
    refused = demo.run_to_end(
        *("demo", "--once", "--port", str(other.first)), home=played.home.root, folder=tmp_path
    )
    assert refused.code == 2, refused.output
    assert "--fresh" in refused.output
    assert played.home.logins.exists()


def _closed_dossiers(played: Played) -> dict[str, dict[str, object]]:
    found = {}
    for path in played.bundles()[:2]:
        code, node = path.stem.rsplit("-", 1)
        shown = demo.run_to_end(
            *("--node", node, "dossier", "show", code),
            home=played.home.root,
            folder=played.home.root,
        )
        assert shown.code == 0, shown.output
        found[path.stem] = json.loads(shown.output)
        assert found[path.stem]["open"] is False
    return found
