"""`lienthong edxml`: what one writes the other reads, in both dialects; every repair is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.errors import EdxmlFieldTooLong, EdxmlIncomplete, EdxmlRefused, EdxmlTextRefused
from lienthong.edxml import command

_ABOUT = "000.00.00.H28,2026/11/02,512/UBND-NC"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)


def _write(target: Path, *more: str | Path) -> Result:
    return _run(
        "write", target, "--from", "000.00.00.H28", "--to", "000.00.00.H08",
        "--number", "512/UBND-NC", "--date", "2026-11-02", "--subject", "V/v học tập", *more,
    )  # fmt: skip


@pytest.mark.parametrize("dialect", ["a", "b"])
def test_a_letter_comes_back_with_its_attachment(tmp_path: Path, dialect: str) -> None:
    attached = tmp_path / "công văn.pdf"
    attached.write_bytes(b"%PDF\r\n--\x00")
    target = tmp_path / "letter"
    written = _write(target, "--dialect", dialect, "--attach", attached)
    assert written.output.startswith(_ABOUT)
    read = _run("read", target, "--json", "--extract", tmp_path / "out")
    said = json.loads(read.stdout)
    assert said["header"]["document_id"] == _ABOUT
    assert said["header"]["promulgation"]["date"] == "2026/11/02"
    assert (said["kind"], said["assurance"], said["repairs"]) == ("letter", "channel", [])
    assert (tmp_path / "out" / "công văn.pdf").read_bytes() == b"%PDF\r\n--\x00"


def test_a_status_comes_back(tmp_path: Path) -> None:
    target = tmp_path / "status.xml"
    _run("status", target, "--from", "000.00.00.H08", "--to", "000.00.00.H28",
         "--about", _ABOUT, "--code", "13", "--description", "Xin thu hồi")  # fmt: skip
    said = json.loads(_run("read", target, "--json").stdout)
    assert said["kind"] == "status"
    assert said["header"]["status_code"] == "13"
    assert said["header"]["response_for"]["document_id"] == _ABOUT


@pytest.mark.parametrize(("business", "code"), [("revoke", "1"), ("update", "2"), ("replace", "3")])
def test_what_a_letter_does_to_an_earlier_one_is_said(
    tmp_path: Path, business: str, code: str
) -> None:
    target = tmp_path / "letter.xml"
    _write(target, "--business", business, "--about", "earlier", "--reason", "Ghi nhầm")
    said = json.loads(_run("read", target, "--json").stdout)["trace"]["business"]
    named = said["document_id"] if business != "replace" else said["replacements"][0]["document_id"]
    assert (said["kind"], named, said["reason"]) == (code, "earlier", "Ghi nhầm")


def test_repairs_are_told_in_the_language_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "letter.xml"
    _write(target)
    target.write_bytes(b"1212" + target.read_bytes())
    read = _run("read", target, "--lang", "vi")
    assert "ký tự thừa" in read.stderr
    assert "header.subject: V/v học tập" in read.stdout


def test_what_is_no_edxml_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "letter.xml"
    target.write_bytes(b"%PDF-1.7")
    with pytest.raises(EdxmlRefused):
        _run("read", target)
    with pytest.raises(EdxmlFieldTooLong):
        _write(target, "--subject", "x" * 501)


@pytest.mark.parametrize("dialect", ["a", "b"])
def test_the_head_of_a_letter_is_written_as_it_is_given(tmp_path: Path, dialect: str) -> None:
    target = tmp_path / "letter"
    _write(
        target, "--dialect", dialect, "--place", "Hòa Bình", "--type-name", "Công văn",
        "--signer", "Nguyễn Văn A", "--signer-position", "Chủ tịch", "--due", "2026-12-01",
        "--priority", "2", "--to-place", "Như trên", "--to-place", "Lưu VT", "--content", "Tóm tắt",
    )  # fmt: skip
    head = json.loads(_run("read", target, "--json").stdout)["header"]
    assert head["promulgation"] == {"place": "Hòa Bình", "date": "2026/11/02"}
    assert (head["document_type"]["name"], head["content"]) == ("Công văn", "Tóm tắt")
    assert (head["signer"]["full_name"], head["signer"]["position"]) == ("Nguyễn Văn A", "Chủ tịch")
    assert (head["due_date"], head["other"]["priority"]) == ("2026/12/01", "2")
    assert head["to_places"] == ["Như trên", "Lưu VT"]


def test_a_letter_that_revokes_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdxmlIncomplete):
        _write(tmp_path / "letter", "--business", "revoke")


@pytest.mark.parametrize("dialect", ["a", "b"])
def test_text_that_would_break_the_file_is_refused(tmp_path: Path, dialect: str) -> None:
    with pytest.raises(EdxmlTextRefused):
        _write(tmp_path / "letter", "--dialect", dialect, "--reason", "a\x01b")
