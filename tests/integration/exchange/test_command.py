"""The command on a filled node: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from dossier.clock import SystemClock
from exchange import submit
from exchange.settings import settings
from lienthong.main import run
from scripts import tree
from storage import directory as editions
from tests.builders.exchange import OneNode
from tests.builders.redis_server import redis_server
from tests.builders.storage import empty_database


def test_export_and_verify_a_dossier(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = here.send_letter()
    # The letter is older than its answer; at one instant the bundle could not put them in order.
    here.clock.forward(timedelta(seconds=1))
    here.answer_letter(code)
    here.close_letter(code)
    target = tmp_path / "dossier.asice"
    assert run(["dossier", "export", code, "-o", str(target)]) == 0
    anchor = str(here.home.evidence / "anchor.pem")
    capsys.readouterr()
    assert run(["verify", str(target), "--anchor", anchor, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["indication"] == "TOTAL-PASSED"
    assert report["signatures"]
    assert report["files"]
    assert run(["verify", str(target)]) == 1  # nothing is trusted without an anchor


def test_dossier_is_shown_as_json(here: OneNode, capsys: pytest.CaptureFixture[str]) -> None:
    code = here.start_letter()
    assert run(["dossier", "show", code]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["code"], shown["open"]) == (code, True)


def test_unknown_dossier_is_refused_with_a_sentence(
    here: OneNode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dossier", "show", "H28-000000-0000"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("lienthong: error: There is no dossier H28-000000-0000.")


def test_usage_errors_exit_with_2(here: OneNode) -> None:
    assert run(["dossier", "fold"]) == 2
    assert run(["nonsense"]) == 2


def test_account_is_opened_listed_and_disabled(
    here: OneNode, capsys: pytest.CaptureFixture[str]
) -> None:
    add = ["user", "add", "moi", "--name", "Người mới", "--password"]
    assert run([*add, "short"]) == 1
    assert run([*add, "long enough password"]) == 0
    assert run(["user", "grant", "moi", "--agency", "000.00.00.H08", "--role", "clerk"]) == 0
    assert run(["user", "set-password", "moi", "--password", "another long password"]) == 0
    assert run(["user", "disable", "moi"]) == 0
    capsys.readouterr()
    assert run(["user", "list"]) == 0
    assert "moi\tNgười mới\tdisabled" in capsys.readouterr().out


def test_agencies_messages_incidents_and_directory_are_listed(
    here: OneNode, capsys: pytest.CaptureFixture[str]
) -> None:
    here.send_letter()
    for command in (["agency", "list"], ["message", "list"], ["directory", "show"]):
        capsys.readouterr()
        assert run(command) == 0
        assert "000.00.00.H08" in capsys.readouterr().out
    assert run(["incident", "list"]) == 0


def test_check_names_what_is_wrong(
    here: OneNode, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server() as port:
        monkeypatch.setenv("LIENTHONG_REDIS_URL", f"redis://127.0.0.1:{port}")
        settings.cache_clear()
        assert run(["check"]) == 0
    said = capsys.readouterr().out
    for part in ("database", "Redis", "disk", "private keys", "time-stamp", "oldest", "log has"):
        assert part in said
    assert run(["check"]) == 1
    assert "BAD Redis takes no bells" in capsys.readouterr().out
    crls = here.node.settings.trust_dir / "crl"
    moved = crls.with_name("away")
    crls.rename(moved)
    capsys.readouterr()
    assert run(["check", "--lang", "vi"]) == 1
    assert "BAD Thư mục tin cậy thiếu" in capsys.readouterr().out
    moved.rename(crls)
    clock = SystemClock().now() + timedelta(days=4000)
    monkeypatch.setattr(SystemClock, "now", lambda _self: clock)
    capsys.readouterr()
    assert run(["check"]) == 1
    assert "ran out: fetch new ones" in capsys.readouterr().out


def test_files_are_signed_raised_and_judged_without_more_than_the_anchor(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = here.node.settings.keys_dir
    trust = here.node.settings.trust_dir
    letter = tmp_path / "quyết định.txt"
    letter.write_text("Điều 1", encoding="utf-8")
    target = tmp_path / "signed.asice"
    seal = keys / "seals" / "000.00.00.H08"
    tsa = ["--tsa-key", str(keys / "tsa.key.pem"), "--tsa-cert", str(keys / "tsa.crt.pem")]
    own = ["--key", f"{seal}.key.pem", "--cert", f"{seal}.crt.pem"]
    assert run(["sign", str(letter), "-o", str(target), *own, *tsa]) == 0
    anchor = ["--anchor", str(trust / "anchor.pem")]
    assert run(["verify", str(target), *anchor]) == 1  # no issuing certificate, no CRLs
    given = [*anchor, "--cert", str(trust / "certificates.pem")]
    for crl in sorted((trust / "crl").glob("*.crl")):
        given += ["--crl", str(crl)]
    assert run(["augment", str(target), "--to", "LT", *tsa, *given]) == 0
    assert run(["augment", str(target), "--to", "LTA", *tsa, *given]) == 0
    capsys.readouterr()
    assert run(["verify", str(target), *anchor, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signatures"][0]["level"] == "B-LTA"


def test_signing_asks_for_the_right_pin(here: OneNode, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("x")
    pin = tmp_path / "pin"
    person = here.node.settings.keys_dir / "persons" / "bd.lanhdao"
    target = tmp_path / "signed.asice"
    call = [
        *("sign", str(letter), "-o", str(target), "--pin-file", str(pin)),
        *("--key", f"{person}.key.pem", "--cert", f"{person}.crt.pem", "--role", "approved"),
    ]
    pin.write_text("000000x")
    assert run(call) == 1
    assert not target.exists()
    pin.write_text(here.pin("bd.lanhdao"))
    assert run(call) == 0


def test_node_is_written_into_one_file_and_comes_back(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = here.start_letter()
    target = tmp_path / "node.tar"
    assert run(["backup", "-o", str(target)]) == 0
    assert run(["restore", str(target)]) == 1  # the database is not empty
    assert "[restore_not_empty]" in capsys.readouterr().err
    empty_database()
    assert run(["dossier", "show", code]) == 1
    assert run(["restore", str(target)]) == 0
    assert "new epoch" in capsys.readouterr().err
    assert run(["dossier", "show", code]) == 0
    target.write_bytes(target.read_bytes()[:700])
    empty_database()
    assert run(["restore", str(target)]) == 1
    assert "[backup_refused]" in capsys.readouterr().err


def test_two_people_publish_a_procedure(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["procedure", "new", "visa-letter", "--in", str(tmp_path)]) == 0
    folder = str(tmp_path / "visa-letter")
    first, second = (_said_to_be(here, f"bd.quantri{n}", tmp_path) for n in (1, 2))
    assert run(["procedure", "publish", folder, *first]) == 0
    assert "a second person must confirm it" in capsys.readouterr().err
    assert run(["procedure", "confirm", "visa-letter", "1", *first]) == 1
    assert "[same_person]" in capsys.readouterr().err
    assert run(["procedure", "proposals", "--lang", "vi"]) == 0
    assert capsys.readouterr().out.endswith("bd.quantri1\tchờ người thứ hai\n")
    assert run(["procedure", "confirm", "visa-letter", "1", *second]) == 0
    assert "visa-letter version 1 is published" in capsys.readouterr().err
    assert here.node.contracts().version("visa-letter", "1").code == "visa-letter"


def test_the_tutorial_publishes_what_it_modelled_and_lets_it_be_opened(
    here: OneNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (tree.ROOT / "docs" / "tutorial" / "model-a-procedure.md").read_text()
    steps = page.partition("## 6. Publish it")[2]
    present = editions.current()
    assert present is not None
    (here.home.root / "present.xml").write_bytes(present.content)
    monkeypatch.chdir(tmp_path)
    assert run(["procedure", "new", "visa-letter"]) == 0
    ran = 0
    for line in "".join(re.findall(r"```sh\n(.*?)```", steps, re.DOTALL)).splitlines():
        if "--node h08" in line:  # the node of the test hosts the agencies of both
            continue
        typed = line.replace('"$LIENTHONG_HOME"', str(here.home.root))
        typed = typed.replace("nodes/h28/directory.xml", "present.xml").replace("--node h28 ", "")
        command, _, person = typed.removeprefix("lienthong ").partition(" --by ")
        if typed.startswith("lienthong "):
            more = _said_to_be(here, person, tmp_path) if person else []
            assert run([*shlex.split(command), *more]) == 0, line
        else:
            subprocess.run(["sh", "-c", typed], cwd=tmp_path, check=True, timeout=10)
        ran += 1
    said = capsys.readouterr()
    assert ran == 10
    assert "visa-letter version 1 is published" in said.err
    assert said.out.count("[role_unfilled]") == 1  # only before the directory was changed
    offered = submit.startable(here.node, here.actor("hb.chuyenvien"))
    assert "visa-letter" in [one.procedure for one in offered]


def test_a_proposal_is_refused_with_a_reason(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rules", "export", "2025.1", str(tmp_path / "rules")]) == 0
    pack = tmp_path / "rules" / "rulepack.toml"
    pack.write_text(pack.read_text().replace('version = "2025.1"', 'version = "2027.1"', 1))
    first, second = (_said_to_be(here, f"bd.quantri{n}", tmp_path) for n in (1, 2))
    assert run(["rules", "publish", str(tmp_path / "rules"), *first]) == 0
    assert run(["rules", "refuse", "rules", "2027.1", "--reason", "Sai căn cứ", *second]) == 0
    assert run(["rules", "confirm", "rules", "2027.1", *second]) == 1
    assert "[proposal_unknown]" in capsys.readouterr().err


def test_a_wrong_password_publishes_nothing(
    here: OneNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["procedure", "new", "visa-letter", "--in", str(tmp_path)])
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password")
    by = ["--by", "bd.quantri1", "--password-file", str(wrong)]
    assert run(["procedure", "publish", str(tmp_path / "visa-letter"), *by]) == 1
    assert "[login_refused]" in capsys.readouterr().err


def test_rule_packs_are_listed_shown_and_compared(
    here: OneNode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rules", "list"]) == 0
    assert "* 2025.1\t2025-07-01\t-\n" in capsys.readouterr().out
    assert run(["rules", "show", "2025.1", "--lang", "vi"]) == 0
    assert "form stop  number: 05, name: Thông báo dừng" in capsys.readouterr().out
    assert run(["rules", "diff", "2018.1", "2025.1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2018.1 → 2025.1\n")
    assert "+ form stop\n" in said
    assert "~ form control number: 05 → 06\n" in said
    assert run(["rules", "diff", "2025.1", "2025.1"]) == 0
    assert capsys.readouterr().out.endswith("Nothing differs.\n")
    assert run(["rules", "show", "1999.1"]) == 1


def _said_to_be(here: OneNode, username: str, folder: Path) -> list[str]:
    file = folder / f"{username}.password"
    file.write_text(here.logins[username]["password"] + "\n")
    return ["--by", username, "--password-file", str(file)]
