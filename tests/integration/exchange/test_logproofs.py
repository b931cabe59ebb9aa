"""Proofs of the log by command: entries, growth, and their examination without a node."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.main import run
from tests.builders.exchange import OneNode


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["log", *arguments]) == 0
    return capsys.readouterr().out


def test_an_entry_is_proved_and_the_proof_examined(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = here.send_letter()
    files = _said(capsys, "prove", "--dossier", code, "-o", str(tmp_path)).split()
    assert len(files) > 2
    key = _said(capsys, "key").strip()
    for file in files:
        entry = file.replace(".proof", ".entry")
        said = _said(capsys, "verify", file, "--entry", entry, "--key", key)
        assert '"holds"' in said
    another = [files[0], "--entry", files[1].replace(".proof", ".entry"), "--key", key]
    assert run(["log", "verify", *another]) == 1
    assert "log_proof_refused" in capsys.readouterr().err


def test_the_log_is_shown_to_continue_an_earlier_head(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here.start_letter()
    old, proof = tmp_path / "old.checkpoint", tmp_path / "growth.proof"
    old.write_text(_said(capsys, "checkpoint"))
    here.start_letter()
    proof.write_text(_said(capsys, "consistency", str(old)))
    key = _said(capsys, "key").strip()
    assert '"continues"' in _said(capsys, "verify", str(proof), "--old", str(old), "--key", key)
    lines = proof.read_text().splitlines(keepends=True)
    proof.write_text("".join([lines[0], "old 1\n", *lines[2:]]))
    assert run(["log", "verify", str(proof), "--old", str(old), "--key", key]) == 1


def test_a_number_beyond_the_log_is_refused(
    here: OneNode, capsys: pytest.CaptureFixture[str]
) -> None:
    here.start_letter()
    assert run(["log", "prove", "99"]) == 1
    assert "log_index_refused" in capsys.readouterr().err
