"""The main job ends as it should, and leaves what it promised and nothing else."""

from __future__ import annotations

import hashlib
import stat

from tests.builders import demo
from tests.builders.demo import Played

# The letter; the reply to it, two applications to the tax office, and the answer to one.
SENT = {"h28": 1, "h08": 4}


def test_ends_with_exit_0_and_says_what_was_done(played: Played) -> None:
    assert played.finished.code == 0, played.finished.output
    for done in (
        "P8: the reply reached its dossier, both sides are closed",
        "P6: the tax office answered, the certificate is handed over",
        "P6: the tax office stayed silent, the timer gave the task to a person",
        "evidence of 4 dossiers",
    ):
        assert f"✓ {done}" in played.finished.output
    for node in demo.NODES:
        assert f"http://127.0.0.1:{played.ports.of(node)}" in played.finished.output


def test_leaves_no_process_behind(played: Played) -> None:
    assert [node for node in demo.NODES if demo.is_listening(played.ports.of(node))] == []
    assert list(played.home.root.glob("nodes/*/run/*.sock")) == []


def test_leaves_evidence_of_each_dossier_of_each_node(played: Played) -> None:
    exported_by = [path.stem.rsplit("-", 1)[1] for path in played.bundles()]
    assert sorted(exported_by) == ["h08", "h08", "h08", "h28"]
    assert played.anchor.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_the_nodes_have_no_secret_in_common(played: Played) -> None:
    ours, theirs = (
        {
            hashlib.sha256(path.read_bytes()).digest(): path.name
            for path in (played.home.node(node) / "keys").rglob("*")
            if path.name.endswith((".key.pem", ".seed", ".secret"))
        }
        for node in demo.NODES
    )
    assert len(ours) >= 4
    assert [ours[digest] for digest in ours.keys() & theirs.keys()] == []


def test_only_the_owner_can_read_keys_and_logins(played: Played) -> None:
    secret = [played.home.logins, *played.home.root.rglob("*.key.pem")]
    assert len(secret) > 10
    assert [p.name for p in secret if stat.S_IMODE(p.stat().st_mode) != 0o600] == []


def test_each_letter_was_sent_once_and_received_once(played: Played) -> None:
    sent = []
    for node, expected in SENT.items():
        listed = _lienthong(played, "--node", node, "message", "list")
        rows = [line.split("\t") for line in listed.splitlines()]
        assert [(row[1], row[2]) for row in rows] == [("sent", "1")] * expected, listed
        sent += [row[4] for row in rows]
    assert len(set(sent)) == sum(SENT.values())


def test_the_node_finds_itself_in_order(played: Played) -> None:
    for node in demo.NODES:
        _lienthong(played, "--node", node, "check", "--no-partners")


def _lienthong(played: Played, *arguments: str) -> str:
    done = demo.run_to_end(*arguments, home=played.home.root, folder=played.home.root)
    assert done.code == 0, done.output
    return done.output
